// Writes files as the C table of ../asset.h. The assembler includes the bytes as they are (.incbin):
// the compiler would need seconds for megabytes of C arrays.
import { createHash } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { gzipSync } from "node:zlib";

const quote = (text) => (text === null ? "NULL" : JSON.stringify(text));

export function embed(assets, output) {
    const directory = join(dirname(resolve(output)), "embedded");
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true });

    const blocks = [];
    const rows = [];
    const blob = (symbol, data) => {
        const file = join(directory, symbol);
        writeFileSync(file, data);
        blocks.push(`BYTES(${symbol}, ${quote(file)})`);
        return [symbol, data.length];
    };
    // In the order of strcmp, for the binary search of asset_find.
    assets.sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
    assets.forEach(({ path, type, csp, cache, data }, index) => {
        const etag = `"${createHash("sha256").update(data).digest("hex").slice(0, 20)}"`;
        const packed = gzipSync(data, { level: 9 });
        const plain = blob(`asset_${index}`, data);
        const gzip = packed.length < data.length * 0.95 ? blob(`asset_${index}_gzip`, packed) : ["NULL", 0];
        rows.push(`    {${[...[path, type, etag, csp, cache].map(quote), ...plain, ...gzip].join(",\n     ")}},`);
    });
    writeFileSync(output, `/* Written by web/embed.mjs. */
#include "serve/web/asset.h"

#define BYTES(name, file)                                                                          \\
    __asm__(".pushsection .rodata\\n.balign 16\\n.globl " #name "\\n.hidden " #name "\\n" #name         \\
            ":\\n.incbin \\"" file "\\"\\n.byte 0\\n.popsection");                                       \\
    extern const unsigned char name[] __attribute__((visibility("hidden")));

${blocks.join("\n")}

const struct asset assets[] = {
${rows.join("\n")}
};
const size_t assets_count = sizeof(assets) / sizeof(assets[0]);
`);
}
