/* The shapes of requests and answers, for the OpenAPI document: rows of openapi_tables.h. A test
 * holds them against real answers. */
#include "openapi_tables.h"

#define JSON(...) #__VA_ARGS__

/* ── Requests ───────────────────────────────────────────────────────────────────────────────── */

static const struct openapi_member run_request[] = {
    {"code", "string", "Python code. Required, unless `files` has a main.py.", NULL, 0},
    {"files", "{string}", "Further files for the working directory: path below it → text.", NULL,
     0},
    {"stdin", "string", "What the code reads.", JSON({"default" : ""}), 0},
    {"args", "[string]", "sys.argv[1:].", JSON({"default" : []}), 0},
    {"env", "{string}", "Environment variables, on top of the policy's.", JSON({"default" : {}}),
     0},
    {"policy", "string", "Which policy, see `GET /policies`.", JSON({"default" : "run"}), 0},
    {"timeout", "number", "Seconds on the clock; the same as limits.wall_time_ms.",
     JSON({"exclusiveMinimum" : 0}), 0},
    {"limits", "Limits", "Other limits than the policy's, within its caps.", NULL, 0},
    {"call", "string",
     "After the code, call this function of it without arguments; its value is the answer's "
     "`result`.",
     NULL, 0},
    {0},
};
static const struct openapi_member code_request[] = {
    {"code", "string", "Python code.", NULL, OPENAPI_REQUIRED},
    {0},
};
static const struct openapi_member execute_request[] = {
    {"code", "string", "Python code.", NULL, OPENAPI_REQUIRED},
    {"timeout", "integer", "Seconds on the clock.", JSON({"default" : 5, "minimum" : 1}), 0},
    {0},
};
static const struct openapi_member script_request[] = {
    {"script", "string",
     "Python code that defines a function main() without arguments, whose value JSON can hold.",
     NULL, OPENAPI_REQUIRED},
    {0},
};

/* ── Answers ────────────────────────────────────────────────────────────────────────────────── */

static const struct openapi_member error_answer[] = {
    {"status", "=error", "Always error.", NULL, OPENAPI_REQUIRED},
    {"error", "string", "One sentence: what is wrong and what to do about it.", NULL,
     OPENAPI_REQUIRED},
    {"field", "string|null", "The member of the request that is at fault.", NULL, OPENAPI_REQUIRED},
    {0},
};
static const struct openapi_member truncated[] = {
    {"stdout", "integer", "Bytes dropped from the middle of stdout.", NULL, OPENAPI_REQUIRED},
    {"stderr", "integer", "The same of stderr.", NULL, OPENAPI_REQUIRED},
    {0},
};
static const struct openapi_member usage[] = {
    {"wall_time_ms", "number|null", "Time on the clock, from the moment when the code was let in.",
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
static const struct openapi_member run_answer[] = {
    {"status", "=success error", "success: the code ran to its end with exit status 0.", NULL,
     OPENAPI_REQUIRED},
    {"output", "string", "stdout without its last newline.", NULL, OPENAPI_REQUIRED},
    {"error", "string",
     "Only with the status error: what a person should know, in one sentence or a traceback.", NULL,
     0},
    {"verdict", "=ok exception exit signal timeout cpu_time memory output internal",
     "How it ended, from the kernel's evidence.", NULL, OPENAPI_REQUIRED},
    {"stdout", "string", "What the code wrote; bytes that are not UTF-8 are replaced.", NULL,
     OPENAPI_REQUIRED},
    {"stderr", "string", "The same of standard error.", NULL, OPENAPI_REQUIRED},
    {"truncated", "Truncated", "How much of the output is not here.", NULL, OPENAPI_REQUIRED},
    {"exit_code", "integer|null", "Exit status; null when something else ended it.", NULL,
     OPENAPI_REQUIRED},
    {"signal", "string|null", "Signal that ended it: \"SIGKILL\".", NULL, OPENAPI_REQUIRED},
    {"result", "any", "Value of the function of `call`; null without one.", NULL, OPENAPI_REQUIRED},
    {"usage", "Usage", "What it used.", NULL, OPENAPI_REQUIRED},
    {"enforcement", "Enforcement", "How it was held.", NULL, OPENAPI_REQUIRED},
    {"id", "string", "As in the log.", NULL, OPENAPI_REQUIRED},
    {0},
};
static const struct openapi_member code_answer[] = {
    {"output", "string", "What the code wrote to stdout.", NULL, OPENAPI_REQUIRED},
    {"error", "string", "Traceback of code that raised; else empty.", NULL, OPENAPI_REQUIRED},
    {0},
};
static const struct openapi_member failed_answer[] = {
    {"error", "string", "What went wrong.", NULL, OPENAPI_REQUIRED},
    {0},
};
static const struct openapi_member execute_answer[] = {
    {"output", "string", "What the code wrote to stdout.", NULL, OPENAPI_REQUIRED},
    {"error", "string", "Only when there is one: a traceback, or which limit was reached.", NULL,
     0},
    {"execution_time", "number", "Seconds.", NULL, OPENAPI_REQUIRED},
    {0},
};
static const struct openapi_member script_answer[] = {
    {"result", "any", "The value of main().", NULL, OPENAPI_REQUIRED},
    {"stdout", "string", "What the script printed.", NULL, OPENAPI_REQUIRED},
    {0},
};
static const struct openapi_member script_failed[] = {
    {"error", "string", "What went wrong.", NULL, OPENAPI_REQUIRED},
    {"stdout", "string", "What the script printed.", NULL, OPENAPI_REQUIRED},
    {"stderr", "string", "What it wrote to standard error.", NULL, OPENAPI_REQUIRED},
    {0},
};
static const struct openapi_member health[] = {
    {"status", "=healthy unhealthy", "Whether jobs can run.", NULL, OPENAPI_REQUIRED},
    {0},
};
static const struct openapi_member version[] = {
    {"version", "string", "Of sandbox-serve.", NULL, OPENAPI_REQUIRED},
    {0},
};
static const struct openapi_member policy[] = {
    {"name", "string", "For `policy` in a request.", NULL, OPENAPI_REQUIRED},
    {"description", "string", "One sentence.", NULL, OPENAPI_REQUIRED},
    {"limits", "Limits", "What a job gets that asks for nothing else.", NULL, OPENAPI_REQUIRED},
    {"caps", "Limits", "What a request may ask for at most.", NULL, OPENAPI_REQUIRED},
    {0},
};
static const struct openapi_member policies[] = {
    {"policies", "[Policy]", "Sorted by name.", NULL, OPENAPI_REQUIRED},
    {0},
};

const struct openapi_shape openapi_shapes[] = {
    {"RunRequest", "What to run.", run_request,
     JSON({"anyOf" : [ {"required" : ["code"]}, {"required" : ["files"]} ]})},
    {"RunAnswer", "What became of it: the verdict, as `sandbox-run --json` prints it.", run_answer,
     NULL},
    {"RunCodeRequest", "What to run.", code_request, NULL},
    {"RunCodeAnswer", "What became of it.", code_answer, NULL},
    {"RunCodeFailed", "Why there is no output.", failed_answer, NULL},
    {"ExecuteRequest", "What to run.", execute_request, NULL},
    {"ExecuteAnswer", "What became of it.", execute_answer, NULL},
    {"ExecuteScriptRequest", "What to call.", script_request, NULL},
    {"ExecuteScriptAnswer", "What main() returned.", script_answer, NULL},
    {"ExecuteScriptFailed", "Why there is no result.", script_failed, NULL},
    {"Truncated", "Output past `output_bytes`: the first and the last part are kept.", truncated,
     NULL},
    {"Usage", "What a job used; null where the kernel does not say.", usage, NULL},
    {"Enforcement", "How a job was held.", enforcement, NULL},
    {"Health", "The service's health.", health, NULL},
    {"Version", "The service's version.", version, NULL},
    {"Policy", "A named set of limits and caps.", policy, NULL},
    {"Policies", "All policies.", policies, NULL},
    {"Error", "A request that was not carried out.", error_answer, NULL},
    {0},
};
