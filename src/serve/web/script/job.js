// A job as the page keeps it (in its fields, the history, links, the draft), and as a request.
import { toArguments, toVariables } from "./arguments.js";
import { asFiles, light, sameFiles } from "./files.js";
import { askedLimits, limitNames } from "./limits.js";

// "notebook" and "collect" are "on", "off" or "", the page's own choice.
const texts = ["code", "stdin", "args", "env", "policy", "call", "notebook", "collect", ...limitNames];
export const fields = [...texts, "files"];

const text = (value) => (typeof value === "string" ? value : "");

// Of anything that was stored or came in a link: each field is text, except for the files.
export const asJob = (given) =>
    Object.fromEntries([...texts.map((name) => [name, text(given?.[name])]), ["files", asFiles(given?.files)]]);

export const sameJob = (one, other, names = fields) => names.every((name) =>
    (name === "files" ? sameFiles(one?.files, other?.files) : text(one?.[name]) === text(other?.[name])));

// With no more than the names of its files where they have more than `most` characters.
export const lightJob = (job, most) => ({ ...job, files: light(job.files, most) });

// `writable`: whether the job's policy lets it write files.
export function toRequest(job, writable) {
    const request = { code: job.code, stdin: job.stdin, policy: job.policy };
    const args = toArguments(text(job.args)), env = toVariables(text(job.env));
    if (args.length > 0)
        request.args = args;
    if (Object.keys(env).length > 0)
        request.env = env;
    if (Object.keys(askedLimits(job)).length > 0)
        request.limits = askedLimits(job);
    if (job.call)
        request.call = job.call;
    if (Object.keys(job.files ?? {}).length > 0)
        request.files = job.files;
    if (job.notebook === "on")
        request.notebook = true;
    if (job.collect !== "off" && writable)
        request.collect = true;
    return request;
}
