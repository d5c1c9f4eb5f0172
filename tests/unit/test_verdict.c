/* Which evidence makes which word: the table of verdicts, row by row. */
#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/verdict.h"
#include "policy/policy.h"

/* wait(2)'s statuses. */
#define EXITED(code) ((code) << 8)
#define KILLED(signal) (signal)

struct row {
    const char *what;
    /* evidence */
    enum cause cause;
    bool exited, failed;
    int status, init_status;
    int64_t oom_kills;
    bool no_hits;        /* the job never reached its own limit */
    int64_t peak_mib;    /* memory, on v1, where hits are not counted; 0: a row of v2 */
    const char *message; /* on the result pipe */
    const char *stderr_text;
    bool output_kills, flooded; /* the policy; more was read than output_bytes */
    /* verdict */
    enum sb_word word;
    int exit_code, signal;
    const char *error;  /* a part of it */
    const char *result; /* NULL: none */
};

static const struct row rows[] = {
    {"ran to its end", .exited = true, .word = SB_OK},
    {"ran to its end, with a value", .exited = true, .message = "R{\"a\": [1]}", .word = SB_OK,
     .result = "{\"a\": [1]}"},
    {"a value with half a surrogate pair", .exited = true, .message = "R\"\\ud800\"", .word = SB_OK,
     .result = "\"\\ufffd\""},
    {"a value that is no JSON", .exited = true, .message = "R{\"a\": ", .word = SB_OK},
    {"a value with something behind it", .exited = true, .message = "R1 2", .word = SB_OK},
    {"garbage for a value", .exited = true, .message = "\xff\xfe", .word = SB_OK},
    {"only the letter", .exited = true, .message = "R", .word = SB_OK},
    {"not a number", .exited = true, .message = "RNaN", .word = SB_OK},
    {"an exception", .exited = true, .status = EXITED(1), .message = "EValueError",
     .word = SB_EXCEPTION, .exit_code = 1, .error = "ValueError"},
    {"an exception that is only claimed", .exited = true, .message = "EValueError", .word = SB_OK},
    {"an exception with no plausible name", .exited = true, .status = EXITED(1),
     .message = "EValue\nError", .word = SB_EXIT, .exit_code = 1, .error = "exit status 1"},
    {"exit 1 of its own", .exited = true, .status = EXITED(1), .word = SB_EXIT, .exit_code = 1,
     .error = "exit status 1"},
    {"a forged timeout", .exited = true, .status = EXITED(124), .word = SB_EXIT, .exit_code = 124,
     .error = "exit status 124"},
    {"a forged memory kill", .exited = true, .status = EXITED(137), .word = SB_EXIT,
     .exit_code = 137, .error = "exit status 137"},
    {"a signal", .exited = true, .status = KILLED(SIGSEGV), .word = SB_SIGNAL, .exit_code = -1,
     .signal = SIGSEGV, .error = "SIGSEGV"},
    {"SIGKILL of its own", .exited = true, .status = KILLED(SIGKILL), .word = SB_SIGNAL,
     .exit_code = -1, .signal = SIGKILL, .error = "SIGKILL"},
    {"pid 1 was killed", .init_status = SIGKILL, .word = SB_INTERNAL, .exit_code = -1,
     .error = "ended from outside the sandbox (signal 9)"},
    {"the host ran out of memory", .exited = true, .status = KILLED(SIGKILL), .oom_kills = 1,
     .no_hits = true, .word = SB_INTERNAL, .exit_code = -1, .error = "the host ran out of memory"},
    {"the host had too little memory left", .cause = CAUSE_HOST_MEMORY, .exited = true,
     .status = KILLED(SIGKILL), .word = SB_INTERNAL, .exit_code = -1, .error = "interrupted"},
    {"the host ran out of memory, on v1", .exited = true, .status = KILLED(SIGKILL), .oom_kills = 1,
     .peak_mib = 30, .word = SB_INTERNAL, .exit_code = -1, .error = "the host ran out of memory"},
    {"the host ran out of memory, on v1, and a child was killed", .cause = CAUSE_OOM,
     .init_status = SIGKILL, .oom_kills = 1, .peak_mib = 30, .word = SB_INTERNAL, .exit_code = -1,
     .error = "the host ran out of memory"},
    {"the kernel killed for memory, on v1, just below the limit", .exited = true,
     .status = KILLED(SIGKILL), .oom_kills = 1, .peak_mib = 127, .word = SB_MEMORY, .exit_code = -1,
     .signal = SIGKILL, .error = "memory_bytes"},
    {"wall time", .cause = CAUSE_WALL_TIME, .init_status = SIGKILL, .word = SB_TIMEOUT,
     .exit_code = -1, .signal = SIGKILL, .error = "Execution timed out after 10 seconds"},
    {"CPU time", .cause = CAUSE_CPU_TIME, .init_status = SIGKILL, .word = SB_CPU_TIME,
     .exit_code = -1, .signal = SIGKILL, .error = "cpu_time_ms"},
    {"the kernel killed for memory", .exited = true, .status = KILLED(SIGKILL), .oom_kills = 1,
     .word = SB_MEMORY, .exit_code = -1, .signal = SIGKILL,
     .error = "the memory limit of 128 MiB (memory_bytes) was reached"},
    {"the kernel killed a child for memory", .cause = CAUSE_OOM, .init_status = SIGKILL,
     .oom_kills = 1, .word = SB_MEMORY, .exit_code = -1, .signal = SIGKILL,
     .error = "memory_bytes"},
    {"output under a policy that kills", .cause = CAUSE_OUTPUT, .init_status = SIGKILL,
     .word = SB_OUTPUT, .exit_code = -1, .signal = SIGKILL, .error = "output_bytes"},
    {"output under a policy that kills, read after the end", .exited = true, .output_kills = true,
     .flooded = true, .word = SB_OUTPUT, .exit_code = -1, .signal = SIGKILL,
     .error = "output_bytes"},
    {"a flood and an exception under a policy that kills", .exited = true, .status = EXITED(1),
     .message = "EValueError", .output_kills = true, .flooded = true, .word = SB_OUTPUT,
     .exit_code = -1, .signal = SIGKILL, .error = "output_bytes"},
    {"a flood under a policy that truncates", .exited = true, .flooded = true, .word = SB_OK},
    {"a flood after the wall time", .cause = CAUSE_WALL_TIME, .init_status = SIGKILL,
     .output_kills = true, .flooded = true, .word = SB_TIMEOUT, .exit_code = -1, .signal = SIGKILL,
     .error = "timed out"},
    {"the caller", .cause = CAUSE_CALLER, .init_status = SIGKILL, .word = SB_SIGNAL,
     .exit_code = -1, .signal = SIGINT, .error = "interrupted"},
    {"the caller, too late for memory", .cause = CAUSE_CALLER, .init_status = SIGKILL,
     .oom_kills = 0, .word = SB_SIGNAL, .exit_code = -1, .signal = SIGINT, .error = "interrupted"},
    {"a step that failed", .failed = true, .init_status = 125, .word = SB_INTERNAL, .exit_code = -1,
     .error =
         "Operation not permitted; is user.max_net_namespaces used up?; see sandbox-run --doctor"},
};

/* Where the script said itself why it ended, the verdict has its words. */
static const struct row with_stderr[] = {
    {"an exception with a traceback", .exited = true, .status = EXITED(1), .message = "EValueError",
     .stderr_text = "Traceback…\n", .word = SB_EXCEPTION, .exit_code = 1, .error = "Traceback…"},
    {"exit 2 of its own, with a word on stderr", .exited = true, .status = EXITED(2),
     .stderr_text = "usage: …\n", .word = SB_EXIT, .exit_code = 2, .error = "usage: …\n"},
    {"a signal, with a word on stderr", .exited = true, .status = KILLED(SIGABRT),
     .stderr_text = "Fatal Python error\n", .word = SB_SIGNAL, .exit_code = -1, .signal = SIGABRT,
     .error = "the script was ended by signal SIGABRT"},
    {"wall time, with a word on stderr", .cause = CAUSE_WALL_TIME, .init_status = SIGKILL,
     .stderr_text = "still at it\n", .word = SB_TIMEOUT, .exit_code = -1, .signal = SIGKILL,
     .error = "Execution timed out after 10 seconds"},
    {"a word on stderr and a good end", .exited = true, .stderr_text = "a warning\n",
     .word = SB_OK},
};

static const struct sb_policy killing = {.output_kills = true}, truncating = {0};

static void check(const struct row *row, const struct sb_verdict *verdict)
{
    if (verdict->word != row->word)
        fail_msg("%s: the word is %s, not %s", row->what, sb_word_name(verdict->word),
                 sb_word_name(row->word));
    if (verdict->exit_code != row->exit_code || verdict->signal != row->signal)
        fail_msg("%s: exit code %d, signal %d", row->what, verdict->exit_code, verdict->signal);
    if ((row->error == NULL) != (verdict->error == NULL) ||
        (row->error && !strstr(verdict->error, row->error)))
        fail_msg("%s: the error is \"%s\"", row->what, verdict->error ? verdict->error : "NULL");
    if ((row->result == NULL) != (verdict->result == NULL) ||
        (row->result && strcmp(verdict->result, row->result) != 0))
        fail_msg("%s: the result is %s", row->what, verdict->result ? verdict->result : "NULL");
}

static struct asked asked_of(const struct row *row)
{
    struct asked asked = {.policy = row->output_kills ? &killing : &truncating};
    asked.limits.value[SB_WALL_TIME_MS] = asked.limits.value[SB_CPU_TIME_MS] = 10000;
    asked.limits.value[SB_MEMORY_BYTES] = 128 << 20;
    asked.limits.value[SB_OUTPUT_BYTES] = asked.limits.value[SB_RESULT_BYTES] = 1000;
    return asked;
}

static struct evidence evidence_of(const struct row *row)
{
    return (struct evidence){
        .cause = row->cause,
        .kill_signal = SIGINT,
        .reason = "interrupted",
        .end = row->failed   ? SCRIPT_FAILED
               : row->exited ? SCRIPT_EXITED
                             : SCRIPT_UNSEEN,
        .failure = {.kind = REPORT_FAILED, .value = 1},
        .status = row->status,
        .init_code = CLD_KILLED,
        .init_status = row->init_status,
        .message = row->message ? strdup(row->message) : NULL,
        .message_size = row->message ? strlen(row->message) : 0,
        .written = {row->flooded ? 1001 : 0},
        .oom_kills = row->oom_kills,
        .memory_hits = row->peak_mib > 0 ? -1 : !row->no_hits,
        .memory_peak = row->peak_mib << 20,
        .times_us = -1,
    };
}

static void each_word_follows_from_what_was_asked_and_the_evidence(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[VERDICT_TEXT_SIZE];
        const struct asked asked = asked_of(&rows[i]);
        struct evidence evidence = evidence_of(&rows[i]);
        struct sb_verdict verdict = {0};
        verdict_judge(&verdict, &asked, &evidence, text);
        verdict.error = text[0] != '\0' ? text : NULL;
        check(&rows[i], &verdict);
        evidence_free(&evidence);
    }
}

static void check_given(void *user, const struct sb_verdict *verdict)
{
    const struct row **row = user;
    check(*row, verdict);
    *row = NULL;
}

static void the_words_of_the_script_on_stderr_are_the_error_where_it_ended_by_itself(void **state)
{
    (void)state;
    struct sb_sandbox sandbox = {0};
    for (size_t i = 0; i < sizeof(with_stderr) / sizeof(with_stderr[0]); i++) {
        const struct row *row = &with_stderr[i];
        struct sb_run run = {
            .sandbox = &sandbox, .asked = asked_of(row), .evidence = evidence_of(row)};
        run.asked.on_done = check_given;
        run.asked.user = &row;
        for (int s = 0; s < SB_STREAMS; s++)
            stream_init(&run.stream[s], 1000);
        stream_keep(&run.stream[SB_STDERR], row->stderr_text, strlen(row->stderr_text));
        verdict_give(&run);
        assert_null(row); /* it was given, and checked */
        evidence_free(&run.evidence);
        for (int s = 0; s < SB_STREAMS; s++)
            stream_free(&run.stream[s]);
    }
}

static void a_result_that_is_too_long_is_said_to_be(void **state)
{
    (void)state;
    static const struct row row = {"a result too long", .exited = true, .word = SB_OUTPUT,
                                   .error = "result_bytes"};
    char text[VERDICT_TEXT_SIZE];
    const struct asked asked = asked_of(&row);
    struct evidence evidence = evidence_of(&row);
    struct sb_verdict verdict = {0};
    evidence.message_too_long = true;
    verdict_judge(&verdict, &asked, &evidence, text);
    verdict.error = text;
    check(&row, &verdict);
}

static void cpu_time_runs_out_by_rlimit_only_where_no_cgroup_counts(void **state)
{
    (void)state;
    static const struct row
        limit = {"RLIMIT_CPU",    .exited = true,    .status = KILLED(SIGKILL), .word = SB_CPU_TIME,
                 .exit_code = -1, .signal = SIGKILL, .error = "cpu_time_ms"},
        signal = {"SIGKILL of its own", .exited = true,  .status = KILLED(SIGKILL),
                  .word = SB_SIGNAL,    .exit_code = -1, .signal = SIGKILL,
                  .error = "SIGKILL"};
    static const struct {
        const struct row *row;
        int64_t times_us, cpu_time_us;
    } cases[] = {{&limit, 9000000, 9000000}, {&signal, 4000000, 4000000}, {&signal, -1, 9000000}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[VERDICT_TEXT_SIZE];
        const struct asked asked = asked_of(cases[i].row);
        struct evidence evidence = evidence_of(cases[i].row);
        struct sb_verdict verdict = {0};
        evidence.times_us = cases[i].times_us;
        evidence.cpu_time_us = cases[i].cpu_time_us;
        verdict_judge(&verdict, &asked, &evidence, text);
        verdict.error = text;
        check(cases[i].row, &verdict);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_word_follows_from_what_was_asked_and_the_evidence),
        cmocka_unit_test(the_words_of_the_script_on_stderr_are_the_error_where_it_ended_by_itself),
        cmocka_unit_test(a_result_that_is_too_long_is_said_to_be),
        cmocka_unit_test(cpu_time_runs_out_by_rlimit_only_where_no_cgroup_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
