// Output of a job: the text as a terminal shows it, a mark where bytes are missing, and links from a traceback to the code.
// The text is untrusted: it is never set as HTML.
import { element } from "./dom.js";
import { outputTools } from "./output-tools.js";
import { runs } from "./terminal.js";
import { parts } from "./traceback.js";
import { bytes } from "./units.js";

// The text before the line that marks missing bytes, the line, and the text behind it; null: nothing is missing.
function cut(text, dropped) {
    const mark = `… ${dropped} bytes left out …\n`;
    const at = dropped > 0 ? text.indexOf(mark) : -1;
    return at < 0 ? null : [text.slice(0, at), mark.trim(), text.slice(at + mark.length)];
}

const lines = (text, onLine) => runs(text).flatMap(({ text: part, className }) =>
    (className ? [element("span", { className }, part)] : linked(part, onLine)));

function linked(text, onLine) {
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

function block(text, dropped, id, onLine) {
    const [before, mark, after] = cut(text, dropped) ?? [text, "", ""];
    const body = lines(before, onLine);
    if (mark)
        body.push(element("span", { className: "gap" }, mark), ...lines(after, onLine));
    return frame(id, element("span", { className: "lines" }, ...body));
}

export const frame = (id, ...shown) => element("pre", { tabIndex: 0, role: "group", "aria-labelledby": id }, ...shown);

// `parts`: text, and nodes that stand between it. `onLine`: called with the number of a line that is clicked in a
// traceback; null: lines are no links.
export function output({ title, parts, dropped = 0, className, onLine = null }) {
    const id = `stream-${className}`;
    const some = parts.filter((part) => part !== "");
    const shown = element("div", { className: "blocks" }, ...(some.length > 0 ? some : [""]).map((part) =>
        (typeof part === "string" ? block(part, dropped, id, onLine) : part)));
    const text = parts.filter((part) => typeof part === "string").join("");
    return element("div", { className: `stream ${className}` },
        element("div", { className: "stream-head" }, element("h3", { id }, title), outputTools({ title, name: className, text, shown })),
        dropped > 0 ? element("p", { className: "notice truncated" },
            `${bytes(dropped)} of the output are not shown. You see the beginning and the end.`) : null,
        shown);
}
