// A job as a command or a program that does the same.
import { toRequest } from "./job.js";

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

// The request without what is empty.
const asked = (job) => Object.fromEntries(Object.entries(toRequest(job)).filter(([, value]) => value !== ""));

// `token`: whether the service wants one; the token itself never stands there.
export function asCurl(job, origin, token) {
    const header = token ? ` \\\n  -H "Authorization: Bearer $TOKEN"` : "";
    return `curl -s ${origin}/run -H 'Content-Type: application/json'${header} \\\n  --data-binary ${quoted(JSON.stringify(asked(job)))}\n`;
}

// JSON's strings are Python's, too.
export function asPython(job, origin, token) {
    const { code, ...others } = asked(job);
    const given = Object.entries(others).map(([name, value]) => `,\n                    ${name}=${JSON.stringify(value)}`).join("");
    const secret = token ? ', token=os.environ["TOKEN"]' : "";
    return `${token ? "import os\n" : ""}from sandbox_run import Client  # pip install ./src/clients/python\n\n`
        + `client = Client(${JSON.stringify(origin)}${secret})\n`
        + `result = client.run(${JSON.stringify(code ?? "")}${given})\nprint(result.verdict)\nprint(result.stdout)\n`;
}
