// The list of examples.
import { byId, element } from "./dom.js";
import { attacks, uses } from "./examples.js";

export function exampleList(onPick) {
    for (const [id, examples] of [["attacks", attacks], ["uses", uses]]) {
        byId(id).append(...examples.map((example) => {
            const button = element("button", { type: "button", className: "item" },
                element("span", { className: "item-title" }, example.title),
                element("span", { className: "item-text" }, example.sentence));
            button.addEventListener("click", () => onPick(example));
            return element("li", {}, button);
        }));
    }
}

export function markExample(example) {
    for (const button of document.querySelectorAll("#examples .item")) {
        if (button.firstChild.textContent === example?.title)
            button.setAttribute("aria-current", "true");
        else
            button.removeAttribute("aria-current");
    }
}
