// What a terminal would show of a text: colours, carriage returns, backspaces. Other control sequences are left out.
const names = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
const token = /\x1b\[([\d;]*)([A-Za-z])|\x1b\[[0-?]*[ -/]*[@-~]?|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-Z\\-_]?|[\r\n\b]|[^\x1b\r\n\b]+/g;

// "38;5;N" and "38;2;R;G;B": how many numbers follow. Of the 256 colours the first 16 are known, others are left out.
const extended = (codes, at) => (codes[at + 1] === 5 ? 2 : codes[at + 1] === 2 ? 4 : 0);

function styled(style, codes) {
    let next = { ...style };
    for (let at = 0; at < codes.length; at++) {
        const code = codes[at];
        if (code === 0)
            next = {};
        else if (code === 1 || code === 3 || code === 4)
            next[{ 1: "bold", 3: "italic", 4: "underline" }[code]] = true;
        else if (code === 22 || code === 23 || code === 24)
            delete next[{ 22: "bold", 23: "italic", 24: "underline" }[code]];
        else if (code === 39 || code === 49)
            delete next[code === 39 ? "ink" : "ground"];
        else if (code === 38 || code === 48) {
            if (codes[at + 1] === 5 && codes[at + 2] < 16)
                next[code === 38 ? "ink" : "ground"] = names[codes[at + 2] % 8];
            at += extended(codes, at);
        } else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97))
            next.ink = names[code % 10];
        else if ((code >= 40 && code <= 47) || (code >= 100 && code <= 107))
            next.ground = names[code % 10];
    }
    return next;
}

const classes = (style) => [style.bold && "bold", style.italic && "italic", style.underline && "underline",
    style.ink && `ink-${style.ink}`, style.ground && `ground-${style.ground}`].filter(Boolean).join(" ");

// A line while it is written: characters, each with its classes, and where the next one goes.
class Line {
    cells = [];
    column = 0;

    write(text, className) {
        for (const char of text)
            this.cells[this.column++] = [char, className];
    }

    erase(kind) {
        if (kind === 0)
            this.cells.length = Math.min(this.cells.length, this.column);
        else
            this.cells.fill([" ", ""], 0, kind === 1 ? this.column : this.cells.length);
    }
}

// A hostile script must not keep the page busy: so many pieces are coloured, so many cells erased, and no more.
const mostRuns = 20_000, mostErased = 5_000_000;

// The beginning of a control sequence at the end of a part.
const begun = /\x1b(?:\[[0-?]{0,64}[ -/]{0,8}|\][^\x07\x1b]{0,1000})?$/;

// Adds text to [{ text, className }], in which neighbours differ in their classes.
function add(list, text, className) {
    if (list.at(-1)?.className === className)
        list.at(-1).text += text;
    else
        list.push({ text, className });
}

// A terminal to which a text is written, in parts if it comes so.
export class Terminal {
    #style = {};
    #className = "";
    #line = new Line();
    #erased = 0;
    #runs = 0;
    #begun = "";
    #settled = [];

    write(part) {
        const text = this.#begun + part;
        this.#begun = begun.exec(text)?.[0] ?? "";
        this.#write(this.#begun ? text.slice(0, -this.#begun.length) : text);
    }

    // What is on the lines that are complete and have not been taken yet.
    take() {
        const taken = this.#settled;
        this.#runs += taken.length;
        this.#settled = [];
        return taken;
    }

    // What is on the line that is not complete.
    current() {
        const list = [];
        this.#flush(list);
        return list;
    }

    #flush(list) {
        const most = mostRuns - this.#runs;
        this.#line.cells.forEach(([char, className]) => add(list, char, list.length < most ? className : ""));
    }

    // Plain text at the beginning of a line stays as it is, up to the last line, which may change.
    #plain(text) {
        const end = this.#line.cells.length > 0 || this.#className || /[\x1b\r\b]/.test(text) ? 0 : text.lastIndexOf("\n") + 1;
        if (end > 0)
            add(this.#settled, text.slice(0, end), "");
        return text.slice(end);
    }

    #write(text) {
        for (const [part, numbers, command] of this.#plain(text).matchAll(token)) {
            if (part === "\n") {
                this.#flush(this.#settled);
                add(this.#settled, "\n", "");
                this.#line = new Line();
            } else if (part === "\r")
                this.#line.column = 0;
            else if (part === "\b")
                this.#line.column = Math.max(0, this.#line.column - 1);
            else if (command === "m")
                this.#className = classes(this.#style = styled(this.#style, numbers.split(";").map(Number)));
            else if (command === "K" && this.#erased < mostErased) {
                this.#erased += this.#line.cells.length;
                this.#line.erase(Number(numbers));
            } else if (!part.startsWith("\x1b"))
                this.#line.write(part, this.#className);
        }
    }
}

// Of a whole text.
export function runs(text) {
    if (!/[\x1b\r\b]/.test(text))
        return [{ text, className: "" }];
    const terminal = new Terminal();
    terminal.write(text);
    const list = terminal.take();
    terminal.current().forEach(({ text: part, className }) => add(list, part, className));
    return list;
}
