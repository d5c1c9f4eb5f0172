/* The shapes of requests and answers, for the OpenAPI document: rows of openapi_tables.h. A test
 * holds them against real answers. */
#include "serve/api/openapi_tables.h"
#include "serve/contracts/contracts.h"

#define JSON(...) #__VA_ARGS__

/* ── Requests ───────────────────────────────────────────────────────────────────────────────── */

#define ANY_CONTRACT (~0u)
#define CODE_OBJECT JSON({"properties" : {"base64" : {"type" : "string"}}})

const struct openapi_field openapi_fields[] = {
    {1u << NATIVE,
     {"code", "string|object",
      "Python code: text, or {\"base64\": …}, the bytes of a source file in the encoding that it "
      "declares. This, `module`, or `files` with a main.py. Empty code does nothing.",
      CODE_OBJECT, 0}},
    {ANY_CONTRACT,
     {"code", "string|object", "Python code, also as {\"base64\": …}.", CODE_OBJECT, 0}},
    {ANY_CONTRACT,
     {"module", "string", "In place of code: run this module, as `python3 -m` does.", NULL, 0}},
    {ANY_CONTRACT,
     {"script", "string|object",
      "Python code that defines a function main() without arguments, whose value JSON can hold.",
      CODE_OBJECT, 0}},
    {ANY_CONTRACT,
     {"files", "{string}",
      "Files for the working directory: path below it → text. One named main.py is the code. "
      "`./a` and `b/../a` are `a`, of which there can be one; what is absolute or leads out is "
      "refused.",
      NULL, 0}},
    {ANY_CONTRACT,
     {"name", "string",
      "What `code` is called in tracebacks and sys.argv[0], a path whose last part is its file in "
      "the working directory. With it, a main.py in `files` is a file like any other.",
      JSON({"default" : "main.py", "maxLength" : 1024}), 0}},
    {ANY_CONTRACT, {"stdin", "string", "What the code reads.", JSON({"default" : ""}), 0}},
    {ANY_CONTRACT, {"args", "[string]", "sys.argv[1:].", JSON({"default" : []}), 0}},
    {ANY_CONTRACT,
     {"env", "{string}", "Environment variables, on top of the policy's.", JSON({"default" : {}}),
      0}},
    {ANY_CONTRACT,
     {"policy", "string",
      "Which policy, see `GET /policies`; without it `run`, or the only one that the token allows.",
      NULL, 0}},
    {1u << EXECUTE,
     {"timeout", "number", "Whole seconds on the clock; 5 unless given.",
      JSON({"minimum" : 1, "multipleOf" : 1}), 0}},
    {ANY_CONTRACT,
     {"timeout", "number", "Seconds on the clock; the same as limits.wall_time_ms.",
      JSON({"minimum" : 0.001}), 0}},
    {ANY_CONTRACT,
     {"limits", "Limits", "Other limits than the policy's, within its caps.", NULL, 0}},
    {ANY_CONTRACT,
     {"call", "string|object",
      "After the code, call this function of it, once; its value is the answer's `result`. Its "
      "name, "
      "or an object with `name`, `args` and `kwargs`.",
      JSON({
          "properties" : {
              "name" : {"type" : "string"},
              "args" : {"type" : "array"},
              "kwargs" : {"type" : "object"}
          }
      }),
      0}},
    {ANY_CONTRACT,
     {"merge_stderr", "boolean",
      "Whether standard error goes to standard output, in the order written; the answer's `stderr` "
      "is then empty, and `error` a sentence.",
      JSON({"default" : false}), 0}},
    {ANY_CONTRACT,
     {"base64", "boolean",
      "Whether the answer's `stdout` and `stderr` are base64, byte for byte; `error` is then a "
      "sentence where it would be what the code wrote to standard error.",
      JSON({"default" : false}), 0}},
    {0},
};

/* ── Answers ────────────────────────────────────────────────────────────────────────────────── */

const struct openapi_letter openapi_letters[] = {
    {'o', {"output", "string", "stdout without its last newline.", NULL, 0}},
    {'e',
     {"error", "string",
      "What the script wrote to standard error before it ended itself with a status other than 0, "
      "as a traceback; else a sentence, as which limit was reached; empty: none.",
      NULL, 0}},
    {'t', {"execution_time", "number", "Seconds.", NULL, 0}},
    {'r', {"result", "any", "The value of main().", NULL, 0}},
    {'O', {"stdout", "string", "What the script printed.", NULL, 0}},
    {'E', {"stderr", "string", "What it wrote to standard error.", NULL, 0}},
    {'T', {"truncated", "Truncated", "How much of the output is not here.", NULL, 0}},
    {0},
};

static const struct openapi_member error_answer[] = {
    {"status", "=error", "Always error.", NULL, OPENAPI_REQUIRED},
    {"error", "string", "One sentence: what is wrong and what to do about it.", NULL,
     OPENAPI_REQUIRED},
    {"field", "string|null", "The member of the request that is at fault.", NULL, OPENAPI_REQUIRED},
    {0},
};
static const struct openapi_member truncated[] = {
    {"stdout", "integer", "Bytes of stdout that are not shown.", NULL, OPENAPI_REQUIRED},
    {"stderr", "integer", "The same of stderr.", NULL, OPENAPI_REQUIRED},
    {0},
};
static const struct openapi_member usage[] = {
    {"wall_time_ms", "number|null", "Time that went by, from the moment when the code was let in.",
     NULL, OPENAPI_REQUIRED},
    {"cpu_time_ms", "number|null", "CPU time of all processes together.", NULL, OPENAPI_REQUIRED},
    {"memory_peak_bytes", "integer|null",
     "Most memory of all processes together; null on kernels before 5.19.", NULL, OPENAPI_REQUIRED},
    {"pids_peak", "integer|null",
     "Most processes and threads alive at a time; null on kernels before 6.1.", NULL,
     OPENAPI_REQUIRED},
    {0},
};
static const struct openapi_member enforcement[] = {
    {"cgroup", "=v2 v1 none", "What enforced memory, CPU and processes.", NULL, OPENAPI_REQUIRED},
    {"start", "=warm cold", "Whether the interpreter had been started before the request came.",
     NULL, OPENAPI_REQUIRED},
    {"missing", "[string]",
     "What this host could not enforce; empty unless the policy, or the service, says best-effort.",
     NULL, OPENAPI_REQUIRED},
    {0},
};
static const struct openapi_member denied[] = {
    {"call", "string",
     "The system call, and what it asked for where that decides: `mount`, `socket(AF_NETLINK)`; "
     "`others` for what is not listed.",
     NULL, OPENAPI_REQUIRED},
    {"count", "integer", "How often it was refused.", NULL, OPENAPI_REQUIRED},
    {0},
};
static const struct openapi_member run_answer[] = {
    {"status", "=success error", "success: the code ran to its end with exit status 0.", NULL,
     OPENAPI_REQUIRED},
    {"output", "string", "stdout without its last newline.", NULL, OPENAPI_REQUIRED},
    {"error", "string",
     "Only with the status error: what the code wrote to standard error before it ended itself "
     "with "
     "a status other than 0, as a traceback; else one sentence.",
     NULL, 0},
    {"verdict", "=ok exception exit signal timeout cpu_time memory output internal",
     "How it ended, from the kernel's evidence.", NULL, OPENAPI_REQUIRED},
    {"stdout", "string",
     "What the code wrote; bytes that are not UTF-8 are replaced. Where bytes are missing, one "
     "line "
     "`… N bytes left out …` stands between whole lines.",
     NULL, OPENAPI_REQUIRED},
    {"stderr", "string", "The same of standard error.", NULL, OPENAPI_REQUIRED},
    {"truncated", "Truncated", "How much of the output is not here.", NULL, OPENAPI_REQUIRED},
    {"exit_code", "integer|null", "Exit status; null when something else ended it.", NULL,
     OPENAPI_REQUIRED},
    {"signal", "string|null", "Signal that ended it: \"SIGKILL\".", NULL, OPENAPI_REQUIRED},
    {"result", "any", "Value of the function of `call`; null without one.", NULL, OPENAPI_REQUIRED},
    {"usage", "Usage", "What it used.", NULL, OPENAPI_REQUIRED},
    {"enforcement", "Enforcement", "How it was held.", NULL, OPENAPI_REQUIRED},
    {"denied", "any",
     "Only under a policy with `report_denied`, where there is something to tell: refused system "
     "calls that an honest program hardly makes. Null where this host can't tell.",
     "{\"oneOf\": [{\"type\": \"array\", \"maxItems\": 33, \"items\": "
     "{\"$ref\": \"#/components/schemas/Denied\"}}, {\"type\": \"null\"}]}",
     0},
    {"id", "string", "As in the log.", NULL, OPENAPI_REQUIRED},
    {0},
};
static const struct openapi_member health[] = {
    {"status", "=healthy unhealthy", "Whether a job ran just now.", NULL, OPENAPI_REQUIRED},
    {"error", "string", "Why not, with the status 503.", NULL, 0},
    {0},
};
static const struct openapi_member version[] = {
    {"version", "string", "Of sandbox-serve.", NULL, OPENAPI_REQUIRED},
    {0},
};
static const struct openapi_member policy[] = {
    {"name", "string", "For `policy` in a request.", NULL, OPENAPI_REQUIRED},
    {"description", "string", "One sentence, or nothing.", NULL, OPENAPI_REQUIRED},
    {"available", "boolean", "Whether requests may name it.", NULL, OPENAPI_REQUIRED},
    {"reason", "string|null", "Why not: a module that it preloads can't be imported here.", NULL,
     OPENAPI_REQUIRED},
    {"limits", "Limits", "What a job gets that asks for nothing else.", NULL, OPENAPI_REQUIRED},
    {"caps", "Limits", "What a request may ask for at most.", NULL, OPENAPI_REQUIRED},
    {0},
};
static const struct openapi_member policies[] = {
    {"policies", "[Policy]", "Sorted by name.", NULL, OPENAPI_REQUIRED},
    {0},
};

const struct openapi_shape openapi_shapes[] = {
    {"RunAnswer", "What became of it: the verdict, as `sandbox-run --json` prints it.", run_answer},
    {"Truncated",
     "Output past `output_bytes`: the first and the last part are shown, the bytes between them "
     "counted.",
     truncated},
    {"Usage", "What a job used; null where the kernel does not say.", usage},
    {"Enforcement", "How a job was held.", enforcement},
    {"Denied", "A system call that was refused.", denied},
    {"Health", "The service's health.", health},
    {"Version", "The service's version.", version},
    {"Policy", "A named set of limits and caps.", policy},
    {"Policies", "All policies, or the one that the token allows.", policies},
    {"Error", "A request that was not carried out.", error_answer},
    {0},
};
