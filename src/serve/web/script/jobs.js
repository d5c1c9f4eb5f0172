// The page of stored jobs: lists one's own, newest first, and asks again while one of them has not ended.
import { byId } from "./dom.js";
import { showJob, showNoJob } from "./job-answer.js";
import { JobRow, shortId, unfinished } from "./job-row.js";
import { cancelJob, job as find, jobs } from "./service.js";
import { stayWhereItFits } from "./stay.js";
import { themeSwitch } from "./theme-switch.js";
import { askToken, tokenBox } from "./token.js";
import { asSentence } from "./words.js";

const pause = 1000; // milliseconds between two looks at jobs that have not ended
const placed = 8; // of so many waiting jobs, those that are next, the place in the queue is asked for

const rows = new Map(); // by id
let timer = 0;
let looking = null; // the promise of the look that is under way

const say = (sentence) => {
    byId("news").textContent = sentence;
};

// An alert is read aloud whenever its text is set: so it is set only where it changes.
function notice(sentence) {
    byId("jobs-notice").hidden = !sentence;
    if (byId("jobs-notice").textContent !== sentence)
        byId("jobs-notice").textContent = sentence;
}

// The list has no places in the queue. A job that expires meanwhile has none.
async function places(list) {
    const next = list.filter(({ state }) => state === "queued").slice(-placed);
    const found = await Promise.all(next.map(({ id }) => find(id).catch(() => null)));
    return new Map(found.filter(Boolean).map(({ id, position }) => [id, position]));
}

function choose(job) {
    rows.forEach((row, id) => {
        row.open = id === job.id;
    });
    byId("result").scrollIntoView({ block: "nearest" });
    showJob(job).then(look, failed);
}

function add(job) {
    const row = new JobRow(job, choose, confirmCancel);
    rows.set(job.id, row);
    return row;
}

function show(list, known) {
    const changes = [];
    for (const [id, { node }] of rows) {
        if (!list.some((job) => job.id === id)) {
            node.remove();
            rows.delete(id);
        }
    }
    let before = byId("jobs").firstChild;
    for (const job of list) {
        const row = rows.get(job.id) ?? add(job);
        if (row.job.state !== job.state)
            changes.push(`Job ${shortId(job.id)} is ${job.state}.`);
        row.update({ ...job, position: known.get(job.id) ?? 0 });
        if (row.node === before)
            before = before.nextSibling;
        else
            byId("jobs").insertBefore(row.node, before);
    }
    if (changes.length > 0)
        say(changes.slice(0, 5).join(" "));
    byId("jobs-empty").hidden = list.length > 0;
    byId("jobs-empty").textContent = "You have no jobs here. Send one by POST /jobs.";
}

function failed(error) {
    if (!error.kind)
        throw error;
    if (error.kind === "token")
        askToken(error.message).then(look);
    else
        notice(asSentence(error.message));
    if (error.kind === "rate" || error.kind === "busy")
        later((error.retryAfter ?? 5) * 1000);
}

function later(ms) {
    clearTimeout(timer);
    timer = setTimeout(look, ms);
}

async function lookOnce() {
    clearTimeout(timer);
    try {
        const list = await jobs();
        show(list, await places(list));
        notice("");
        // Nobody sees a tab in the background: it looks again when it is shown.
        if (list.some(unfinished) && !document.hidden)
            later(pause);
    } catch (error) {
        failed(error);
    }
}

// One look at a time: an older answer never takes the place of a newer one.
function look() {
    looking ??= lookOnce().finally(() => {
        looking = null;
    });
    return looking;
}

function confirmCancel(job) {
    byId("cancel-help").textContent = `Job ${shortId(job.id)} ${job.state === "running" ? "is killed" : "will not run"}, and has no answer then.`;
    byId("cancel-box").dataset.id = job.id;
    byId("cancel-box").showModal();
}

async function cancel() {
    byId("cancel-box").close();
    try {
        await cancelJob(byId("cancel-box").dataset.id);
        await looking;
        await look();
    } catch (error) {
        failed(error);
    }
}

byId("refresh").addEventListener("click", () => look().then(() => byId("jobs-notice").hidden && say("The list is up to date.")));
byId("cancel-keep").addEventListener("click", () => byId("cancel-box").close());
byId("cancel-do").addEventListener("click", cancel);
document.addEventListener("visibilitychange", () => document.hidden || look());
stayWhereItFits(byId("result"));
themeSwitch(byId("theme"));
tokenBox(() => {
    showNoJob();
    look();
});
showNoJob();
look();
