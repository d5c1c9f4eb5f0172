// Bars: the resources that a job used, beside their limits.
import { element } from "./dom.js";
import { bytes, count, time } from "./units.js";

const rows = [
    ["Wall time", "wall_time_ms", "wall_time_ms", time],
    ["CPU time", "cpu_time_ms", "cpu_time_ms", time],
    ["Memory", "memory_peak_bytes", "memory_bytes", bytes],
    ["Processes", "pids_peak", "pids", count],
];

function meter(label, value, limit, words) {
    const known = value !== null && value !== undefined;
    const share = known && limit ? Math.min(1, value / limit) : 0;
    const text = limit ? `${words(value)} of ${words(limit)}` : words(value);
    const fill = element("span", { className: "fill" });
    fill.style.transform = `scaleX(${known && value > 0 ? Math.max(share, 0.006) : 0})`;
    const bar = element("div", {
        className: share >= 0.999 ? "meter full" : share > 0.8 ? "meter high" : "meter",
        role: "meter", "aria-label": label, "aria-valuemin": "0", "aria-valuemax": String(limit || 1),
        "aria-valuenow": String(Math.min(value ?? 0, limit || 1)), "aria-valuetext": text,
    }, fill);
    return element("div", { className: "meter-row" },
        element("span", { className: "meter-label" }, label), element("span", { className: "meter-text" }, text), bar);
}

// `limits`: null when not known; the numbers then stand alone.
export function meters(usage, limits) {
    return element("div", { className: "meters" },
        ...rows.map(([label, used, allowed, words]) => meter(label, usage[used], limits?.[allowed], words)));
}
