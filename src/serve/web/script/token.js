// The bearer token. The page asks for it when the service answers 401, and keeps it in this tab's session.
import { byId } from "./dom.js";
import { keep, kept } from "./store.js";

let current = kept("sessionStorage", "token");
let waiting = [];

export const token = () => current;

// Shows the box. Resolves once a token has been given. `sentence`: the service's error.
export function askToken(sentence) {
    byId("token-box").hidden = false;
    byId("token-error").textContent = current ? sentence : "";
    byId("token").focus();
    return new Promise((resolve) => waiting.push(resolve));
}

const showButton = () => {
    byId("token-change").hidden = !current;
};

// `onChange`: called when a visitor has given another token without having been asked for one.
export function tokenBox(onChange) {
    showButton();
    byId("token-change").addEventListener("click", () => {
        byId("token-error").textContent = "";
        byId("token-box").hidden = false;
        byId("token").focus();
    });
    byId("token-box").addEventListener("submit", (event) => {
        event.preventDefault();
        current = byId("token").value.trim();
        if (!current)
            return;
        keep("sessionStorage", "token", current);
        byId("token").value = "";
        byId("token-box").hidden = true;
        showButton();
        const asked = waiting.splice(0);
        asked.forEach((resolve) => resolve());
        if (asked.length === 0)
            onChange();
    });
}
