// Reads an answer that is a stream of server-sent events. Each has a name and one line of JSON.
const field = (lines, name) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);

// Calls onEvent(name, data) for each event as it comes. Data that is not JSON throws.
export async function readEvents(stream, onEvent) {
    const reader = stream.getReader();
    const decoder = new TextDecoder();
    let kept = "";
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
        const looked = Math.max(0, kept.length - 1);
        kept += decoder.decode(part.value, { stream: true });
        let begin = 0;
        for (let end = kept.indexOf("\n\n", looked); end >= 0; end = kept.indexOf("\n\n", begin)) {
            const lines = kept.slice(begin, end).split("\n");
            begin = end + 2;
            if (field(lines, "event"))
                onEvent(field(lines, "event"), JSON.parse(field(lines, "data")));
        }
        kept = kept.slice(begin);
    }
}
