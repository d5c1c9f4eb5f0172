// Light or dark, before the page is first painted: the visitor's choice, else the system's.
import { kept } from "./store.js";

const dark = matchMedia("(prefers-color-scheme: dark)");

function apply() {
    document.documentElement.dataset.theme = kept("localStorage", "theme") ?? (dark.matches ? "dark" : "light");
    document.dispatchEvent(new Event("themechange"));
}

dark.addEventListener("change", apply);
document.addEventListener("themechosen", apply);
apply();
