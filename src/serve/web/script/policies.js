// The menu of policies, and the chosen policy's limits in words.
import { element } from "./dom.js";
import { policies } from "./service.js";
import { bytes, count, cpus, time } from "./units.js";

export class Policies {
    #known = new Map();
    #wanted = ""; // chosen before the policies were known, by a link for example

    // `onShow`: called with the chosen policy, once it is known.
    constructor(select, sentence, onShow) {
        this.select = select;
        this.onShow = onShow;
        this.sentence = sentence;
        select.addEventListener("change", () => this.#show());
    }

    async load() {
        const { policies: list } = await policies();
        this.#known = new Map(list.map((policy) => [policy.name, policy]));
        const wanted = this.#wanted || this.select.value;
        this.#wanted = "";
        this.select.replaceChildren(...list.map(({ name, available, reason }) =>
            element("option", { value: name, disabled: !available, title: reason ?? "" },
                available ? name : `${name} (not available)`)));
        const first = list.find(({ available }) => available);
        this.choose(this.#known.get(wanted)?.available ? wanted : first?.name);
    }

    get name() {
        return this.#wanted || this.select.value;
    }

    // Whether a job can ask for it; undefined stands for any.
    offers(name) {
        return name === undefined || Boolean(this.#known.get(name)?.available);
    }

    // null until the policies are loaded.
    get limits() {
        return this.#known.get(this.name)?.limits ?? null;
    }

    // Whether its jobs may write files; true while that is not known.
    get writable() {
        return this.#known.get(this.name)?.writable ?? true;
    }

    // An unknown or unavailable policy leaves the choice as it is.
    choose(name) {
        if (this.#known.size === 0)
            this.#wanted = name ?? "";
        if ([...this.select.options].some((option) => option.value === name && !option.disabled))
            this.select.value = name;
        this.#show();
    }

    #show() {
        const policy = this.#known.get(this.name);
        this.select.title = policy?.description ?? "";
        if (policy) {
            const { wall_time_ms, memory_bytes, cpus: share, pids, output_bytes } = policy.limits;
            this.sentence.textContent = [time(wall_time_ms), bytes(memory_bytes), cpus(share), `${count(pids)} processes`,
                `${bytes(output_bytes)} of output`, ...(policy.writable ? [] : ["read-only"])].join(" · ");
            this.onShow(policy);
        }
        this.select.dispatchEvent(new Event("limits"));
    }
}
