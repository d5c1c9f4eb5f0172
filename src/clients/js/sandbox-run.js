// A client of sandbox-serve, which runs untrusted Python. For Node 18 and newer, and for browsers; it needs fetch alone.
//
//     import { Client } from "sandbox-run";
//     const result = await new Client("http://localhost:8000").run("print(sum(range(10)))");
//
// Names are those of the service's API: sandbox-api(7); types and comments are in sandbox-run.d.ts. What a job prints,
// displays or writes is untrusted: never set it as HTML of your own page.

export class SandboxError extends Error {
    constructor(message, options) {
        super(message, options);
        this.name = new.target.name;
    }
}

export class Unreachable extends SandboxError {}

export class Refused extends SandboxError {
    constructor(message, { status, field = null, retryAfter = null }) {
        super(message);
        Object.assign(this, { status, field, retryAfter });
    }
}

export class Busy extends Refused {}

export class JobFailed extends SandboxError {
    constructor(result) {
        super(result.error ?? result.verdict);
        this.result = result;
    }
}

// ── Bytes ────────────────────────────────────────────────────────────────────────────────────────

function toBase64(bytes) {
    let text = "";
    for (let at = 0; at < bytes.length; at += 0x8000) // not all at once: arguments of a call are limited
        text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
    return btoa(text);
}

const fromBase64 = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));

// What stands in a request for text or bytes.
async function content(name, value) {
    if (typeof value === "string")
        return value;
    if (value instanceof ResultFile)
        return { base64: toBase64(value.bytes) };
    if (value instanceof ArrayBuffer)
        return { base64: toBase64(new Uint8Array(value)) };
    if (ArrayBuffer.isView(value))
        return { base64: toBase64(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)) };
    if (typeof Blob !== "undefined" && value instanceof Blob)
        return { base64: toBase64(new Uint8Array(await value.arrayBuffer())) };
    throw new TypeError(`${name} is ${value === null ? "null" : typeof value}; give a string, bytes, a Blob or a file of a result`);
}

// ── What comes back ──────────────────────────────────────────────────────────────────────────────

export class ResultFile {
    constructor(path, { type = "application/octet-stream", text, base64 }) {
        this.path = path;
        this.type = type;
        this.bytes = base64 === undefined ? new TextEncoder().encode(text) : fromBase64(base64);
        this.size = this.bytes.length;
    }

    get text() {
        return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.bytes);
    }
}

export class Result {
    constructor(answer) {
        const { status, verdict, output, error = null, stdout, stderr, truncated, exit_code, signal, result, usage, enforcement,
            denied = null, id, files = {}, files_left_out = [], display = [],
            displays_left_out = 0, cases = [], passed = null, correct = null, name = null, output_left_out = false } = answer;
        // A path may be called __proto__: fromEntries makes an own property of it.
        const made = Object.fromEntries(Object.entries(files).map(([path, file]) => [path, new ResultFile(path, file)]));
        Object.assign(this, { status, verdict, output, error, stdout, stderr, truncated, exit_code, signal, result, usage,
            enforcement, denied, id, files: made, files_left_out, display, displays_left_out,
            cases: cases.map((each) => new Result(each)), passed, correct, name, output_left_out });
        Object.defineProperty(this, "raw", { value: answer });
    }

    get ok() {
        return this.status === "success";
    }

    check() {
        if (!this.ok)
            throw new JobFailed(this);
        return this;
    }
}

export class Job {
    constructor(given) {
        const { id, state, policy = null, created = null, started = null, ended = null, tries = 0, position = 0,
            reason = null, status = null, answer = null } = given;
        Object.assign(this, { id, state, policy, created, started, ended, tries, position, reason, status,
            result: answer ? new Result(answer) : null });
        Object.defineProperty(this, "raw", { value: given });
    }

    get over() {
        return this.state !== "queued" && this.state !== "running";
    }

    static async ofCallback(headers, body, secret, { maxAge = 300 } = {}) {
        const pairs = headers instanceof Headers ? [...headers] : Object.entries(headers);
        const given = new Map(pairs.map(([name, value]) => [name.toLowerCase(), String(value)]));
        const found = /^t=(\d{1,15}),v1=([0-9a-f]{64})$/.exec(given.get("x-sandbox-signature") ?? "");
        if (!found)
            throw new SandboxError("this is no callback: it has no header X-Sandbox-Signature");
        const utf8 = new TextEncoder();
        const bytes = typeof body === "string" ? utf8.encode(body) : new Uint8Array(body);
        const head = utf8.encode(`${found[1]}.${given.get("x-sandbox-job") ?? ""}.`);
        const signed = new Uint8Array(head.length + bytes.length);
        signed.set(head);
        signed.set(bytes, head.length);
        const subtle = globalThis.crypto?.subtle ?? (await import("node:crypto")).webcrypto.subtle; // Node 18 has no global one
        const algorithm = { name: "HMAC", hash: "SHA-256" };
        const key = await subtle.importKey("raw", utf8.encode(secret), algorithm, false, ["verify"]);
        const digest = new Uint8Array(found[2].match(/../g).map((byte) => parseInt(byte, 16)));
        if (!await subtle.verify("HMAC", key, digest, signed))
            throw new SandboxError("a callback was signed with another secret, or changed on its way");
        if (Math.abs(Date.now() / 1000 - Number(found[1])) > maxAge)
            throw new SandboxError(`a callback was signed more than ${maxAge} s ago: it may be one that was recorded`);
        return new Job(JSON.parse(new TextDecoder().decode(bytes)));
    }
}

// ── Requests and answers ─────────────────────────────────────────────────────────────────────────

// The fields of a request. What is not one of them is a mistake.
const fields = new Set(["code", "module", "files", "name", "stdin", "args", "env", "policy", "timeout", "limits", "call",
    "merge_stderr", "base64", "collect", "notebook", "cases", "stop"]);
const jobFields = new Set([...fields, "callback"]);

async function request(code, { signal, ...options }, known = fields) {
    const asked = {};
    for (const [name, value] of Object.entries({ code, ...options })) {
        if (!known.has(name))
            throw new TypeError(`there is no option ${name}; the options are signal, ${[...known].join(", ")}`);
        if (value !== undefined && value !== null)
            asked[name] = value;
    }
    for (const name of ["code", "stdin"]) {
        if (name in asked)
            asked[name] = await content(name, asked[name]);
    }
    if (asked.files)
        asked.files = await filesOf("files", asked.files);
    if (asked.cases)
        asked.cases = await Promise.all([...asked.cases].map((one, index) => caseOf(`cases[${index}]`, one)));
    return JSON.stringify(asked);
}

async function filesOf(name, files) {
    const entries = Object.entries(files)
        .map(async ([path, value]) => [path, await content(`${name}[${JSON.stringify(path)}]`, value)]);
    return Object.fromEntries(await Promise.all(entries));
}

async function caseOf(name, { ...asked }) {
    if (asked.stdin !== undefined && asked.stdin !== null)
        asked.stdin = await content(`${name}.stdin`, asked.stdin);
    if (asked.files)
        asked.files = await filesOf(`${name}.files`, asked.files);
    const { stdout } = asked.expected ?? {};
    if (stdout !== undefined && stdout !== null)
        asked.expected = { ...asked.expected, stdout: await content(`${name}.expected.stdout`, stdout) };
    return asked;
}

const isAbort = (error, signal) => error?.name === "AbortError" || error?.name === "TimeoutError" || signal?.aborted;

async function read(response, origin, signal) {
    let text, answer = null;
    try {
        text = await response.text();
    } catch (error) {
        throw isAbort(error, signal) ? error : unreachable(origin, error);
    }
    try {
        answer = JSON.parse(text);
    } catch {
        // For example the page of a proxy: the status tells the kind of error.
    }
    if (answer !== null && typeof answer === "object" && (response.status === 200 || response.status === 202 || "verdict" in answer))
        return answer;
    const said = answer?.error ?? `the service answered with HTTP status ${response.status} and no sentence`;
    const after = response.headers.get("Retry-After");
    const kind = response.status === 429 || response.status === 503 ? Busy : Refused;
    throw new kind(said, { status: response.status, field: answer?.field ?? null,
        retryAfter: /^\d+$/.test(after ?? "") ? Number(after) : null });
}

const unreachable = (origin, error) =>
    new Unreachable(`no answer from ${origin}: ${error.cause?.message || error.message}; does sandbox-serve run there?`, { cause: error });

// The lines of a stream of bytes, without their ends. A last line without an end is left out.
async function* linesOf(stream) {
    const reader = stream.getReader();
    const decoder = new TextDecoder();
    let parts = []; // of the line that has not ended yet
    try {
        for (let part = await reader.read(); !part.done; part = await reader.read()) {
            const [first, ...more] = decoder.decode(part.value, { stream: true }).split("\n");
            parts.push(first);
            for (const next of more) {
                yield parts.join("").replace(/\r$/, "");
                parts = [next];
            }
        }
    } finally {
        await reader.cancel().catch(() => {}); // whoever stops reading leaves: the service then ends the job
    }
}

// The events of text/event-stream. A job can't forge one: what it prints is inside the JSON of `data`.
async function* eventsOf(stream) {
    let event = "", data = [];
    for await (const line of linesOf(stream)) {
        if (line === "") {
            if (data.length > 0)
                yield { event, data: JSON.parse(data.join("\n")) };
            event = "";
            data = [];
            continue;
        }
        const [, key, value] = /^([^:]*):? ?(.*)$/s.exec(line);
        if (key === "event")
            event = value;
        else if (key === "data")
            data.push(value);
    }
}

function addWhatIsMeant({ event, data }) {
    if (event === "verdict" || event === "case")
        return { event, data, result: new Result(data) };
    if (event !== "stdout" && event !== "stderr")
        return { event, data };
    const bytes = "base64" in data ? fromBase64(data.base64) : null;
    return { event, data, text: bytes ? new TextDecoder().decode(bytes) : data.text };
}

// ── The client ───────────────────────────────────────────────────────────────────────────────────

// Unique is enough: a key is one client's own. Node 18 has no global crypto.
const randomByte = () => globalThis.crypto?.getRandomValues(new Uint8Array(1))[0] ?? Math.floor(Math.random() * 256);
const randomKey = () => Array.from({ length: 16 }, () => randomByte().toString(16).padStart(2, "0")).join("");

const sleep = (seconds, signal) => new Promise((resolve, reject) => {
    const leave = () => {
        clearTimeout(timer);
        reject(signal.reason);
    };
    const timer = setTimeout(() => {
        signal?.removeEventListener("abort", leave);
        resolve();
    }, seconds * 1000);
    signal?.addEventListener("abort", leave, { once: true });
});

export class Client {
    #token;

    constructor(url = "http://localhost:8000", { token = null, retries = 0 } = {}) {
        const base = typeof location === "undefined" ? undefined : location.href;
        this.url = new URL(url, base).href.replace(/\/+$/, "");
        if (!/^https?:/.test(this.url))
            throw new TypeError(`url is ${JSON.stringify(url)}; give http://HOST:PORT or https://HOST:PORT`);
        this.retries = retries;
        this.#token = token;
    }

    async run(code, options = {}) {
        const body = await request(code, options);
        const answer = await this.#again(options.signal, async () =>
            read(await this.#ask("POST", "/run", { body, signal: options.signal }), this.url, options.signal));
        return new Result(answer);
    }

    async *stream(code, options = {}) {
        const body = await request(code, options);
        const { signal } = options;
        const response = await this.#again(signal, async () => {
            const answer = await this.#ask("POST", "/run", { body, signal, accept: "text/event-stream" });
            const streams = answer.headers.get("Content-Type")?.startsWith("text/event-stream");
            // A service that does not stream answers as it does to run(): that is the verdict.
            return streams ? answer : { verdict: await read(answer, this.url, signal) };
        });
        if (response.verdict)
            return yield addWhatIsMeant({ event: "verdict", data: response.verdict });
        yield* this.#events(response, signal);
    }

    async *#events(response, signal) {
        try {
            for await (const event of eventsOf(response.body)) {
                yield addWhatIsMeant(event);
                if (event.event === "verdict")
                    return;
            }
        } catch (error) {
            throw isAbort(error, signal) ? error : new Unreachable(`the stream broke: ${error.message}; run the job again`, { cause: error });
        }
        throw new Unreachable("the stream ended without a verdict; run the job again");
    }

    async submit(code, { key = randomKey(), ...options } = {}) {
        const body = await request(code, options, jobFields);
        const { signal } = options;
        return new Job(await this.#again(signal, async () =>
            read(await this.#ask("POST", "/jobs", { body, signal, more: { "Idempotency-Key": key } }), this.url, signal)));
    }

    async job(id, { wait = 0, signal } = {}) {
        return new Job(await this.#get(`/jobs/${encodeURIComponent(id)}?wait=${wait}`, { signal }));
    }

    async wait(id, { signal } = {}) {
        for (;;) {
            const job = await this.job(id, { wait: 30, signal });
            if (job.over)
                return job;
        }
    }

    async jobs(options = {}) {
        return (await this.#get("/jobs", options)).jobs.map((each) => new Job(each));
    }

    async *events(id, { signal } = {}) {
        const path = `/jobs/${encodeURIComponent(id)}/events`;
        const response = await this.#again(signal, async () => {
            const answer = await this.#ask("GET", path, { signal, accept: "text/event-stream" });
            if (answer.status !== 200)
                await read(answer, this.url, signal);
            return answer;
        });
        yield* this.#events(response, signal);
    }

    async cancel(id, { signal } = {}) {
        const response = await this.#ask("DELETE", `/jobs/${encodeURIComponent(id)}`, { signal });
        if (response.status !== 204)
            await read(response, this.url, signal);
    }

    async policies(options = {}) {
        return (await this.#get("/policies", options)).policies;
    }

    async version(options = {}) {
        return (await this.#get("/version", options)).version;
    }

    async health({ signal } = {}) {
        const response = await this.#ask("GET", "/health", { signal });
        await response.arrayBuffer();
        return response.status === 200;
    }

    async #get(path, { signal }) {
        return this.#again(signal, async () => read(await this.#ask("GET", path, { signal }), this.url, signal));
    }

    async #ask(method, path, { body, signal, accept = "application/json", more = {} }) {
        const headers = { Accept: accept, ...more };
        if (body !== undefined)
            headers["Content-Type"] = "application/json";
        if (this.#token)
            headers.Authorization = `Bearer ${this.#token}`;
        try {
            // Redirects are not followed: the token is for this service.
            return await fetch(this.url + path, { method, headers, body, signal, redirect: "error", credentials: "omit", cache: "no-store" });
        } catch (error) {
            throw isAbort(error, signal) ? error : unreachable(this.url, error);
        }
    }

    async #again(signal, once) {
        for (let left = this.retries; ; left--) {
            try {
                return await once();
            } catch (error) {
                if (!(error instanceof Busy) || left <= 0)
                    throw error;
                await sleep(error.retryAfter ?? 1, signal);
            }
        }
    }
}
