// The jobs that were run, newest first, stored in this browser.
import { byId, element } from "./dom.js";
import { asJob, lightJob, sameJob } from "./job.js";
import { keep, kept } from "./store.js";
import { time } from "./units.js";

const key = "history";
const most = 40;
const mostChars = 100_000;
const mostFileChars = 16_384; // of an entry

function load() {
    try {
        const entries = JSON.parse(kept("localStorage", key) ?? "[]");
        return Array.isArray(entries) ? entries.filter((entry) => typeof entry?.job?.code === "string") : [];
    } catch {
        return [];
    }
}

// Where they don't all fit, the oldest are dropped.
function save(entries) {
    while (!keep("localStorage", key, JSON.stringify(entries)) && entries.length > 0)
        entries.pop();
}

const firstLine = (code) => code.split("\n").find((line) => line.trim() && !line.startsWith("#"))?.trim() ?? "(empty)";

export class History {
    constructor(onPick) {
        this.onPick = onPick;
        byId("history-clear").addEventListener("click", () => {
            keep("localStorage", key, null);
            this.show();
            byId("history").querySelector("summary").focus();
        });
        // Another tab has run something.
        window.addEventListener("storage", (event) => event.key === key && this.show());
        this.show();
    }

    // `verdict`: of the answer, or a word for why there is none. `wallTimeMs`: null when not known.
    add(whole, verdict, wallTimeMs = null) {
        if (whole.code.length > mostChars)
            return;
        const job = lightJob(whole, mostFileChars);
        const entries = load().filter((entry) => !sameJob(entry.job, job));
        entries.unshift({ job, verdict, wallTimeMs, at: Date.now() });
        save(entries.slice(0, most));
        this.show();
    }

    show() {
        const entries = load();
        byId("history-empty").hidden = entries.length > 0;
        byId("history-clear").hidden = entries.length === 0;
        byId("history-list").replaceChildren(...entries.map((entry) => this.#item(entry)));
    }

    #item({ job, verdict, wallTimeMs, at }) {
        const when = new Date(at).toLocaleString([], { dateStyle: "short", timeStyle: "short" });
        const button = element("button", { type: "button", className: "item" },
            element("span", { className: "item-title code" }, firstLine(job.code)),
            element("span", { className: "item-text" },
                [verdict, wallTimeMs === null ? null : time(wallTimeMs), when].filter(Boolean).join(" · ")));
        button.addEventListener("click", () => this.onPick(asJob(job)));
        return element("li", {}, button);
    }
}
