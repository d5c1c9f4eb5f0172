// Arguments and variables as they are typed, and as they are in a request.

// "a 'b c'" → ["a", "b c"], by the quotes of a shell; nothing else is special.
export function toArguments(line) {
    const words = line.match(/(?:[^\s'"]|'[^']*'?|"[^"]*"?)+/g) ?? [];
    return words.map((word) => word.replace(/'([^']*)'?|"([^"]*)"?/g, (_, single, double) => single ?? double));
}

// Lines "NAME=value"; a line without "=" is a variable that is empty.
export function toVariables(text) {
    return Object.fromEntries(text.split("\n").map((line) => line.replace(/^\s*(export\s+)?/, "")).filter(Boolean)
        .map((line) => [line.split("=", 1)[0].trim(), line.includes("=") ? line.slice(line.indexOf("=") + 1) : ""]));
}
