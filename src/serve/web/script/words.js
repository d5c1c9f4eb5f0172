// What each verdict means. `tone`: "good", "bad" (the script is at fault) or "held" (it reached a limit).
import { time } from "./units.js";

// "ValueError: no", of a traceback.
export const lastLine = (text) => text.trim().split("\n").pop();

const rows = {
    ok: ["good", "Done", () => "It ran to its end."],
    exception: ["bad", "Exception", (answer) => lastLine(answer.stderr) || "An uncaught exception ended it."],
    exit: ["bad", "Exit", (answer) => `It exited with status ${answer.exit_code}.`],
    signal: ["bad", "Signal", (answer) => `${answer.signal ?? "A signal"} ended it.`],
    timeout: ["held", "Stopped: out of time", () => "It was still running when its time was up."],
    cpu_time: ["held", "Stopped: out of CPU time", () => "It had used up its CPU time."],
    memory: ["held", "Stopped: out of memory", () => "It reached its memory limit."],
    output: ["held", "Stopped: too much output", () => "It reached its limit of output."],
    internal: ["bad", "The sandbox failed", () => "This is not the script's fault."],
};

// Makes the service's error a sentence. A name at its beginning, such as "memory_bytes", stays as it is.
export const asSentence = (text) =>
    (/^[a-z]+\b/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text) + (/[.!?]$/.test(text) ? "" : ".");

export function words(answer) {
    const [tone, title, sentence] = rows[answer.verdict] ?? ["bad", answer.verdict, () => ""];
    // The service's own sentence, unless it is a traceback, which stands under Errors.
    const own = answer.error && !/\n/.test(answer.error.trim()) && answer.verdict !== "exception" ? answer.error.trim() : "";
    const said = own ? asSentence(own) : sentence(answer);
    return { tone, title, sentence: said, spoken: `${title}. ${said} It took ${time(answer.usage.wall_time_ms)}.` };
}
