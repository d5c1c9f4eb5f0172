// Numbers as people read them.
const short = (number) => (number < 10 ? number.toFixed(1).replace(/\.0$/, "") : Math.round(number).toString());

export function time(ms) {
    if (ms === null || ms === undefined)
        return "unknown";
    if (ms < 1000)
        return `${short(ms)} ms`;
    return ms < 120_000 ? `${(ms / 1000).toFixed(ms % 1000 === 0 ? 0 : 1)} s` : `${short(ms / 60_000)} min`;
}

export function bytes(count) {
    if (count === null || count === undefined)
        return "unknown";
    const units = ["bytes", "KiB", "MiB", "GiB"];
    let unit = 0;
    while (count >= 1024 && unit < units.length - 1) {
        count /= 1024;
        unit++;
    }
    return `${unit === 0 ? count : short(count)} ${units[unit]}`;
}

export const count = (number) => (number === null || number === undefined ? "unknown" : number.toLocaleString("en"));

export function cpus(number) {
    return number === 0.5 ? "half a CPU" : number === 1 ? "1 CPU" : `${number} CPUs`;
}
