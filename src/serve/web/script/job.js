// A job as the page keeps it (in its fields, the history, links, the draft), and as a request.
import { toArguments, toVariables } from "./arguments.js";

export const fields = ["code", "stdin", "args", "env", "policy", "call"];

const text = (value) => (typeof value === "string" ? value : "");

// Of anything that was stored or came in a link: each field is text.
export const asJob = (given) => Object.fromEntries(fields.map((name) => [name, text(given?.[name])]));

export const sameJob = (one, other, names = fields) => names.every((name) => text(one?.[name]) === text(other?.[name]));

export function toRequest(job) {
    const request = { code: job.code, stdin: job.stdin, policy: job.policy };
    const args = toArguments(text(job.args)), env = toVariables(text(job.env));
    if (args.length > 0)
        request.args = args;
    if (Object.keys(env).length > 0)
        request.env = env;
    if (job.call)
        request.call = job.call;
    return request;
}
