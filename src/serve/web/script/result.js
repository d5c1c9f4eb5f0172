// The result's panel: waiting, running, a verdict, or why there is none.
import { byId, element } from "./dom.js";
import { meters } from "./meters.js";
import { output } from "./output.js";
import { time } from "./units.js";
import { asSentence, lastLine, words } from "./words.js";

let ticking = 0;

function show(state, ...nodes) {
    clearInterval(ticking);
    byId("clock").textContent = "";
    byId("result").dataset.state = state;
    byId("result-body").replaceChildren(...nodes.filter(Boolean));
}

const say = (sentence) => {
    byId("status").textContent = sentence;
};

const head = (tone, title, sentence, mark = null) => element("div", { className: `verdict ${tone}` },
    element("p", { className: "verdict-title" }, title, mark), element("p", { className: "verdict-sentence" }, sentence));

export function showNothing() {
    show("empty", element("div", { className: "empty" },
        element("p", {}, "Nothing has run yet."),
        element("p", { className: "hint" }, "Run the code, or pick an attack from the examples and see how it is contained.")));
}

export function showRunning(limits) {
    const began = performance.now();
    const most = limits?.wall_time_ms;
    const fill = element("span", { className: "fill" });
    const tick = () => {
        const passed = performance.now() - began;
        byId("clock").textContent = time(Math.floor(passed / 100) * 100);
        fill.style.transform = `scaleX(${most ? Math.min(1, passed / most) : 0})`;
    };
    show("running", head("running", "Running", most ? `It may run for ${time(most)}.` : "Waiting for its verdict."),
        element("div", { className: "meter", "aria-hidden": "true" }, fill));
    ticking = setInterval(tick, 100);
    tick();
    say("Running.");
}

// input() found no more lines: there is a field for them.
const inputIsMissing = (answer) => answer.verdict === "exception" && /^EOFError\b.*$/m.test(lastLine(answer.stderr));

function inputHint() {
    const button = element("button", { type: "button", className: "small", id: "to-stdin" }, "Give it input");
    button.addEventListener("click", () => byId("stdin").focus());
    return element("div", { className: "notice hint-row" },
        element("p", {}, "The code asked for more lines than its standard input has."), button);
}

export function showStopped() {
    show("stopped", head("bad", "Stopped", "You stopped the job. Its output is lost."));
    say("Stopped.");
}

// Shows why there is no verdict.
export function showError(error) {
    const titles = { busy: "Busy", rate: "Too many requests", refused: "Not run", absent: "No answer", token: "Token required" };
    // The service's own sentences say when to try again; the page's own do not.
    const again = error.retryAfter === null || error.own ? "" : ` Try again in ${time(error.retryAfter * 1000)}.`;
    const field = error.field ? ` (field: ${error.field})` : "";
    const sentence = asSentence(error.message + field) + again;
    show("error", head("bad", titles[error.kind] ?? "The service failed", sentence));
    byId("result").dataset.error = error.kind;
    say(sentence);
}

// Refused calls that honest code rarely makes: "mount, socket(AF_NETLINK) ×3".
const denied = (calls) => (calls ?? [])
    .map(({ call, count }) => (count > 1 ? `${call} ×${count}` : call)).join(", ");

const details = (answer) => element("dl", { className: "details" },
    ...[["Exit status", answer.exit_code], ["Signal", answer.signal],
        ["Enforced by", `cgroup ${answer.enforcement.cgroup}, ${answer.enforcement.start} start`],
        ["Not enforced", answer.enforcement.missing.join(", ")], ["Denied", denied(answer.denied)], ["Job", answer.id]]
        .filter(([, value]) => value !== null && value !== "")
        .map(([term, value]) => element("div", {}, element("dt", {}, term), element("dd", {}, String(value)))));

// `limits`: of the job, null when not known; `held`: an attack was contained as its sentence says.
export function showAnswer(answer, { limits, call, held, onLine }) {
    const { tone, title, sentence, spoken } = words(answer);
    const stream = (name, shown, className, jump) => output({
        title: shown, text: answer[name], dropped: answer.truncated[name], className, onLine: jump,
    });
    const mark = held ? element("span", { className: "kept" }, "Contained, as promised") : null;
    show("done", head(tone, title, sentence, mark), inputIsMissing(answer) ? inputHint() : null,
        call && answer.verdict === "ok" ? output({
            title: `Value of ${call}()`, text: JSON.stringify(answer.result, null, 2), dropped: 0, className: "value",
        }) : null,
        answer.stdout || !answer.stderr ? stream("stdout", "Output", "stdout", null) : null,
        answer.stderr ? stream("stderr", "Errors", "stderr", onLine) : null,
        meters(answer.usage, limits), details(answer));
    byId("result").dataset.verdict = answer.verdict;
    say(held ? `${spoken} Contained, as promised.` : spoken);
}
