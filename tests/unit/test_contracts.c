/* The contracts' answers, byte for byte: each form, and the status of each verdict. */
#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/json_valid.h"
#include "common/util.h"
#include "serve/contracts/contracts.h"

static const char *const nothing_missing[] = {NULL};

static struct sb_verdict hello(void)
{
    return (struct sb_verdict){
        .word = SB_OK,
        .id = "job-1",
        .text = {"Hello World\n", ""},
        .text_size = {12, 0},
        .wall_time_us = 12345,
        .cpu_time_us = 8001,
        .memory_peak_bytes = 4096000,
        .pids_peak = 2,
        .cgroup = "v2",
        .start = "cold",
        .missing = nothing_missing,
    };
}

static struct sb_verdict raised(void)
{
    struct sb_verdict verdict = hello();
    verdict.word = SB_EXCEPTION;
    verdict.error = "Traceback …";
    verdict.text[SB_STDERR] = "Traceback …";
    verdict.text_size[SB_STDERR] = strlen("Traceback …");
    verdict.exit_code = 1;
    return verdict;
}

static struct sb_verdict timed_out(void)
{
    struct sb_verdict verdict = hello();
    verdict.word = SB_TIMEOUT;
    verdict.error = "Execution timed out after 10 seconds";
    verdict.signal = SIGKILL;
    verdict.wall_time_us = 10000321;
    return verdict;
}

#define KEPT(stderr_text)                                                                          \
    "\"stderr\":\"" stderr_text "\",\"truncated\":{\"stdout\":0,\"stderr\":0}}"

static void assert_answer(enum contract_id id, const struct sb_verdict *verdict, unsigned status,
                          const char *expected)
{
    unsigned answered;
    char *text = contract_answer(id, verdict, 0, &answered);
    assert_non_null(text);
    assert_true(json_valid(text, strlen(text)));
    assert_string_equal(text, expected);
    assert_int_equal(answered, status);
    free(text);
}

static void run_code_answers_output_and_error(void **state)
{
    (void)state;
    struct sb_verdict good = hello(), bad = raised(), late = timed_out();
    assert_answer(RUN_CODE, &good, 200, "{\"output\":\"Hello World\",\"error\":\"\"," KEPT(""));
    assert_answer(RUN_CODE, &bad, 200,
                  "{\"output\":\"Hello World\",\"error\":\"Traceback …\"," KEPT("Traceback …"));
    assert_answer(
        RUN_CODE, &late, 500,
        "{\"output\":\"Hello World\",\"error\":\"Execution timed out after 10 seconds\"," KEPT(""));
}

static void execute_answers_output_error_and_seconds(void **state)
{
    (void)state;
    struct sb_verdict good = hello(), bad = raised(), late = timed_out();
    assert_answer(EXECUTE, &good, 200,
                  "{\"output\":\"Hello World\",\"execution_time\":0.012345," KEPT(""));
    assert_answer(EXECUTE, &bad, 200,
                  "{\"output\":\"Hello World\",\"error\":\"Traceback …\","
                  "\"execution_time\":0.012345," KEPT("Traceback …"));
    assert_answer(EXECUTE, &late, 200,
                  "{\"output\":\"Hello World\",\"error\":\"Execution timed out after 10 seconds\","
                  "\"execution_time\":10.000321," KEPT(""));
}

static void a_script_answers_its_result_apart_from_what_it_printed(void **state)
{
    (void)state;
    struct sb_verdict good = hello(), bad = raised(), late = timed_out();
    good.result = "{\"message\": \"Hello, World!\"}";
    assert_answer(
        EXECUTE_SCRIPT, &good, 200,
        "{\"result\":{\"message\":\"Hello, World!\"},\"stdout\":\"Hello World\\n\"," KEPT(""));
    good.result = "null";
    good.text_size[SB_STDOUT] = 0;
    assert_answer(EXECUTE_SCRIPT, &good, 200, "{\"result\":null,\"stdout\":\"\"," KEPT(""));
    assert_answer(EXECUTE_SCRIPT, &bad, 400,
                  "{\"error\":\"Traceback …\",\"stdout\":\"Hello World\\n\"," KEPT("Traceback …"));
    assert_answer(EXECUTE_SCRIPT, &late, 500,
                  "{\"error\":\"Execution timed out after 10 seconds\","
                  "\"stdout\":\"Hello World\\n\"," KEPT(""));
    good.result = NULL; /* sys.exit(0) in main() */
    assert_answer(EXECUTE_SCRIPT, &good, 400,
                  "{\"error\":\"the script ended before main() returned a value\","
                  "\"stdout\":\"\"," KEPT(""));
}

static void the_native_answer_is_the_whole_verdict(void **state)
{
    (void)state;
    struct sb_verdict good = hello(), late = timed_out();
    char *expected = sb_verdict_json(&good, 0);
    assert_answer(NATIVE, &good, 200, expected);
    free(expected);
    expected = sb_verdict_json(&late, 0);
    assert_answer(NATIVE, &late, 200, expected);
    free(expected);
}

/* Code that raises an exception is answered with 200. POST /run_code: 500 only when time or memory
 * ran out, or the sandbox failed. A script: 400 when it is at fault, 500 when it reached a limit.
 */
static void each_verdict_has_its_status(void **state)
{
    (void)state;
    static const struct {
        enum sb_word word;
        unsigned status[CONTRACTS];
    } rows[] = {
        {SB_OK, {200, 200, 200, 200}},       {SB_EXCEPTION, {200, 200, 200, 400}},
        {SB_EXIT, {200, 200, 200, 400}},     {SB_SIGNAL, {200, 200, 200, 400}},
        {SB_TIMEOUT, {200, 500, 200, 500}},  {SB_CPU_TIME, {200, 500, 200, 500}},
        {SB_MEMORY, {200, 500, 200, 500}},   {SB_OUTPUT, {200, 200, 200, 500}},
        {SB_INTERNAL, {500, 500, 500, 500}},
    };
    assert_int_equal(ARRAY_LEN(rows), SB_INTERNAL + 1);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (int id = 0; id < CONTRACTS; id++)
            assert_int_equal(contracts[id].status[rows[i].word], rows[i].status[id]);
}

static void any_output_makes_valid_json(void **state)
{
    (void)state;
    struct sb_verdict verdict = raised();
    verdict.text[SB_STDOUT] = verdict.text[SB_STDERR] = verdict.error = "\xff\"\\\n\x01";
    verdict.text_size[SB_STDOUT] = verdict.text_size[SB_STDERR] = 5;
    for (int id = 0; id < CONTRACTS; id++)
        for (int word = SB_EXCEPTION; word <= SB_INTERNAL; word++) {
            unsigned status;
            verdict.word = (enum sb_word)word;
            char *text = contract_answer((enum contract_id)id, &verdict, 0, &status);
            assert_true(json_valid(text, strlen(text)));
            free(text);
        }
}

static void every_form_tells_how_many_bytes_are_missing(void **state)
{
    (void)state;
    struct sb_verdict verdict = raised();
    verdict.result = "1";
    verdict.dropped_bytes[SB_STDOUT] = 70;
    verdict.dropped_bytes[SB_STDERR] = INT64_MAX;
    for (int id = 0; id < CONTRACTS; id++)
        for (int word = SB_OK; word <= SB_INTERNAL; word++) {
            unsigned status;
            verdict.word = (enum sb_word)word;
            char *text = contract_answer((enum contract_id)id, &verdict, 0, &status);
            assert_non_null(
                strstr(text, "\"truncated\":{\"stdout\":70,\"stderr\":9223372036854775807}"));
            assert_non_null(strstr(text, "\"stderr\":\"Traceback …\""));
            free(text);
        }
}

static void an_error_that_is_the_scripts_own_may_hold_nul_characters(void **state)
{
    (void)state;
    struct sb_verdict verdict = raised();
    verdict.text[SB_STDERR] = verdict.error = "a\0b";
    verdict.text_size[SB_STDERR] = 3;
    for (int id = 0; id < CONTRACTS; id++) {
        unsigned status;
        char *text = contract_answer((enum contract_id)id, &verdict, 0, &status);
        assert_non_null(strstr(text, "\"error\":\"a\\u0000b\""));
        free(text);
    }
}

static void refusals_name_the_field(void **state)
{
    (void)state;
    static const struct {
        enum contract_id id;
        const char *field, *expected;
    } cases[] = {
        {NATIVE, "code", "{\"status\":\"error\",\"error\":\"no\",\"field\":\"code\"}"},
        {RUN_CODE, "", "{\"status\":\"error\",\"error\":\"no\",\"field\":null}"},
        {EXECUTE, NULL, "{\"status\":\"error\",\"error\":\"no\",\"field\":null}"},
        {EXECUTE_SCRIPT, "script",
         "{\"status\":\"error\",\"error\":\"no\",\"stdout\":\"\",\"stderr\":\"\","
         "\"truncated\":{\"stdout\":0,\"stderr\":0},\"field\":\"script\"}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *text = contract_refusal(cases[i].id, cases[i].field, "no");
        assert_string_equal(text, cases[i].expected);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_code_answers_output_and_error),
        cmocka_unit_test(execute_answers_output_error_and_seconds),
        cmocka_unit_test(a_script_answers_its_result_apart_from_what_it_printed),
        cmocka_unit_test(the_native_answer_is_the_whole_verdict),
        cmocka_unit_test(each_verdict_has_its_status),
        cmocka_unit_test(any_output_makes_valid_json),
        cmocka_unit_test(every_form_tells_how_many_bytes_are_missing),
        cmocka_unit_test(an_error_that_is_the_scripts_own_may_hold_nul_characters),
        cmocka_unit_test(refusals_name_the_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
