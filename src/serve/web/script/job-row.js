// One stored job in the list. A row is made once and then only changed where its job has: it keeps the focus.
import { element } from "./dom.js";
import { time } from "./units.js";

export const unfinished = ({ state }) => state === "queued" || state === "running";

// Enough of an id to tell one's own jobs apart.
export const shortId = (id) => id.slice(0, 8);

const moment = (text) => element("time", { dateTime: text, title: text }, new Date(text).toLocaleString());

// What is told of a job: rows of a term and its value, without those that it has no value for.
const facts = ({ policy, created, started, ended, tries, position }) => [
    ["Policy", policy], ["Place in the queue", position || null],
    ["Created", created && moment(created)], ["Started", started && moment(started)], ["Ended", ended && moment(ended)],
    ["Took", started && ended && time(Math.max(0, Date.parse(ended) - Date.parse(started)))], ["Tries", String(tries)],
].filter(([, value]) => value !== null).map(([term, value]) => element("div", {}, element("dt", {}, term), element("dd", {}, value)));

// `onShow` and `onCancel` are called with the job as it is then.
export class JobRow {
    #state = element("span");
    #facts = element("dl", { className: "details" });
    #reason = element("p", { className: "job-reason", hidden: true });
    #show;
    #cancel;
    #seen = "";

    constructor(job, onShow, onCancel) {
        const button = (label, className, onClick) => {
            const made = element("button", { type: "button", className }, element("span", {}, label),
                element("span", { className: "hidden-text" }, ` of job ${shortId(job.id)}`));
            made.addEventListener("click", () => onClick(this.job));
            return made;
        };
        this.#show = button("Show answer", "small show", onShow);
        this.#cancel = button("Cancel", "small danger cancel", onCancel);
        this.#cancel.lastChild.textContent = ` job ${shortId(job.id)}`;
        this.node = element("li", { className: "job" },
            element("div", { className: "job-head" }, this.#state, element("span", { className: "job-id code", title: job.id }, job.id)),
            this.#facts, this.#reason, element("div", { className: "row" }, this.#show, this.#cancel));
        this.node.dataset.id = job.id;
        this.update(job);
    }

    update(job) {
        this.job = job;
        if (JSON.stringify(job) === this.#seen)
            return;
        this.#seen = JSON.stringify(job);
        this.#state.textContent = job.state;
        this.#state.className = `job-state ${job.state}`;
        this.#facts.replaceChildren(...facts(job));
        this.#reason.textContent = job.reason ?? "";
        this.#reason.hidden = !job.reason;
        this.#show.firstChild.textContent = unfinished(job) ? "Follow output" : "Show answer";
        if (document.activeElement === this.#cancel && !unfinished(job))
            this.#show.focus();
        this.#cancel.hidden = !unfinished(job);
    }

    // Whether its answer is the one that is shown.
    set open(open) {
        this.node.classList.toggle("open", open);
        if (open)
            this.#show.setAttribute("aria-current", "true");
        else
            this.#show.removeAttribute("aria-current");
    }
}
