// A stream that a job wrote: its text, what was left out of it, and the way from a traceback to the
// code. The text is the script's: it is only ever set as text.
import { element } from "./dom.js";
import { parts } from "./traceback.js";
import { bytes } from "./units.js";

const tailMost = 64 * 1024; // the most that the service keeps of a long stream's end

// Where the bytes are missing: known when the text came through unchanged.
function cut(text, dropped, limit) {
    const data = dropped > 0 && limit ? new TextEncoder().encode(text) : [];
    if (data.length !== limit)
        return null;
    const at = limit - Math.min(limit / 2, tailMost);
    const decoder = new TextDecoder();
    return [decoder.decode(data.subarray(0, at)), decoder.decode(data.subarray(at))];
}

function lines(text, onLine) {
    if (!onLine)
        return [text];
    const nodes = [];
    for (const part of parts(text)) {
        if (part.line === null) {
            nodes.push(part.text);
            continue;
        }
        const [, before, link, after] = /^(\s*)(.*?)(\n?)$/s.exec(part.text);
        const button = element("button", { type: "button", className: "jump", title: `Go to line ${part.line}` }, link);
        button.addEventListener("click", () => onLine(part.line));
        nodes.push(before, button, after);
    }
    return nodes;
}

// `onLine`: called with a line's number when a traceback's line is followed; null: none are.
export function output({ title, text, dropped, limit, className, onLine = null }) {
    const id = `stream-${className}`;
    const halves = cut(text, dropped, limit);
    const gap = halves && element("span", { className: "gap" }, `… ${bytes(dropped)} left out here …`);
    const body = halves ? [...lines(halves[0], onLine), gap, ...lines(halves[1], onLine)] : lines(text, onLine);
    return element("div", { className: `stream ${className}` },
        element("h3", { id }, title),
        dropped > 0 ? element("p", { className: "notice truncated" },
            `It wrote ${bytes(dropped)} more than is kept. You see the beginning and the end.`) : null,
        element("pre", { tabIndex: 0, role: "region", "aria-labelledby": id }, element("span", { className: "lines" }, ...body)));
}
