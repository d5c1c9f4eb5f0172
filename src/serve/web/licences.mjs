// The licences of the packages whose code is in the program, as one text, as the licences require.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

function licenceFiles(directory) {
    const names = readdirSync(directory, { recursive: false });
    return names.filter((name) => /^(licen[cs]e|notice)|\.licen[cs]e\.txt$/i.test(name)).map((name) => join(directory, name));
}

// `inputs`: the files that the program has code of. A bundle that a package brings names its own parts' licences in
// a text of its own beside it.
export function licences(modules, inputs) {
    const packages = new Set();
    for (const file of inputs) {
        const match = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file);
        if (match)
            packages.add(match[1]);
    }
    const parts = [];
    for (const name of [...packages].sort()) {
        const directory = join(modules, name);
        const { version, license } = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
        const texts = licenceFiles(directory);
        if (existsSync(join(directory, "bundles")))
            texts.push(...licenceFiles(join(directory, "bundles")).filter((file) => /standalone/.test(file)));
        parts.push(`${name} ${version} (${license})\n\n${texts.map((file) => readFileSync(file, "utf8").trim()).join("\n\n")}\n`);
    }
    return parts.join(`\n${"─".repeat(80)}\n\n`);
}
