// Makes the pages' files: bundles scripts and styles, gives each a name with its hash, and writes
// them as a C table (embed.mjs). usage: node build.mjs OUTPUT.c DEPFILE
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { embed } from "./embed.mjs";
import { licences } from "./licences.mjs";
import { packagesDirectory } from "./packages.mjs";
import { policies } from "./csp.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const [output, depfile] = process.argv.slice(2);
const packages = packagesDirectory();
const modules = join(packages, "node_modules");
const esbuild = createRequire(join(packages, "package.json"))("esbuild");

const pages = { "/": "index.html", "/jobs.html": "jobs.html", "/docs": "docs.html", "/redoc": "redoc.html" };
const bundles = ["script/main.js", "script/jobs.js", "script/theme.js", "script/docs.js", "script/redoc.js",
    "style/page.css", "style/docs.css"];
// Taken as they are: they come bundled and minified.
const verbatim = ["swagger-ui-dist/swagger-ui-bundle.js", "swagger-ui-dist/swagger-ui.css",
    "redoc/bundles/redoc.standalone.js"];
// The one outside address that a page of ours would fetch from: Redoc's logo, which hides itself
// when it can't be loaded.
const outside = { "redoc.standalone.js": ["https://cdn.redoc.ly/redoc/logo-mini.svg", "data:,"] };

const types = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
};
const forever = "public, max-age=31536000, immutable";
const inputs = new Set();

function read(file) {
    inputs.add(file);
    return readFileSync(file);
}

async function bundle() {
    const result = await esbuild.build({
        absWorkingDir: here,
        entryPoints: bundles,
        nodePaths: [modules],
        outdir: join(here, "out"), // names only: nothing is written
        write: false,
        bundle: true,
        minify: true,
        target: ["chrome100", "firefox101", "safari16.4"],
        format: "iife",
        loader: { ".py": "text", ".csv": "text" },
        legalComments: "none",
        metafile: true,
        logLevel: "warning",
    });
    for (const input of Object.keys(result.metafile.inputs))
        inputs.add(join(here, input));
    const files = {};
    for (const file of result.outputFiles)
        files[relative(join(here, "out"), file.path)] = Buffer.from(file.contents);
    return files;
}

function take(name) {
    let text = read(join(modules, name)).toString();
    text = text.replace(/\n?\/[/*]# sourceMappingURL=\S*( \*\/)?\s*$/, "\n");
    const [address, instead] = outside[basename(name)] ?? [];
    if (address) {
        if (text.split(address).length !== 2)
            throw new Error(`${name}: ${address} was expected once: look at what this version fetches`);
        text = text.replace(address, instead);
    }
    return Buffer.from(text);
}

// "script/main.js" → "/assets/main-1a2b3c4d5e.js"
function hashed(name, data) {
    const hash = createHash("sha256").update(data).digest("hex").slice(0, 10);
    const extension = extname(name);
    return `/assets/${basename(name, extension)}-${hash}${extension}`;
}

// Pages name files by their paths here, and the parts that several of them have; an unknown name is an error.
function page(file, paths) {
    return read(join(here, "page", file)).toString().replace(/\{\{([^}]*)\}\}\n?/g, (text, name) => {
        if (name.endsWith(".part.html"))
            return page(name, paths);
        if (!paths[name])
            throw new Error(`page/${file}: nothing is called ${name}`);
        return paths[name] + text.slice(name.length + 4);
    });
}

const files = await bundle();
for (const name of verbatim)
    files[basename(name)] = take(name);
for (const name of ["icon.svg", "display.html"])
    files[name] = read(join(here, "page", name));
files["licences.txt"] = Buffer.from(licences(modules, inputs));

const paths = {};
const assets = [];
for (const [name, data] of Object.entries(files)) {
    paths[name] = hashed(name, data);
    assets.push({ path: paths[name], type: types[extname(name)], csp: policies[name] ?? null, cache: forever, data });
}
for (const [path, file] of Object.entries(pages))
    assets.push({ path, type: types[".html"], csp: policies[path], cache: "no-cache", data: Buffer.from(page(file, paths)) });

embed(assets, output);
for (const name of ["embed.mjs", "licences.mjs", "csp.mjs", "packages.mjs", "package-lock.json"])
    inputs.add(join(here, name));
const escape = (name) => name.replaceAll(" ", "\\ ");
writeFileSync(depfile, `${escape(output)}: ${[...inputs].map(escape).join(" \\\n ")}\n`);
