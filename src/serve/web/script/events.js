// Reads an answer that is a stream of server-sent events. Each has a name and one line of JSON.
const field = (lines, name) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);

// Calls onEvent(name, data) for each event as it comes. Data that is not JSON throws.
export async function readEvents(stream, onEvent) {
    const reader = stream.getReader();
    const decoder = new TextDecoder();
    let begun = []; // parts of an event that is not complete
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
        const before = begun.at(-1)?.endsWith("\n") ? begun.pop() : ""; // its end may be the empty line's beginning
        const events = (before + decoder.decode(part.value, { stream: true })).split("\n\n");
        const rest = events.pop();
        for (const event of events) {
            const lines = (begun.join("") + event).split("\n");
            begun = [];
            if (field(lines, "event"))
                onEvent(field(lines, "event"), JSON.parse(field(lines, "data")));
        }
        begun.push(rest);
    }
}
