// Brings back what an example, an entry of the history or a link took the place of.
import { byId } from "./dom.js";
import { sameJob } from "./job.js";

export function undoBox(onUndo) {
    let before = null;
    const hide = () => {
        byId("undo-box").hidden = true;
    };
    byId("undo").addEventListener("click", () => {
        hide();
        onUndo(before);
    });
    return {
        // `job`: what was there; `after`: what is there now.
        offer(job, after) {
            before = job;
            byId("undo-box").hidden = sameJob(job, after) || !job.code.trim();
        },
        hide,
    };
}
