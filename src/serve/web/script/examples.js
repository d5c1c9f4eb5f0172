// The examples: each a file of examples/, a sentence that says what will happen, and a check that it did.
import analyse from "../examples/analyse_csv.py";
import analysePlain from "../examples/analyse_csv_plain.py";
import sales from "../examples/sales.csv";
import fill from "../examples/fill_the_disk.py";
import flood from "../examples/flood_the_output.py";
import fork from "../examples/fork_bomb.py";
import files from "../examples/host_files.py";
import loop from "../examples/infinite_loop.py";
import memory from "../examples/memory_bomb.py";
import network from "../examples/network.py";
import hello from "../examples/hello.py";
import input from "../examples/standard_input.py";
import mandelbrot from "../examples/mandelbrot.py";
import traceback from "../examples/traceback.py";
import value from "../examples/value.py";

// `kept(answer)`: whether it happened as the sentence says.
export const attacks = [
    { title: "Infinite loop", code: loop, sentence: "It never ends by itself. The sandbox stops it when its wall time is up.",
        kept: (answer) => answer.verdict === "timeout" },
    { title: "Memory bomb", code: memory, sentence: "It asks for a gigabyte. The kernel stops it at its memory limit.",
        kept: (answer) => answer.verdict === "memory" },
    { title: "Fork bomb", code: fork, sentence: "It forks until it reaches its limit of processes. All of them end with the job.",
        kept: (answer) => answer.verdict === "ok" && answer.stdout.includes("Resource temporarily unavailable") },
    { title: "Call home", code: network, sentence: "It tries to connect to other hosts. It has no network.",
        kept: (answer) => answer.verdict === "ok" && /unreachable/.test(answer.stdout) && !answer.stdout.includes("connected") },
    { title: "Write to disk", code: fill, sentence: "It tries to leave a file behind. All its directories are read-only.",
        kept: (answer) => answer.verdict === "ok" && /Read-only file system/.test(answer.stdout) && !answer.stdout.includes("written") },
    { title: "Read the host's files", code: files, sentence: "It looks for passwords and keys. The host's files are not there.",
        kept: (answer) => answer.verdict === "ok" && !answer.stdout.includes("HOST FILE") },
    { title: "Flood the output", code: flood, sentence: "It prints 50 MB. Only the beginning and the end are kept.",
        kept: (answer) => answer.verdict === "ok" && answer.truncated.stdout > 0 },
];

// `instead`: what differs where its policy is not offered.
export const uses = [
    { title: "Hello", code: hello, sentence: "It prints its version of Python, its process and its host name." },
    { title: "A picture in text", code: mandelbrot, sentence: "It computes the Mandelbrot set and prints it." },
    { title: "Standard input", code: input, stdin: "3\n4\n5\n", sentence: "It adds up the numbers in its standard input." },
    { title: "Analyse a CSV", code: analyse, policy: "data", notebook: "on", files: { "sales.csv": sales },
        sentence: "It reads a file, shows a plot and a table, and gives a file back.",
        instead: { code: analysePlain, policy: "run_code" } },
    { title: "A return value", code: value, call: "main", sentence: "It defines main(). The value of main() is shown as JSON." },
    { title: "A traceback", code: traceback, sentence: "It raises an exception. The traceback links to the line at fault." },
];

export const everyExample = [...attacks, ...uses].flatMap((example) =>
    (example.instead ? [example, { ...example, ...example.instead }] : [example]));
