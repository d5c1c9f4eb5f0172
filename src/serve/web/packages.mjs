// The npm packages of package-lock.json: installed once for each state of it, below the user's cache
// directory, so that nothing is written to the source tree, and a second build needs no network.
// `node packages.mjs` installs them if they are not there and prints the directory.
import { createHash } from "node:crypto";
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const inputs = ["package.json", "package-lock.json", ".npmrc"];

export function packagesDirectory() {
    const hash = createHash("sha256");
    for (const name of inputs)
        hash.update(readFileSync(join(here, name)));
    const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "sandbox-run");
    const directory = join(cache, `npm-${hash.digest("hex").slice(0, 16)}`);
    if (!existsSync(directory))
        install(cache, directory);
    return directory;
}

// Installs into a directory of its own first: two builds at a time, or an interrupted one, do no harm.
function install(cache, directory) {
    mkdirSync(cache, { recursive: true });
    const temporary = mkdtempSync(`${directory}.`);
    try {
        for (const name of inputs)
            copyFileSync(join(here, name), join(temporary, name));
        const npm = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"],
            { cwd: temporary, stdio: ["ignore", "ignore", "inherit"] });
        if (npm.status !== 0)
            throw new Error("npm could not install the web page's packages: see its message above; " +
                "without a network, build with -Dweb=disabled");
        if (!existsSync(directory))
            renameSync(temporary, directory);
    } finally {
        rmSync(temporary, { recursive: true, force: true });
    }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    try {
        console.log(packagesDirectory());
    } catch (error) {
        console.error(error.message);
        process.exitCode = 1;
    }
}
