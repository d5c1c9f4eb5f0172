// Asks the service. An answer without a verdict, or none at all, is a ServiceError.
import { readEvents } from "./events.js";
import { token } from "./token.js";

// kind: "token" (401), "busy" (503), "rate" (429), "refused" (the request is at fault), "gone" (404), "none" (501: this
// service does not do that), "absent" (nothing answers), "failed" (anything else). `retryAfter`: seconds, or null. `field`: of the request. `own`: the
// sentence is the service's.
export class ServiceError extends Error {
    constructor(kind, message, { retryAfter = null, field = null, own = false } = {}) {
        super(message);
        Object.assign(this, { kind, retryAfter, field, own });
    }
}

const kinds = { 400: "refused", 401: "token", 403: "refused", 404: "gone", 413: "refused", 422: "refused", 429: "rate",
    501: "none", 503: "busy" };

const sentences = {
    token: "The service requires a token.",
    rate: "You have sent more requests than this service allows.",
    busy: "The service is too busy for another job now.",
    refused: "The service refused the request.",
    failed: "The service answered without a verdict.",
};

function retryAfter(response) {
    const value = response.headers.get("Retry-After");
    if (value === null)
        return null;
    const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
    return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : null;
}

// The verdict of a stream, whose other events go to `onEvent`.
async function streamed(response, onEvent) {
    let answer = null;
    try {
        await readEvents(response.body, (name, data) => {
            if (name === "verdict")
                answer = data;
            else
                onEvent(name, data);
        });
    } catch (error) {
        if (error.name === "AbortError")
            throw error;
    }
    if (!answer)
        throw new ServiceError("absent", "The connection ended before the verdict came. Has sandbox-serve been stopped?");
    return answer;
}

// `onEvent`: null, or called with each event if the answer is a stream.
export async function ask(path, options = {}, onEvent = null) {
    const headers = { ...options.headers };
    if (token())
        headers.Authorization = `Bearer ${token()}`;
    let response, text;
    try {
        response = await fetch(path, { ...options, headers, credentials: "omit", cache: "no-store", redirect: "error" });
        if (onEvent && response.headers.get("Content-Type")?.startsWith("text/event-stream"))
            return await streamed(response, onEvent);
        if (response.status === 204)
            return null;
        text = await response.text();
    } catch (error) {
        if (error.name === "AbortError" || error instanceof ServiceError)
            throw error;
        throw new ServiceError("absent", `No answer from ${location.origin}. Is sandbox-serve still running?`);
    }
    let body = null;
    try {
        body = JSON.parse(text);
    } catch {
        // For example the page of a proxy: the status tells the kind of error.
    }
    if (body === null || (!response.ok && !body.verdict)) {
        const kind = kinds[response.status] ?? "failed";
        const sentence = body?.error || `${sentences[kind]} (HTTP status ${response.status})`;
        throw new ServiceError(kind, sentence, {
            retryAfter: retryAfter(response), field: body?.field || null, own: Boolean(body?.error),
        });
    }
    return body;
}

// Runs a job, by a stream if the service and what is before it can. Aborting `signal` closes the connection, and the
// service then ends the job.
export function run(request, signal, onEvent) {
    return ask("/run", {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "text/event-stream, application/json;q=0.5" },
        body: JSON.stringify(request),
        signal,
    }, onEvent);
}

export const policies = () => ask("/policies");

// The jobs that outlast their connections.
const jobPath = (id, rest = "") => `/jobs/${encodeURIComponent(id)}${rest}`;

export const jobs = async () => (await ask("/jobs")).jobs;
export const job = (id) => ask(jobPath(id));
export const cancelJob = (id) => ask(jobPath(id), { method: "DELETE" });

// The answer of a job that waits or runs, when it has one; `onEvent`: as of run(). Aborting `signal` does not end the job.
export const followJob = (id, signal, onEvent) =>
    ask(jobPath(id, "/events"), { headers: { Accept: "text/event-stream" }, signal }, onEvent);
