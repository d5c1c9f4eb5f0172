// What can be done with an output: wrap its lines or not, copy what is shown, save what was written.
import { byId, element } from "./dom.js";
import { keep, kept } from "./store.js";

const say = (sentence) => {
    byId("status").textContent = sentence;
};

// `data`: text or bytes.
export function saveAs(name, data, type) {
    const address = URL.createObjectURL(new Blob([data], { type }));
    element("a", { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
    say(`Saved as ${name}.`);
}

// Where the clipboard can't be used (plain HTTP), the text is selected.
async function copy(shown) {
    try {
        await navigator.clipboard.writeText(shown.textContent);
        say("Copied.");
    } catch {
        getSelection().selectAllChildren(shown);
        say("The text is selected: copy it.");
    }
}

// One choice for all outputs, and for the next visit.
const showWrap = () => {
    const off = kept("localStorage", "wrap") === "off";
    byId("result").classList.toggle("unwrapped", off);
    for (const button of document.querySelectorAll("button.wrap"))
        button.setAttribute("aria-pressed", String(!off));
};

export function outputTools({ title, name, text, shown }) {
    const button = (label, hint, className, onClick) => {
        const made = element("button", { type: "button", className: `quiet tool ${className}`, title: hint }, label,
            element("span", { className: "hidden-text" }, ` ${title}`));
        made.addEventListener("click", onClick);
        return made;
    };
    const wrap = button("Wrap", "Break long lines", "wrap", () => {
        keep("localStorage", "wrap", kept("localStorage", "wrap") === "off" ? null : "off");
        showWrap();
    });
    wrap.setAttribute("aria-pressed", String(kept("localStorage", "wrap") !== "off"));
    queueMicrotask(showWrap);
    return element("div", { className: "tools" }, wrap, button("Copy", "Copy what is shown", "copy", () => copy(shown)),
        button("Save", "Save what was written", "save", () => saveAs(`${name}.txt`, text, "text/plain")));
}
