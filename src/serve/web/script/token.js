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

export function tokenBox() {
    byId("token-box").addEventListener("submit", (event) => {
        event.preventDefault();
        current = byId("token").value.trim();
        if (!current)
            return;
        keep("sessionStorage", "token", current);
        byId("token").value = "";
        byId("token-box").hidden = true;
        for (const resolve of waiting.splice(0))
            resolve();
    });
}
