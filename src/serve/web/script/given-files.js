// The files that the code is given: chosen or dropped anywhere on the page, listed with their sizes.
import { byId, element } from "./dom.js";
import { asFiles, contentOf, isMissing, sizeOf } from "./files.js";
import { bytes } from "./units.js";

const most = 256 * 2 ** 20; // bytes; a larger file is no request's

export class GivenFiles {
    #files = asFiles(null);

    // `onChange`: called when a visitor has added or removed some.
    constructor(onChange) {
        this.onChange = onChange;
        const choose = byId("files-choose");
        byId("files-add").addEventListener("click", () => choose.click());
        choose.addEventListener("change", () => {
            this.#add([...choose.files]);
            choose.value = "";
        });
        this.#takeDrops();
    }

    get files() {
        return this.#files;
    }

    set files(files) {
        this.#files = asFiles(files);
        byId("files-error").textContent = "";
        this.#show();
    }

    // Before the editor sees a drop: it would insert the file as text. A drop that nobody takes would leave the page.
    #takeDrops() {
        const panel = byId("editor-panel");
        const take = (event, over) => {
            if (!event.dataTransfer?.types.includes("Files"))
                return false;
            event.preventDefault();
            event.stopPropagation();
            panel.classList.toggle("dropping", over);
            return true;
        };
        document.addEventListener("dragover", (event) => take(event, true), true);
        document.addEventListener("dragleave", (event) => take(event, event.relatedTarget !== null), true);
        document.addEventListener("drop", (event) => take(event, false) && this.#add([...event.dataTransfer.files]), true);
    }

    async #add(chosen) {
        const failed = [];
        for (const file of chosen) {
            try {
                if (file.size > most)
                    throw new Error(`${bytes(file.size)} are too many`);
                this.#files[file.name] = await contentOf(file);
            } catch {
                failed.push(file.name);
            }
        }
        this.#show();
        byId("files-error").textContent = failed.length > 0
            ? `${failed.join(", ")} can't be read. Choose files, no folders, of ${bytes(most)} at most.` : "";
        const added = chosen.length - failed.length;
        byId("status").textContent = added === 1 ? "One file added." : `${added} files added.`;
        this.onChange();
    }

    #remove(path) {
        delete this.#files[path];
        this.#show();
        byId("files-add").focus();
        byId("status").textContent = `${path} removed.`;
        this.onChange();
    }

    #show() {
        const paths = Object.keys(this.#files);
        byId("files-hint").hidden = paths.length > 0;
        byId("files-list").replaceChildren(...paths.map((path) => this.#item(path, this.#files[path])));
    }

    #item(path, content) {
        const gone = isMissing(content);
        const remove = element("button", { type: "button", className: "quiet tool" }, "Remove",
            element("span", { className: "hidden-text" }, ` ${path}`));
        remove.addEventListener("click", () => this.#remove(path));
        return element("li", { className: gone ? "file gone" : "file" },
            element("span", { className: "file-name code", title: path }, path),
            element("span", { className: "file-size" }, bytes(sizeOf(content)), gone ? " · choose it again" : ""), remove);
    }
}
