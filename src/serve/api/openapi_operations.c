/* What there is to say about each route beyond its row in routes[], for the OpenAPI document. The
 * examples are those of the services whose contracts are kept; a test sends each to a running
 * service. */
#include "serve/api/openapi_tables.h"

#define JSON(...) #__VA_ARGS__
#define JOBS "Run code"
#define SERVICE "The service"

/* Strings in JSON() must not be split. */
/* clang-format off */
static const struct openapi_example run_examples[] = {
    {"hello", "Hello World", 200, JSON({"code" : "print('Hello World')"}), JSON({
         "status" : "success",
         "output" : "Hello World",
         "verdict" : "ok",
         "stdout" : "Hello World\n",
         "stderr" : "",
         "truncated" : {"stdout" : 0, "stderr" : 0},
         "exit_code" : 0,
         "signal" : null,
         "result" : null,
         "usage" : {
             "wall_time_ms" : 11.724,
             "cpu_time_ms" : 10.12,
             "memory_peak_bytes" : 3231744,
             "pids_peak" : 1
         },
         "enforcement" : {"cgroup" : "v2", "start" : "cold", "missing" : []},
         "id" : "c273168dd9da0a62"
     })},
    {"expression", "An expression", 200, JSON({"code" : "print(2 + 2)"}), NULL},
    {"loop", "Several lines", 200, JSON({"code" : "for i in range(5): print(i)"}), NULL},
    {"endless", "A script that never ends", 200, JSON({"code" : "while True: pass", "timeout" : 1}),
     JSON({
         "status" : "error",
         "output" : "",
         "error" : "Execution timed out after 1 second",
         "verdict" : "timeout",
         "stdout" : "",
         "stderr" : "",
         "truncated" : {"stdout" : 0, "stderr" : 0},
         "exit_code" : null,
         "signal" : "SIGKILL",
         "result" : null,
         "usage" : {
             "wall_time_ms" : 1000.32,
             "cpu_time_ms" : 502.1,
             "memory_peak_bytes" : 3231744,
             "pids_peak" : 1
         },
         "enforcement" : {"cgroup" : "v2", "start" : "cold", "missing" : []},
         "id" : "5be1d08d7a4f1c20"
     })},
    {"memory", "More memory than there is", 200, JSON({"code" : "x = 'a' * 1000000000"}), NULL},
    {"input", "Input, arguments, environment, files", 200, JSON({
         "code" : "import os, sys, helper\nprint(helper.greet(sys.argv[1]), os.environ['MOOD'], sys.stdin.read())",
         "files" : {"helper.py" : "def greet(name): return 'Hello ' + name"},
         "args" : ["World"],
         "env" : {"MOOD" : "gladly"},
         "stdin" : "read"
     }),
     NULL},
    {"call", "The value of a function", 200,
     JSON({"code" : "def main():\n    return {'message': 'Hello, World!'}", "call" : "main"}),
     NULL},
    {"limits", "Limits of one's own", 200, JSON({
         "code" : "print(1)",
         "policy" : "run_code",
         "timeout" : 2.5,
         "limits" : {"memory_bytes" : 67108864, "pids" : 8}
     }),
     NULL},
    {"unknown", "A member that does not exist", 400, JSON({"code" : "print(1)", "memory" : 1}),
     NULL},
    {0},
};

static const struct openapi_example run_code_examples[] = {
    {"hello", "Hello World", 200, JSON({"code" : "print('Hello World')"}),
     JSON({
         "output" : "Hello World",
         "error" : "",
         "stderr" : "",
         "truncated" : {"stdout" : 0, "stderr" : 0}
     })},
    {"raises", "Code that raises", 200, JSON({"code" : "1/0"}), JSON({
         "output" : "",
         "error" : "Traceback (most recent call last):\n  File \"main.py\", line 1, in <module>\nZeroDivisionError: division by zero\n",
         "stderr" : "Traceback (most recent call last):\n  File \"main.py\", line 1, in <module>\nZeroDivisionError: division by zero\n",
         "truncated" : {"stdout" : 0, "stderr" : 0}
     })},
    {"empty", "No code", 400, JSON({}), NULL},
    {0},
};

static const struct openapi_example execute_examples[] = {
    {"code", "Code", 200, JSON({"code" : "print('Hello, World!')\nprint(2 + 2)", "timeout" : 5}),
     JSON({
         "output" : "Hello, World!\n4",
         "execution_time" : 0.012,
         "stderr" : "",
         "truncated" : {"stdout" : 0, "stderr" : 0}
     })},
    {"endless", "Code that never ends", 200, JSON({"code" : "while True: pass", "timeout" : 1}),
     JSON({
         "output" : "",
         "error" : "Execution timed out after 1 second",
         "execution_time" : 1.0,
         "stderr" : "",
         "truncated" : {"stdout" : 0, "stderr" : 0}
     })},
    {"script", "A script with main()", 200,
     JSON({"script" : "def main():\n    return {'message': 'Hello, World!'}"}),
     JSON({
         "result" : {"message" : "Hello, World!"},
         "stdout" : "",
         "stderr" : "",
         "truncated" : {"stdout" : 0, "stderr" : 0}
     })},
    {"no_main", "A script without main()", 400, JSON({"script" : "print('Hello')"}), NULL},
    {"not_json", "A value that JSON can't hold", 400,
     JSON({"script" : "def main():\n    return {1, 2}"}), NULL},
    {0},
};

static const struct openapi_example health_examples[] = {
    {"healthy", "All is well", 200, NULL, JSON({"status" : "healthy"})},
    {0},
};

/* clang-format on */

const struct openapi_operation openapi_operations[] = {
    {
        .method = "POST",
        .path = "/run",
        .id = "run",
        .group = JOBS,
        .description = "The native form: everything that a job can have, and the whole verdict. "
                       "Code that raises, or runs into a limit, is answered with 200 and the "
                       "status `error`. Under the policy `run` the code is at most 5000 characters,"
                       " has 10 seconds, 128 MiB, half a CPU, no network, and can write nowhere.",
        .request = {"RunRequest"},
        .answer = {"RunAnswer"},
        .failures = {{"500", {"RunAnswer", "Error"}}, {"503", {"RunAnswer", "Error"}}},
        .examples = run_examples,
    },
    {
        .method = "POST",
        .path = "/run_code",
        .id = "runCode",
        .group = JOBS,
        .description =
            "Code in, output and error out, under the policy `run_code`: 30 seconds, "
            "500 MiB, two CPUs. Code that raises, or ends itself with a status other "
            "than 0, is answered with 200 and what it wrote to standard error in `error`; "
            "time or memory that ran out with 500.",
        .request = {"RunCodeRequest"},
        .answer = {"RunCodeAnswer"},
        .failures = {{"400", {"RunCodeFailed"}},
                     {"500", {"RunCodeFailed"}},
                     {"503", {"RunCodeFailed"}}},
        .examples = run_code_examples,
    },
    {
        .method = "POST",
        .path = "/execute",
        .id = "execute",
        .group = JOBS,
        .description = "With `code`: output, error and seconds, under the policy `execute`: 512 "
                       "MiB, one CPU. With `script`: the value of its main(), under the policy "
                       "`execute_script`: 50 MiB, 5 seconds of CPU time, 10 open files; 400 when "
                       "the script is at fault, 500 when it ran into a limit.",
        .request = {"ExecuteRequest", "ExecuteScriptRequest"},
        .answer = {"ExecuteAnswer", "ExecuteScriptAnswer"},
        .failures = {{"400", {"ExecuteScriptFailed", "Error"}},
                     {"500", {"ExecuteScriptFailed", "ExecuteFailed", "Error"}},
                     {"503", {"ExecuteScriptFailed", "ExecuteFailed", "Error"}}},
        .examples = execute_examples,
    },
    {
        .method = "GET",
        .path = "/health",
        .id = "health",
        .group = SERVICE,
        .description = "Whether jobs can run, by one of the service's own; what becomes of "
                       "clients' jobs does not count.",
        .answer = {"Health"},
        .failures = {{"503", {"Health"}}},
        .examples = health_examples,
    },
    {
        .method = "GET",
        .path = "/version",
        .id = "version",
        .group = SERVICE,
        .description = "The version of the program.",
        .answer = {"Version"},
    },
    {
        .method = "GET",
        .path = "/policies",
        .id = "policies",
        .group = SERVICE,
        .description = "Their names, limits and caps, and whether they are available: one that "
                       "preloads what can't be imported here is not.",
        .answer = {"Policies"},
    },
    {
        .method = "GET",
        .path = "/metrics",
        .id = "metrics",
        .group = SERVICE,
        .description = "For Prometheus: jobs by verdict, times, queue, memory.",
        .type = "text/plain",
    },
    {
        .method = "GET",
        .path = "/openapi.json",
        .id = "openapi",
        .group = SERVICE,
        .description = "The document that you read.",
    },
    {0},
};
