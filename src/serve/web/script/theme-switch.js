// The switch for light and dark. Choosing the system's own setting follows the system again.
import { keep } from "./store.js";

const system = matchMedia("(prefers-color-scheme: dark)");

export function themeSwitch(button) {
    const root = document.documentElement;
    const show = () => button.setAttribute("aria-pressed", String(root.dataset.theme === "dark"));
    button.addEventListener("click", () => {
        const next = root.dataset.theme === "dark" ? "light" : "dark";
        keep("localStorage", "theme", (next === "dark") === system.matches ? null : next);
        document.dispatchEvent(new Event("themechosen"));
    });
    document.addEventListener("themechange", show);
    show();
}
