// A job's files: { path: content }. A content is text, { base64 }, or { missing: size in bytes } for a file of which the page
// has kept only the name.
const isText = (value) => typeof value === "string";

function asContent(value) {
    if (isText(value))
        return value;
    return isText(value?.base64) ? { base64: value.base64 } : { missing: Number(value?.missing) || 0 };
}

// Of anything that was stored or came in a link. Without a prototype: any path is a name.
export const asFiles = (given) => Object.assign(Object.create(null),
    Object.fromEntries(Object.entries(typeof given === "object" && given ? given : {}).map(([path, value]) => [path, asContent(value)])));

const same = (one, other) => (isText(one) || isText(other) ? one === other
    : one?.base64 === other?.base64 && one?.missing === other?.missing);

export function sameFiles(one, other) {
    const [left, right] = [one ?? {}, other ?? {}];
    const paths = Object.keys(left);
    return paths.length === Object.keys(right).length && paths.every((path) => path in right && same(left[path], right[path]));
}

export const isMissing = (content) => !isText(content) && content.base64 === undefined;

export const missing = (files) => Object.keys(files ?? {}).filter((path) => isMissing(files[path]));

export function sizeOf(content) {
    if (isText(content))
        return new Blob([content]).size;
    if (isMissing(content))
        return content.missing;
    return content.base64.length / 4 * 3 - (/={0,2}$/.exec(content.base64)[0].length);
}

const chars = (content) => (isText(content) ? content : content.base64 ?? "").length;

// The files, or only their names and sizes where they have more than `most` characters.
export function light(files, most) {
    const all = Object.values(files ?? {}).reduce((sum, content) => sum + chars(content), 0);
    return all <= most ? files : Object.fromEntries(Object.entries(files).map(([path, content]) => [path, { missing: sizeOf(content) }]));
}

// Bytes as base64, without a string of each byte on the way.
export const toBase64 = (blob) => new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
});

// Text where the service takes it as text, else base64.
export async function contentOf(blob) {
    try {
        const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await blob.arrayBuffer());
        if (!text.includes("\0"))
            return text;
    } catch (error) {
        if (!(error instanceof TypeError))
            throw error;
    }
    return { base64: await toBase64(blob) };
}

export function fromBase64(text) {
    const chars = atob(text);
    const data = new Uint8Array(chars.length);
    for (let at = 0; at < chars.length; at++)
        data[at] = chars.charCodeAt(at);
    return data;
}
