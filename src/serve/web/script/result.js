// The result's panel: waiting, running, a verdict, or why there is none.
import { display } from "./displays.js";
import { byId, element } from "./dom.js";
import { Live } from "./live.js";
import { meters } from "./meters.js";
import { output } from "./output.js";
import { returnedFiles } from "./returned-files.js";
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

export function showNothing(sentence, hint) {
    show("empty", element("div", { className: "empty" }, element("p", {}, sentence), element("p", { className: "hint" }, hint)));
}

// A job that waits or runs: its place in the queue, its clock, its output as it comes. Its `events` are the stream's.
export function showRunning(limits) {
    const most = limits?.wall_time_ms;
    const title = element("p", { className: "verdict-title" }), sentence = element("p", { className: "verdict-sentence" });
    const fill = element("span", { className: "fill" });
    const place = element("div", { className: "live" });
    let began = performance.now();
    const tick = () => {
        const passed = performance.now() - began;
        byId("clock").textContent = time(Math.floor(passed / 100) * 100);
        fill.style.transform = `scaleX(${most ? Math.min(1, passed / most) : 0})`;
    };
    const runs = () => {
        title.textContent = "Running";
        sentence.textContent = most ? `It may run for ${time(most)}.` : "Waiting for its verdict.";
        began = performance.now();
        clearInterval(ticking);
        ticking = setInterval(tick, 100);
        tick();
    };
    const waits = (position) => {
        if (position === 0)
            return runs();
        clearInterval(ticking);
        byId("clock").textContent = "";
        title.textContent = "Waiting";
        sentence.textContent = position === 1 ? "It is the next to run." : `Its place in the queue is ${position}.`;
        return say(`Waiting. ${sentence.textContent}`);
    };
    show("running", element("div", { className: "verdict running" }, title, sentence),
        element("div", { className: "meter", "aria-hidden": "true" }, fill), place);
    runs();
    say("Running.");
    const live = new Live(place);
    return { live, events: { start: ({ queued }) => waits(queued), queued: ({ position }) => waits(position),
        stdout: (data) => live.stdout(data), stderr: (data) => live.stderr(data),
        display: (data) => live.display(display(data)) } };
}

// The outputs of a job that has ended, scrolled as they were while it ran.
function outputs({ parts, errors, truncated = {}, onLine }, scrolled) {
    const nodes = [
        parts.some((part) => part !== "") || !errors
            ? output({ title: "Output", parts, dropped: truncated.stdout, className: "stdout" }) : null,
        errors ? output({ title: "Errors", parts: [errors], dropped: truncated.stderr, className: "stderr", onLine }) : null,
    ];
    queueMicrotask(() => Object.entries(scrolled).forEach(([name, top]) => {
        const last = [...document.querySelectorAll(`#result .${name} pre`)].at(-1);
        if (last)
            last.scrollTop = top;
    }));
    return nodes;
}

// input() found no more lines, and the page has a field for them.
const inputIsMissing = (answer) => byId("stdin") && answer.verdict === "exception" && /^EOFError\b.*$/m.test(lastLine(answer.stderr));

function inputHint() {
    const button = element("button", { type: "button", className: "small", id: "to-stdin" }, "Give it input");
    button.addEventListener("click", () => byId("stdin").focus());
    return element("div", { className: "notice hint-row" },
        element("p", {}, "The code asked for more lines than its standard input has."), button);
}

// What a job had written before its visitor or its connection ended it.
function written(live, onLine) {
    if (!live)
        return [];
    const scrolled = live.end();
    return live.parts.length > 0 || live.errors ? outputs({ ...live, onLine }, scrolled) : [];
}

export function showStopped(live, onLine) {
    const nodes = written(live, onLine);
    show("stopped", head("bad", "Stopped", nodes.length > 0 ? "You stopped the job. This is what it had written."
        : "You stopped the job before it wrote anything."), ...nodes);
    say("Stopped.");
}

// Shows why there is no verdict. `live`: undefined if nothing was sent.
export function showError(error, live, onLine) {
    const titles = { busy: "Busy", rate: "Too many requests", refused: "Not run", absent: "No answer", token: "Token required",
        gone: "Not there", lost: "Lost", cancelled: "Cancelled" };
    // The service's own sentences say when to try again; the page's own do not.
    const again = error.retryAfter === null || error.own ? "" : ` Try again in ${time(error.retryAfter * 1000)}.`;
    const field = error.field ? ` (field: ${error.field})` : "";
    const sentence = asSentence(error.message + field) + again;
    show("error", head("bad", titles[error.kind] ?? "The service failed", sentence), ...written(live, onLine));
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

// Standard output with the displays: between it as they came, or behind it where there was no stream.
function shownParts(answer, live) {
    const displays = answer.display ?? [];
    return displays.length > 0 && displays.length === live.displays ? live.parts : [answer.stdout, ...displays.map(display)];
}

const leftOut = (count) => (count > 0 ? element("p", { className: "notice" },
    count === 1 ? "One display is left out: there were too many, or they were too large."
        : `${count} displays are left out: there were too many, or they were too large.`) : null);

// `limits`: of the job, null when not known; `live`: what came before the verdict; `held`: an attack was contained as its
// sentence says; `value`: what the value is of, "" when it is not shown.
export function showAnswer(answer, { limits, live, value, held, onLine }) {
    const { tone, title, sentence, spoken } = words(answer);
    const scrolled = live.end();
    const mark = held ? element("span", { className: "kept" }, "Contained, as promised") : null;
    show("done", head(tone, title, sentence, mark), inputIsMissing(answer) ? inputHint() : null,
        value && answer.verdict === "ok" ? output({
            title: value, parts: [JSON.stringify(answer.result, null, 2)], className: "value",
        }) : null,
        ...outputs({ parts: shownParts(answer, live), errors: answer.stderr, truncated: answer.truncated, onLine }, scrolled),
        leftOut(answer.displays_left_out), returnedFiles(answer),
        meters(answer.usage, limits), details(answer));
    byId("result").dataset.verdict = answer.verdict;
    say(held ? `${spoken} Contained, as promised.` : spoken);
}
