/* A verdict that comes back from a service is the one that it gave; what is none is told apart. */
#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/via_answer.h"
#include "common/util.h"

static const char *const nothing[] = {NULL};
static const char *const two[] = {"memory_bytes", "a \"quoted\" one", NULL};

/* What a row does not say. */
static struct sb_verdict complete(struct sb_verdict verdict)
{
    verdict.id = "c273168dd9da0a62";
    verdict.wall_time_us = 12345;
    verdict.start = "warm";
    if (verdict.text[SB_STDOUT] == NULL) {
        verdict.text[SB_STDOUT] = "Hello\n";
        verdict.text_size[SB_STDOUT] = 6;
    }
    if (verdict.text[SB_STDERR] == NULL)
        verdict.text[SB_STDERR] = "";
    if (verdict.cgroup == NULL)
        verdict.cgroup = "v2";
    if (verdict.missing == NULL)
        verdict.missing = nothing;
    return verdict;
}

static void assert_same(const struct sb_verdict *got, const struct sb_verdict *wanted)
{
    for (unsigned flags = 0; flags < 4; flags++) {
        char *wanted_json = sb_verdict_json(wanted, flags), *json = sb_verdict_json(got, flags);
        assert_string_equal(json, wanted_json);
        free(wanted_json);
        free(json);
    }
    for (int stream = 0; stream < SB_STREAMS; stream++) {
        assert_int_equal(got->text_size[stream], wanted->text_size[stream]);
        assert_memory_equal(got->text[stream], wanted->text[stream], wanted->text_size[stream]);
    }
}

static void what_was_given_comes_back(void **state)
{
    (void)state;
    static const char traceback[] = "Traceback …\nValueError: x\n", usage[] = "usage: a\0b\n";
    static const struct sb_verdict rows[] = {
        {.word = SB_OK, .cpu_time_us = 8001, .memory_peak_bytes = 4096000, .pids_peak = 2},
        {.word = SB_OK, .result = "{\"a\":[1e300,\"}],\\\"\",null]}"},
        {.word = SB_OK, .result = "1267650600228229401496703205376"},
        {.word = SB_OK, .display = "[]"},
        {.word = SB_OK,
         .display = "[{\"text/plain\":\"1\",\"application/json\":[1e300,\"}\"]}]",
         .displays_left_out = 7},
        {.word = SB_OK, .text = {"\0\xff\n}", "\xc3"}, .text_size = {4, 1}},
        {.word = SB_EXCEPTION,
         .exit_code = 1,
         .exception = "ValueError",
         .error = traceback,
         .text = {"", traceback},
         .text_size = {0, sizeof(traceback) - 1}},
        {.word = SB_EXIT, .exit_code = 255, .error = "the script ended with exit status 255"},
        {.word = SB_EXIT,
         .exit_code = 2,
         .error = usage,
         .text = {"", usage},
         .text_size = {0, sizeof(usage) - 1}},
        {.word = SB_SIGNAL, .exit_code = -1, .signal = 35, .error = "real-time signals have one"},
        {.word = SB_SIGNAL, .exit_code = -1, .signal = SIGABRT, .error = "a name"},
        {.word = SB_SIGNAL, .exit_code = -1, .signal = 33, .error = "this one has none"},
        {.word = SB_TIMEOUT, .exit_code = -1, .signal = SIGKILL, .error = "a \"b\",\ntwo }\\"},
        {.word = SB_MEMORY, .exit_code = -1, .dropped_bytes = {70, INT64_MAX}, .error = ""},
        {.word = SB_INTERNAL,
         .exit_code = -1,
         .cpu_time_us = -1,
         .memory_peak_bytes = -1,
         .pids_peak = -1,
         .cgroup = "none",
         .missing = two,
         .error = "nothing worked"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sb_verdict verdict = complete(rows[i]);
        char *given = sb_verdict_json(&verdict, SB_JSON_BASE64);
        struct answer answer;
        assert_non_null(given);
        if (answer_read(&answer, given, strlen(given)) < 0)
            fail_msg("not taken: %s", given);
        assert_null(answer.refusal);
        assert_same(&answer.verdict, &verdict);
        answer_free(&answer);
        free(given);
    }
}

static void a_refusal_is_its_sentence(void **state)
{
    (void)state;
    static const char body[] =
        "{\"status\":\"error\",\"error\":\"not \\\"this\\\"\",\"field\":null}";
    struct answer answer;
    assert_int_equal(answer_read(&answer, body, sizeof(body) - 1), 0);
    assert_string_equal(answer.refusal, "not \"this\"");
    answer_free(&answer);
}

#define STREAMS "\"stdout\":\"\",\"stderr\":\"\""

static void what_is_neither_is_not_taken(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "",
        "{",
        "}",
        "{}",
        "[]",
        "null",
        "{\"error\":5}",
        "{\"a\":\"\\",
        "{\"a\":1]",
        "{\"a\":[}",
        "{\"verdict\":\"ok\"}",
        "{\"verdict\":\"fine\"," STREAMS "}",
        "{\"verdict\":[\"ok\"]," STREAMS "}",
        "{\"verdict\":\"ok\",\"stdout\":\"\"}",
        "{\"verdict\":\"ok\"," STREAMS,
        "{\"verdict\":\"ok\"," STREAMS ",\"result\":NaN}",
        "{\"verdict\":\"ok\"," STREAMS ",\"result\":1 2}",
        "{\"verdict\":\"ok\"," STREAMS ",\"result\":nullify}",
        "{\"verdict\":\"ok\"," STREAMS ",\"result\":\"\xff\"}",
        "{\"verdict\":\"ok\"," STREAMS ",\"result\":\"\\ud800\"}",
        "{\"verdict\":\"ok\"," STREAMS ",\"result\":}",
        "{\"verdict\":\"ok\"," STREAMS "}}",
        "{\"a name that is longer than any that an answer has\":1}",
    };
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct answer answer;
        if (answer_read(&answer, bodies[i], strlen(bodies[i])) == 0)
            fail_msg("taken: %s", bodies[i]);
        answer_free(&answer);
    }
}

static void numbers_that_cannot_be_are_none(void **state)
{
    (void)state;
    static const char *const members[] = {
        "\"exit_code\":256",
        "\"exit_code\":-2",
        "\"exit_code\":9223372036854775807",
        "\"exit_code\":\"0\"",
        "\"exit_code\":1.5",
        "\"usage\":{\"wall_time_ms\":1e300}",
        "\"usage\":{\"wall_time_ms\":-1}",
        "\"usage\":{\"wall_time_ms\":null}",
        "\"usage\":7",
        "\"signal\":\"SIG999999999999\"",
        "\"signal\":\"SIGRTMIN+2147483647\"",
        "\"signal\":\"SIG\"",
        "\"signal\":9",
    };
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        char body[256];
        int size =
            snprintf(body, sizeof(body), "{\"verdict\":\"exit\"," STREAMS ",%s}", members[i]);
        struct answer answer;
        if (answer_read(&answer, body, (size_t)size) < 0)
            fail_msg("not taken: %s", body);
        assert_int_equal(answer.verdict.exit_code, -1);
        assert_int_equal(answer.verdict.signal, 0);
        assert_int_equal(answer.verdict.wall_time_us, -1);
        answer_free(&answer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_given_comes_back),
        cmocka_unit_test(a_refusal_is_its_sentence),
        cmocka_unit_test(what_is_neither_is_not_taken),
        cmocka_unit_test(numbers_that_cannot_be_are_none),
    };
    return cmocka_run_group_tests_name("via_answer", tests, NULL, NULL);
}
