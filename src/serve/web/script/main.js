// Puts the page together: connects what a visitor does with the parts of the page.
import { byId } from "./dom.js";
import { keepDraft, keptDraft } from "./draft.js";
import { Editor } from "./editor.js";
import { exampleList, markExample } from "./example-list.js";
import { everyExample, uses } from "./examples.js";
import { missing } from "./files.js";
import { GivenFiles } from "./given-files.js";
import { History } from "./history.js";
import { fields, sameJob, toRequest } from "./job.js";
import { askedLimits, LimitFields } from "./limits.js";
import { Modules } from "./modules.js";
import { Policies } from "./policies.js";
import { showAnswer, showError, showNothing, showRunning, showStopped } from "./result.js";
import { run, ServiceError } from "./service.js";
import { fromFragment } from "./share.js";
import { shareBox } from "./share-box.js";
import { stayWhereItFits } from "./stay.js";
import { themeSwitch } from "./theme-switch.js";
import { askToken, tokenBox } from "./token.js";
import { lastLine } from "./traceback.js";
import { undoBox } from "./undo-box.js";
import { count } from "./units.js";

let running = null; // the AbortController of the job that runs
let linked = null; // the job that the page's address is a link to
const typed = fields.filter((name) => name !== "policy");
const wide = matchMedia("(min-width: 60rem)");

const editor = new Editor(byId("editor"), {
    onRun: () => {
        start();
        return true;
    },
    onChange: changed,
});
const limitFields = new LimitFields(changed);
const modules = new Modules();
const policies = new Policies(byId("policy"), byId("policy-limits"), (policy) => {
    limitFields.show(policy);
    modules.show(policy);
    byId("collect").disabled = !policy.writable;
    byId("collect-label").title = policy.writable ? "Files that the code writes come back"
        : `Under the policy "${policy.name}" code writes no files: choose another one`;
});
const given = new GivenFiles(changed);
const history = new History(replaceJob);
const undo = undoBox((job) => {
    setJob(job);
    editor.focus();
});
const share = shareBox(currentJob, () => toRequest(currentJob(), policies.writable), (job) => {
    linked = job;
});

function currentJob() {
    return { code: editor.code, stdin: byId("stdin").value, args: byId("args").value, env: byId("env").value,
        policy: policies.name, call: byId("call").value.trim(), notebook: byId("notebook").checked ? "on" : "",
        collect: byId("collect").checked ? "" : "off", ...limitFields.values, files: { ...given.files } };
}

function setJob({ code, stdin = "", args = "", env = "", policy = "run", call = "", notebook = "", collect = "", files = {}, ...limits }) {
    editor.code = code;
    given.files = files;
    byId("notebook").checked = notebook === "on";
    byId("collect").checked = collect !== "off";
    Object.entries({ stdin, args, env, call }).forEach(([id, value]) => {
        byId(id).value = value;
    });
    limitFields.values = limits;
    policies.choose(policy || "run");
    changed();
}

// Another job takes the place of what is there, which can be brought back unless it is an example as it was.
function replaceJob(job) {
    const before = currentJob();
    const lost = !example() || !sameJob(example(), before, ["stdin", "files"]) || before.args || before.env
        || Object.keys(askedLimits(before)).length > 0;
    setJob(job);
    if (lost)
        undo.offer(before, currentJob());
    else
        undo.hide();
    show("editor-panel");
}

// The example in the editor; undefined once its code has been changed.
const example = () => everyExample.find(({ code, call = "" }) => code === editor.code && call === byId("call").value.trim());

function changed() {
    const current = example();
    share.hide();
    leaveLink();
    keepDraft(currentJob());
    markExample(current);
    byId("promise").hidden = !current;
    byId("promise").textContent = current?.sentence ?? "";
    showLength();
}

// A link whose code was edited is no longer the link to it.
function leaveLink() {
    if (!linked || sameJob(linked, currentJob(), typed))
        return;
    linked = null;
    window.history.replaceState(null, "", location.pathname + location.search);
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

// Words of the history for jobs without a verdict.
const outcomes = { refused: "refused", token: "refused", rate: "refused", busy: "refused", absent: "no answer" };

async function start() {
    if (running)
        return;
    const job = currentJob();
    const limits = policies.limits && { ...policies.limits, ...askedLimits(job) };
    const controller = new AbortController();
    if (missing(job.files).length > 0) {
        showError(new ServiceError("refused",
            `The page has kept only the name of ${missing(job.files).join(", ")}. Choose the file again, or remove it.`));
        show("result");
        return;
    }
    editor.markError(null);
    history.add(job, "started");
    setRunning(controller);
    const { live, events } = showRunning(limits);
    const onLine = (line) => editor.goTo(line);
    show("result");
    try {
        const answer = await run(toRequest(job, policies.writable), controller.signal, (name, data) => events[name]?.(data));
        const kept = everyExample.find(({ code, call = "" }) => code === job.code && call === job.call)?.kept?.(answer);
        showAnswer(answer, { limits, live, value: job.call && `Value of ${job.call}()`, held: kept, onLine });
        editor.markError(answer.verdict === "exception" && editor.code === job.code ? lastLine(answer.stderr) : null);
        history.add(job, answer.verdict, answer.usage.wall_time_ms);
    } catch (error) {
        history.add(job, error.name === "AbortError" ? "stopped" : outcomes[error.kind] ?? "failed");
        if (error.name === "AbortError")
            showStopped(live, onLine);
        else if (error.kind)
            showError(error, live, onLine);
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
        const before = editor.code ? currentJob() : keptDraft();
        if (!job)
            return false;
        linked = null;
        setJob(job);
        linked = currentJob();
        if (before && !everyExample.some(({ code }) => code === before.code))
            undo.offer(before, job);
        return true;
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
for (const id of ["stdin", "args", "env", "call", "policy", "notebook", "collect"])
    byId(id).addEventListener("input", changed);
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

stayWhereItFits(byId("editor-panel"));
stayWhereItFits(byId("result"));
themeSwitch(byId("theme"));
tokenBox(loadPolicies);
exampleList((picked) => replaceJob(policies.offers(picked.policy) ? picked : { ...picked, ...picked.instead }));
showNothing("Nothing has run yet.", "Run the code, or pick an attack from the examples and see how it is contained.");
openLink().then((opened) => opened || setJob(keptDraft() ?? uses[0]));
loadPolicies();
