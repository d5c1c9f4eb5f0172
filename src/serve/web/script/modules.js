// Which modules code can import: those that the policy has ready, and, when a visitor asks, all that are installed. A small
// job says which these are, so that it is true for the chosen policy.
import code from "./modules.py";
import { byId, element } from "./dom.js";
import { ask } from "./service.js";

const names = (list) => list.flatMap((name, at) => [at > 0 ? ", " : "", element("code", {}, name)]);

const readySentence = (ready) => (ready.length > 0
    ? ["Imported already, so that they take no time: ", ...names(ready), "."] : ["This policy imports none beforehand."]);

const all = ({ python, modules }) => {
    const found = Object.entries(modules);
    const sentence = `Python ${python} with its standard library${found.length > 0 ? ", and:" : "; nothing else is installed."}`;
    return [element("p", {}, sentence), element("ul", { className: "modules" }, ...found.map(([name, version]) =>
        element("li", {}, element("code", {}, name), version ? ` ${version}` : null)))];
};

async function installed(policy) {
    const answer = await ask("/run", {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ code, policy }),
    });
    if (answer.verdict !== "ok")
        throw new Error(`The modules could not be listed under this policy: ${answer.error || answer.verdict}`);
    return JSON.parse(answer.stdout);
}

export class Modules {
    #policy = null;
    #known = new Map(); // by policy

    constructor() {
        byId("modules").addEventListener("toggle", () => this.#list());
    }

    // `policy`: of GET /policies.
    show(policy) {
        this.#policy = policy;
        byId("modules-ready").replaceChildren(...readySentence(policy.preload ?? []));
        byId("modules-all").replaceChildren();
        this.#list();
    }

    async #list() {
        const { name } = this.#policy ?? {};
        if (!byId("modules").open || !name)
            return;
        byId("modules-all").replaceChildren(element("p", { className: "hint" }, "Asking which modules are installed …"));
        let shown;
        try {
            if (!this.#known.has(name))
                this.#known.set(name, await installed(name));
            shown = all(this.#known.get(name));
        } catch (error) {
            shown = [element("p", { className: "field-error" }, error.message)];
        }
        if (this.#policy.name === name)
            byId("modules-all").replaceChildren(...shown);
    }
}
