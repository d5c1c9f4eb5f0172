/** Text (sent as UTF-8), bytes, or a file of another result. */
export type Content = string | Uint8Array | ArrayBuffer | ArrayBufferView | Blob | ResultFile;

/** What a job is given, besides its code: sandbox-api(7). */
export interface RunOptions {
    /** Aborting it ends the request, and the service then ends the job. */
    signal?: AbortSignal;
    /** Run this module in place of code, as `python3 -m` does. */
    module?: string;
    /** Files for the working directory, by their paths. */
    files?: Record<string, Content>;
    /** The name of the code in tracebacks and in sys.argv[0]. */
    name?: string;
    stdin?: Content;
    args?: string[];
    env?: Record<string, string>;
    policy?: string;
    /** Wall-clock time of the job in seconds. */
    timeout?: number;
    limits?: Limits;
    /** A function to call after the code has run; its value is `result`. */
    call?: string | { name: string; args?: unknown[]; kwargs?: Record<string, unknown> };
    /** Send standard error to standard output, in the order written. */
    merge_stderr?: boolean;
    /** Return `stdout` and `stderr` as base64. */
    base64?: boolean;
    /** Which files of the working directory come back: all that are new or changed, or those that a glob matches. */
    collect?: boolean | string[];
    /** The code is a notebook cell: what it displays comes back. */
    notebook?: boolean;
    /** A graded run: the code runs once for each case. */
    cases?: Case[];
    stop?: "never" | "first-failure";
}

/** What a stored job is given, besides its code. */
export interface JobOptions extends RunOptions {
    /** The same key with the same request gives the same job; without one, each call is a new job. */
    key?: string;
    /** Where the job's end is told. */
    callback?: Callback;
}

/** The service POSTs what `job()` would give to the URL, signed with the secret: sandbox-api(7). */
export interface Callback {
    /** Its host is one that the service allows. */
    url: string;
    /** 16 to 256 bytes, known to the receiver alone. */
    secret: string;
}

/** What one run of the code is given on top of the other options, and what is expected of it. */
export interface Case {
    /** For people; it comes back in the result. */
    name?: string;
    stdin?: Content;
    args?: string[];
    env?: Record<string, string>;
    files?: Record<string, Content>;
    call?: string | { name: string; args?: unknown[]; kwargs?: Record<string, unknown> };
    expected?: { stdout?: Content; result?: unknown; compare?: "lines" | "exact" | "tokens" | { float: number } };
}

export interface Limits {
    [name: string]: number | string;
}

/** A file that a job wrote. `path` is its name in the working directory, or absolute below /tmp. Check it before you use it. */
export class ResultFile {
    readonly path: string;
    readonly type: string;
    readonly size: number;
    readonly bytes: Uint8Array;
    /** The file as UTF-8. Throws TypeError where it is not. */
    readonly text: string;
}

export type Verdict = "ok" | "exception" | "exit" | "signal" | "timeout" | "cpu_time" | "memory" | "output" | "internal";

/** The answer to a run. */
export class Result {
    /** From a native answer, of `POST /run` or of `sandbox-run --json`. */
    constructor(answer: object);
    readonly status: "success" | "error";
    /** Null for a case that did not run to its end, as all that is not known. */
    readonly verdict: Verdict;
    readonly output: string;
    readonly error: string | null;
    readonly stdout: string;
    readonly stderr: string;
    readonly truncated: { stdout: number; stderr: number };
    readonly exit_code: number | null;
    readonly signal: string | null;
    readonly result: any;
    readonly usage: {
        wall_time_ms: number | null;
        cpu_time_ms: number | null;
        memory_peak_bytes: number | null;
        pids_peak: number | null;
    };
    readonly enforcement: { cgroup: "v2" | "v1" | "none"; start: "warm" | "cold"; missing: string[] };
    readonly denied: { call: string; count: number }[] | null;
    readonly id: string;
    readonly files: Record<string, ResultFile>;
    readonly files_left_out: { path: string; why: string }[];
    /** MIME type → data, in the order displayed; image/png is base64. Untrusted: show HTML in a sandboxed frame, SVG as an image. */
    readonly display: Record<string, any>[];
    /** How many displays were beyond the limits. */
    readonly displays_left_out: number;
    /** Of a graded run: how each case ended, in the order asked. */
    readonly cases: Result[];
    /** Of a graded run: how many cases are correct. */
    readonly passed: number | null;
    /** Of a case: whether it is as expected; null where nothing is, or where it did not run to its end. */
    readonly correct: boolean | null;
    /** Of a case: its name. */
    readonly name: string | null;
    /** Of a case: its output did not fit into the answer. */
    readonly output_left_out: boolean;
    /** The answer as it came. */
    readonly raw: Record<string, any>;
    /** Whether the code ran to its end with exit status 0. */
    readonly ok: boolean;
    /** The result itself. Throws JobFailed unless `ok`. */
    check(): this;
}

/** A job that outlasts the connection, as it was when it was asked for. Times are such as 2026-11-30T21:40:04.017Z. */
export class Job {
    readonly id: string;
    readonly state: "queued" | "running" | "done" | "lost" | "cancelled";
    readonly policy: string | null;
    readonly created: string | null;
    readonly started: string | null;
    readonly ended: string | null;
    readonly tries: number;
    /** Its place in the queue; 0: it does not wait. */
    readonly position: number;
    /** Why it is lost or cancelled. */
    readonly reason: string | null;
    /** What POST /run would have answered. */
    readonly status: number | null;
    /** Once it is done. */
    readonly result: Result | null;
    /** The job as it came. */
    readonly raw: Record<string, any>;
    /** Whether it has ended. */
    readonly over: boolean;
    /**
     * From a callback that a server of yours has received, of which nothing else may be believed before. Throws SandboxError
     * unless it is signed with the secret, at most `maxAge` seconds ago (300). It may come twice: go by the job's id.
     */
    static ofCallback(headers: Headers | Record<string, unknown>, body: string | Uint8Array | ArrayBuffer, secret: string,
        options?: { maxAge?: number }): Promise<Job>;
}

/** An event of a stream. */
export type StreamEvent =
    | { event: "stdout" | "stderr"; data: { text: string } | { base64: string }; text: string }
    | { event: "verdict" | "case"; data: Record<string, any>; result: Result }
    | { event: "start" | "queued" | "display"; data: Record<string, any> };

export class SandboxError extends Error {}

/** No answer: nothing listens there, or the connection broke. */
export class Unreachable extends SandboxError {}

/** The service did not carry out the request. */
export class Refused extends SandboxError {
    /** Of HTTP. */
    readonly status: number;
    /** The field or header at fault. */
    readonly field: string | null;
    /** Seconds to wait before another try. */
    readonly retryAfter: number | null;
}

/** Refused for now: the queue is full, or the client sent too many requests (503, 429). */
export class Busy extends Refused {}

/** The job did not run to its end with exit status 0. */
export class JobFailed extends SandboxError {
    readonly result: Result;
}

export class Client {
    /** `retries`: how often a request is sent again that was refused as Busy, each after the time that the service names. */
    constructor(url?: string, options?: { token?: string | null; retries?: number });
    readonly url: string;
    retries: number;
    /** Runs code. Exceptions and limits of the code are results; Refused, Busy, Unreachable and AbortError are thrown. */
    run(code: string | Uint8Array | null | undefined, options?: RunOptions): Promise<Result>;
    /** As run, but the events come while the job runs. Leaving the loop ends the job. */
    stream(code: string | Uint8Array | null | undefined, options?: RunOptions): AsyncGenerator<StreamEvent, void, void>;
    /** Queues a job that outlasts the connection. */
    submit(code: string | Uint8Array | null | undefined, options?: JobOptions): Promise<Job>;
    /** A job, once it has ended or after `wait` seconds, at most 60. */
    job(id: string, options?: { wait?: number; signal?: AbortSignal }): Promise<Job>;
    /** A job, once it has ended. */
    wait(id: string, options?: { signal?: AbortSignal }): Promise<Job>;
    /** The last jobs of this client's, the newest first, without their results. */
    jobs(options?: { signal?: AbortSignal }): Promise<Job[]>;
    /** The events of a job, from its beginning. Leaving the loop ends nothing. */
    events(id: string, options?: { signal?: AbortSignal }): AsyncGenerator<StreamEvent, void, void>;
    /** Ends a job. One that has ended stays as it is. */
    cancel(id: string, options?: { signal?: AbortSignal }): Promise<void>;
    policies(options?: { signal?: AbortSignal }): Promise<Record<string, any>[]>;
    version(options?: { signal?: AbortSignal }): Promise<string>;
    /** Whether the service can run jobs. */
    health(options?: { signal?: AbortSignal }): Promise<boolean>;
}
