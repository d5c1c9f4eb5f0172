// Puts the page together: connects what a visitor does with the parts of the page.
import { byId } from "./dom.js";
import { Editor } from "./editor.js";
import { exampleList, markExample } from "./example-list.js";
import { everyExample, uses } from "./examples.js";
import { History } from "./history.js";
import { Policies } from "./policies.js";
import { showAnswer, showError, showNothing, showRunning, showStopped } from "./result.js";
import { run } from "./service.js";
import { fromFragment } from "./share.js";
import { shareBox } from "./share-box.js";
import { themeSwitch } from "./theme-switch.js";
import { askToken, tokenBox } from "./token.js";
import { lastLine } from "./traceback.js";
import { count } from "./units.js";

let running = null; // the AbortController of the job that runs
const wide = matchMedia("(min-width: 60rem)");

const editor = new Editor(byId("editor"), {
    onRun: () => {
        start();
        return true;
    },
    onChange: changed,
});
const policies = new Policies(byId("policy"), byId("policy-limits"));
const history = new History((job) => {
    setJob(job);
    show("editor-panel");
});
const share = shareBox(currentJob);

function currentJob() {
    return { code: editor.code, stdin: byId("stdin").value, policy: policies.name, call: byId("call").value.trim() };
}

function setJob({ code, stdin = "", policy = "run", call = "" }) {
    editor.code = code;
    byId("stdin").value = stdin;
    byId("call").value = call;
    policies.choose(policy || "run");
    changed();
}

// The example in the editor; undefined once its code has been changed.
const example = () => everyExample.find(({ code, call = "" }) => code === editor.code && call === byId("call").value.trim());

function changed() {
    const current = example();
    share.hide();
    markExample(current);
    byId("promise").hidden = !current;
    byId("promise").textContent = current?.sentence ?? "";
    showLength();
}

function showLength() {
    const most = policies.limits?.code_chars;
    const chars = [...editor.code].length;
    byId("length").textContent = most ? `${count(chars)} of ${count(most)} characters` : `${count(chars)} characters`;
    byId("length").classList.toggle("over", Boolean(most) && chars > most);
}

// On a phone, where the panels stand below each other, scrolls to one.
function show(id) {
    if (!wide.matches)
        byId(id).scrollIntoView({ block: "start" });
}

function setRunning(controller) {
    const stop = byId("stop");
    const hadFocus = document.activeElement === stop;
    running = controller;
    byId("run").setAttribute("aria-disabled", String(Boolean(controller)));
    stop.hidden = !controller;
    if (hadFocus && !controller)
        byId("run").focus();
}

async function start() {
    if (running)
        return;
    const job = currentJob();
    const limits = policies.limits;
    const controller = new AbortController();
    const request = { code: job.code, stdin: job.stdin, policy: job.policy };
    if (job.call)
        request.call = job.call;
    editor.markError(null);
    setRunning(controller);
    showRunning(limits);
    show("result");
    try {
        const answer = await run(request, controller.signal);
        const kept = everyExample.find(({ code, call = "" }) => code === job.code && call === job.call)?.kept?.(answer);
        showAnswer(answer, { limits, call: job.call, held: kept, onLine: (line) => editor.goTo(line) });
        editor.markError(answer.verdict === "exception" && editor.code === job.code ? lastLine(answer.stderr) : null);
        history.add(job, answer.verdict, answer.usage.wall_time_ms);
    } catch (error) {
        if (error.name === "AbortError")
            showStopped();
        else if (error.kind)
            showError(error);
        else
            throw error;
        if (error.kind === "token")
            askToken(error.message).then(() => loadPolicies().then(start));
    } finally {
        setRunning(null);
    }
}

async function loadPolicies() {
    try {
        await policies.load();
    } catch (error) {
        if (error.kind === "token")
            askToken(error.message).then(loadPolicies);
        else
            byId("policy-limits").textContent = error.message;
    }
    showLength();
}

async function openLink() {
    try {
        const job = await fromFragment(location.hash);
        if (job)
            setJob(job);
        return job !== null;
    } catch {
        byId("status").textContent = "The link's code can't be read.";
        byId("promise").textContent = "The link's code can't be read. The link may be incomplete: ask for it again.";
        byId("promise").hidden = false;
        return true;
    }
}

byId("run").addEventListener("click", start);
byId("stop").addEventListener("click", () => running?.abort());
byId("policy").addEventListener("limits", showLength);
byId("call").addEventListener("input", changed);
document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.defaultPrevented) {
        event.preventDefault();
        start();
    }
});
window.addEventListener("hashchange", openLink);

const open = () => {
    for (const id of ["examples", "history"])
        byId(id).open = wide.matches;
};
wide.addEventListener("change", open);
open();

themeSwitch(byId("theme"));
tokenBox();
exampleList((picked) => {
    setJob(picked);
    show("editor-panel");
});
showNothing();
openLink().then((opened) => opened || setJob(uses[0]));
loadPolicies();
