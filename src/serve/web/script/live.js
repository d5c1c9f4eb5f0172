// The output of a job that runs, shown as it comes. `parts` and `errors` keep it for when the job has ended.
import { element } from "./dom.js";
import { fromBase64 } from "./files.js";
import { frame } from "./output.js";
import { Terminal } from "./terminal.js";

const text = (data) => data.text ?? new TextDecoder().decode(fromBase64(data.base64));

const spans = (runs) => runs.map(({ text: part, className }) => (className ? element("span", { className }, part) : part));

// A block of text that grows. It follows its end unless somebody has scrolled up.
class Block {
    constructor(id) {
        this.terminal = new Terminal();
        this.current = element("span");
        this.lines = element("span", { className: "lines" }, this.current);
        this.node = frame(id, this.lines);
    }

    paint() {
        const { scrollHeight, scrollTop, clientHeight } = this.node;
        this.current.before(...spans(this.terminal.take()));
        this.current.replaceChildren(...spans(this.terminal.current()));
        if (scrollHeight - scrollTop - clientHeight < 24)
            this.node.scrollTop = this.node.scrollHeight;
    }
}

export class Live {
    parts = []; // of standard output: texts, and nodes of displays
    displays = 0;
    errors = "";
    #sections = {};
    #blocks = {};
    #changed = new Set();
    #timer = 0;
    #pause = 16; // milliseconds

    constructor(place) {
        this.place = place;
    }

    stdout(data) {
        const written = text(data);
        if (typeof this.parts.at(-1) !== "string") {
            this.parts.push("");
            delete this.#blocks.stdout;
        }
        this.parts[this.parts.length - 1] += written;
        this.#write("stdout", "Output", written);
    }

    stderr(data) {
        const written = text(data);
        this.errors += written;
        this.#write("stderr", "Errors", written);
    }

    display(node) {
        this.parts.push(node);
        this.displays++;
        this.#section("stdout", "Output").append(node);
    }

    // Nothing is painted any more. How far down its blocks have been scrolled.
    end() {
        clearTimeout(this.#timer);
        this.#timer = -1;
        return Object.fromEntries(Object.entries(this.#blocks).map(([name, { node }]) => [name, node.scrollTop]));
    }

    #section(name, title) {
        if (!this.#sections[name]) {
            const blocks = element("div", { className: "blocks" });
            this.#sections[name] = blocks;
            this.place.append(element("div", { className: `stream ${name}` },
                element("div", { className: "stream-head" }, element("h3", { id: `stream-${name}` }, title)), blocks));
        }
        return this.#sections[name];
    }

    #write(name, title, part) {
        if (!this.#blocks[name]) {
            this.#blocks[name] = new Block(`stream-${name}`);
            this.#section(name, title).append(this.#blocks[name].node);
        }
        this.#blocks[name].terminal.write(part);
        this.#changed.add(this.#blocks[name]);
        this.#timer ||= setTimeout(() => this.#paint(), this.#pause);
    }

    // What takes long to paint is painted less often.
    #paint() {
        const began = performance.now();
        this.#changed.forEach((block) => block.paint());
        this.#changed.clear();
        this.#timer = 0;
        this.#pause = Math.max(16, 5 * (performance.now() - began));
    }
}
