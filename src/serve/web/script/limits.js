// The fields for a job's own limits. A job keeps them in the units of a request, as text; "" is the policy's own limit.
import { byId, element } from "./dom.js";

// Name, label, the unit that is shown, and how many of the request's units it has.
const rows = [
    ["wall_time_ms", "Wall time", "s", 1000],
    ["cpu_time_ms", "CPU time", "s", 1000],
    ["memory_bytes", "Memory", "MiB", 2 ** 20],
    ["cpus", "CPUs", "", 1],
    ["pids", "Processes", "", 1],
    ["output_bytes", "Output", "KiB", 1024],
    ["open_files", "Open files", "", 1],
    ["tmp_bytes", "Files", "MiB", 2 ** 20],
];

export const limitNames = rows.map(([name]) => name);

const shown = (value, factor) => String(Number((value / factor).toFixed(3)));

// Whole numbers, except for CPUs.
const inRequest = (typed, name, factor) => (typed === "" ? "" : String(name === "cpus" ? Number(typed) : Math.round(typed * factor)));

// The limits that a job asks for, as in a request.
export const askedLimits = (job) =>
    Object.fromEntries(limitNames.filter((name) => job[name]).map((name) => [name, Number(job[name])]));

export class LimitFields {
    #caps = {};

    // `onChange`: called when a visitor has changed one.
    constructor(onChange) {
        byId("limit-fields").append(...rows.map(([name, label, unit]) => {
            const input = element("input", { id: `limit-${name}`, type: "number", min: "0", step: "any", inputMode: "decimal",
                autocomplete: "off", "aria-describedby": "limits-error" });
            input.addEventListener("input", () => {
                this.#check();
                onChange();
            });
            return element("div", { className: "field" },
                element("label", { htmlFor: input.id }, unit ? `${label} (${unit})` : label), input);
        }));
    }

    get values() {
        return Object.fromEntries(rows.map(([name, , , factor]) => [name, inRequest(byId(`limit-${name}`).value, name, factor)]));
    }

    set values(job) {
        for (const [name, , , factor] of rows)
            byId(`limit-${name}`).value = Number(job[name]) > 0 ? shown(job[name], factor) : "";
        if (limitNames.some((name) => job[name]))
            byId("limits").open = true;
        this.#check();
    }

    // The limits in force where nothing is asked for, and the highest that may be asked for.
    show({ limits, caps }) {
        this.#caps = caps;
        for (const [name, , , factor] of rows) {
            byId(`limit-${name}`).placeholder = shown(limits[name], factor);
            byId(`limit-${name}`).max = shown(caps[name], factor);
        }
        this.#check();
    }

    // The service refuses what is above a cap; it is said before.
    #check() {
        const values = this.values;
        const over = rows.filter(([name]) => Number(values[name]) > this.#caps[name]);
        for (const [name] of rows)
            byId(`limit-${name}`).setAttribute("aria-invalid", String(over.some(([each]) => each === name)));
        byId("limits-error").textContent = over.map(([name, label, unit, factor]) =>
            `${label}: at most ${shown(this.#caps[name], factor)}${unit && ` ${unit}`} under this policy.`).join(" ");
    }
}
