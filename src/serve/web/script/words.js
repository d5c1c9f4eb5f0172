// What each verdict means. `tone`: "good", "bad" (the script is at fault) or "held" (a limit struck).
import { time } from "./units.js";

// "ValueError: no", of a traceback.
const lastLine = (text) => text.trim().split("\n").pop();

const rows = {
    ok: ["good", "Done", () => "It ran to its end."],
    exception: ["bad", "Exception", (answer) => lastLine(answer.stderr) || "It was ended by an exception that nothing caught."],
    exit: ["bad", "Exit", (answer) => `It ended itself with exit status ${answer.exit_code}.`],
    signal: ["bad", "Signal", (answer) => `It was ended by ${answer.signal ?? "a signal"}.`],
    timeout: ["held", "Held: out of time", () => "It was still running when its time was up, and was ended."],
    cpu_time: ["held", "Held: out of CPU time", () => "It had used up its CPU time, and was ended."],
    memory: ["held", "Held: out of memory", () => "It wanted more memory than it may have, and was ended."],
    output: ["held", "Held: too much output", () => "It wrote more than it may, and was ended."],
    internal: ["bad", "The sandbox failed", () => "This is not the script's fault."],
};

// What the service says, which may begin with a name: "memory_bytes" stays as it is.
export const asSentence = (text) =>
    (/^[a-z]+\b/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text) + (/[.!?]$/.test(text) ? "" : ".");

export function words(answer) {
    const [tone, title, sentence] = rows[answer.verdict] ?? ["bad", answer.verdict, () => ""];
    // The service's own sentence, unless it is a traceback: that stands under Errors.
    const own = answer.error && !/\n/.test(answer.error.trim()) && answer.verdict !== "exception" ? answer.error.trim() : "";
    const said = own ? asSentence(own) : sentence(answer);
    return { tone, title, sentence: said, spoken: `${title}. ${said} It took ${time(answer.usage.wall_time_ms)}.` };
}
