// Finds the lines of a traceback that name the script, so that they can link to the code.
const place = /File "(?:\/work\/)?(?:main\.py|<string>)", line (\d+)/;

// [{ text, line }]: line is null where the text names none.
export function parts(text) {
    return text.split(/(?<=\n)/).map((row) => {
        const match = place.exec(row);
        return { text: row, line: match ? Number(match[1]) : null };
    });
}

// The last line of the script that a traceback names: there the exception was raised.
export function lastLine(text) {
    let last = null;
    for (const { line } of parts(text))
        last = line ?? last;
    return last;
}
