// The job in the editor, kept from each change on: this tab's after a reload, the last one of any tab after a crash.
import { asJob, lightJob } from "./job.js";
import { keep, kept } from "./store.js";

const key = "draft";
const mostFileChars = 262_144;

export function keepDraft(job) {
    const text = JSON.stringify(lightJob(job, mostFileChars));
    for (const storage of ["sessionStorage", "localStorage"])
        keep(storage, key, text) || keep(storage, key, JSON.stringify(lightJob(job, 0)));
}

// null: there is none.
export function keptDraft() {
    try {
        const draft = JSON.parse(kept("sessionStorage", key) ?? kept("localStorage", key));
        return draft && asJob(draft);
    } catch {
        return null;
    }
}
