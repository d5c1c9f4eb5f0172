// The answer of one stored job, in the result's panel. That of a job that waits or runs is followed by its events.
import { byId, element } from "./dom.js";
import { shortId, unfinished } from "./job-row.js";
import { Live } from "./live.js";
import { showAnswer, showError, showNothing, showRunning } from "./result.js";
import { followJob, job as find, ServiceError } from "./service.js";

let shown = new AbortController(); // aborted when another job is shown

// The service reads a job's request again when its turn comes, and may refuse it then.
function showEnded({ state, reason, answer }, live) {
    if (answer?.verdict)
        showAnswer(answer, { limits: null, live, value: answer.result === null ? "" : "Value", held: false, onLine: null });
    else
        showError(new ServiceError(answer ? "refused" : state, answer?.error ?? reason ?? "It has no answer.",
            { field: answer?.field ?? null, own: true }), live, null);
}

export function showNoJob() {
    shown.abort();
    byId("result-title").textContent = "Answer";
    showNothing("No job is chosen.", "Choose one from the list to see its answer.");
}

// Resolves when all of it is shown, or another job is. Throws a ServiceError, which is shown then, too.
export async function showJob(job) {
    shown.abort();
    shown = new AbortController();
    const { signal } = shown;
    let live = new Live(element("div"));
    byId("result-title").textContent = `Answer of job ${shortId(job.id)}`;
    try {
        if (unfinished(job)) {
            const running = showRunning(null);
            live = running.live;
            await followJob(job.id, signal, (name, data) => signal.aborted || running.events[name]?.(data));
        }
        const found = await find(job.id);
        if (!signal.aborted)
            showEnded(found, live);
    } catch (error) {
        if (signal.aborted)
            return;
        if (error.kind)
            showError(error, live, null);
        throw error;
    }
}
