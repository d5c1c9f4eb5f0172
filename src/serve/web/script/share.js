// A link that carries the code, in its fragment: browsers don't send that part to any server.
// "#z=" has raw deflate, "#j=" plain text; both are base64url of JSON.
import { asJob, lightJob } from "./job.js";

const most = 2_000_000;
const mostFileChars = 65_536; // larger files are not in the link, only their names

const toBase64 = (data) => btoa(data.reduce((text, byte) => text + String.fromCharCode(byte), ""))
    .replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

const fromBase64 = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));

// Reads a stream, at most `most` bytes of it: a short link may unpack to gigabytes.
async function collect(stream) {
    const reader = stream.getReader();
    const chunks = [];
    let size = 0;
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
        size += part.value.length;
        if (size > most) {
            await reader.cancel();
            throw new Error("the link holds too much");
        }
        chunks.push(part.value);
    }
    return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

const through = (data, stream) => collect(new Blob([data]).stream().pipeThrough(stream));

export async function toFragment(job) {
    const data = new TextEncoder().encode(JSON.stringify(lightJob(job, mostFileChars)));
    if (!window.CompressionStream)
        return `#j=${toBase64(data)}`;
    return `#z=${toBase64(await through(data, new CompressionStream("deflate-raw")))}`;
}

// The job that a link carries, null when it carries none. Throws when it can't be read.
export async function fromFragment(fragment) {
    const match = /^#([zj])=([\w-]+)$/.exec(fragment);
    if (!match)
        return null;
    let data = fromBase64(match[2]);
    if (match[1] === "z")
        data = await through(data, new DecompressionStream("deflate-raw"));
    const job = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(data));
    return asJob(job);
}
