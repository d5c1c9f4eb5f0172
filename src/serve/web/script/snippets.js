// A job as a command or a program that does the same.
import { missing } from "./files.js";

const mostChars = 20_000; // of files that stand in the text; larger ones are read from the disk

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

// The request without what is empty; its files apart if they are to be read.
function asked(request) {
    const { files, ...others } = Object.fromEntries(Object.entries(request).filter(([, value]) => value !== ""));
    const read = files && (missing(files).length > 0 || JSON.stringify(files).length > mostChars);
    return { files, read, others };
}

const part = (path) => {
    const name = `"${path.replace(/["\\]/g, "\\$&")}"`;
    return ` \\\n  -F ${quoted(`file=@${name};filename=${name}`)}`;
};

// `token`: whether the service wants one; the token itself never stands there.
export function asCurl(given, origin, token) {
    const { files, read, others } = asked(given);
    const header = token ? ` \\\n  -H "Authorization: Bearer $TOKEN"` : "";
    if (read)
        return `curl -s ${origin}/run${header} \\\n  --form-string ${quoted(`request=${JSON.stringify(others)}`)}`
            + `${Object.keys(files).map(part).join("")}\n`;
    const request = JSON.stringify(files ? { ...others, files } : others);
    return `curl -s ${origin}/run -H 'Content-Type: application/json'${header} \\\n  --data-binary ${quoted(request)}\n`;
}

// JSON's strings are Python's, too.
const literal = (value) => (value === true ? "True" : JSON.stringify(value));

const contentLiteral = (path, content, read) => {
    if (read)
        return `pathlib.Path(${literal(path)})`;
    return typeof content === "string" ? literal(content) : `base64.b64decode(${literal(content.base64)})`;
};

export function asPython(request, origin, token) {
    const { files, read, others: { code, ...others } } = asked(request);
    const given = Object.entries(others).map(([name, value]) => [name, literal(value)]);
    if (files)
        given.push(["files", `{${Object.entries(files).map(([path, content]) =>
            `${literal(path)}: ${contentLiteral(path, content, read)}`).join(",\n                           ")}}`]);
    const words = given.map(([name, value]) => `,\n                    ${name}=${value}`).join("");
    const modules = ["base64", "os", "pathlib"].filter((name) => words.includes(`${name}.`) || (name === "os" && token));
    return `${modules.map((name) => `import ${name}\n`).join("")}from sandbox_run import Client  # pip install ./src/clients/python\n\n`
        + `client = Client(${literal(origin)}${token ? ', token=os.environ["TOKEN"]' : ""})\n`
        + `result = client.run(${literal(code ?? "")}${words})\nprint(result.verdict)\nprint(result.stdout)\n`;
}
