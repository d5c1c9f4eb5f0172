// The examples: each a file of examples/, one sentence of what will happen, and how to tell that it did.
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

// `kept(answer)`: what the sentence promises has happened.
export const attacks = [
    { title: "Infinite loop", code: loop, sentence: "It never ends by itself: it is ended when its wall time is up.",
        kept: (answer) => answer.verdict === "timeout" },
    { title: "Memory bomb", code: memory, sentence: "It asks for a gigabyte: the kernel ends it at its memory limit.",
        kept: (answer) => answer.verdict === "memory" },
    { title: "Fork bomb", code: fork, sentence: "It doubles until no process more is given, and all end with it.",
        kept: (answer) => answer.verdict === "ok" && answer.stdout.includes("Resource temporarily unavailable") },
    { title: "Call home", code: network, sentence: "It looks for a way out: there is no network, no name, no host.",
        kept: (answer) => answer.verdict === "ok" && /unreachable/.test(answer.stdout) && !answer.stdout.includes("connected") },
    { title: "Write to disk", code: fill, sentence: "It tries to leave a file behind: everything is read-only.",
        kept: (answer) => answer.verdict === "ok" && /Read-only file system/.test(answer.stdout) && !answer.stdout.includes("written") },
    { title: "Read the host's files", code: files, sentence: "It looks for passwords and keys: the host's files are not there.",
        kept: (answer) => answer.verdict === "ok" && !answer.stdout.includes("HOST FILE") },
    { title: "Flood the output", code: flood, sentence: "It prints 50 MB: the beginning and the end are kept.",
        kept: (answer) => answer.verdict === "ok" && answer.truncated.stdout > 0 },
];

export const uses = [
    { title: "Hello", code: hello, sentence: "It says where it is: a Python of its own, all alone." },
    { title: "A picture in text", code: mandelbrot, sentence: "It computes the Mandelbrot set and prints it." },
    { title: "Standard input", code: input, stdin: "3\n4\n5\n", sentence: "It adds the numbers that it is given." },
    { title: "A value back", code: value, call: "main", sentence: "It defines main(), whose value comes back as JSON." },
    { title: "An error to follow", code: traceback, sentence: "It fails: its traceback leads to the line at fault." },
];

export const everyExample = [...attacks, ...uses];
