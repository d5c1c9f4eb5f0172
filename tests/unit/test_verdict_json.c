/* The verdict as JSON: every word, its literal form, and hostile texts. */
#include "unit.h"

#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/json_valid.h"
#include "common/utf8.h"
#include "common/util.h"

static const char *const nothing_missing[] = {NULL};

/* What `print('Hello World')` gives. */
static struct sb_verdict hello(void)
{
    return (struct sb_verdict){
        .word = SB_OK,
        .id = "job-1",
        .text = {"Hello World\n", ""},
        .text_size = {12, 0},
        .written_bytes = {12, 0},
        .exit_code = 0,
        .wall_time_us = 12345,
        .cpu_time_us = 8001,
        .memory_peak_bytes = 4096000,
        .pids_peak = 2,
        .cgroup = "v2",
        .start = "cold",
        .missing = nothing_missing,
    };
}

static void set_stdout(struct sb_verdict *verdict, const char *text, size_t size)
{
    verdict->text[SB_STDOUT] = text;
    verdict->text_size[SB_STDOUT] = size;
}

/* Checked to be one line of valid JSON and UTF-8. The caller frees it. */
static char *to_json(const struct sb_verdict *verdict, unsigned flags)
{
    char *text = sb_verdict_json(verdict, flags);
    assert_non_null(text);
    if (!json_valid(text, strlen(text)))
        fail_msg("this is not JSON: %s", text);
    assert_null(strchr(text, '\n'));
    return text;
}

/* Fails unless the member of the verdict's JSON text reads so, printed as plain JSON. */
static void assert_member(const struct sb_verdict *verdict, unsigned flags, const char *path,
                          const char *expected)
{
    char *text = to_json(verdict, flags);
    struct json_object *object = json_tokener_parse(text), *member = NULL;
    assert_non_null(object);
    assert_int_equal(json_pointer_get(object, path, &member), 0);
    const char *printed = json_object_to_json_string_ext(
        member, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
    if (strcmp(printed, expected) != 0)
        fail_msg("%s is %s, not %s", path, printed, expected);
    json_object_put(object);
    free(text);
}

static void a_success_has_all_fields_in_their_order_and_no_error(void **state)
{
    (void)state;
    struct sb_verdict verdict = hello();
    char *text = to_json(&verdict, 0);
    assert_string_equal(
        text,
        "{\"status\":\"success\",\"output\":\"Hello World\",\"verdict\":\"ok\","
        "\"stdout\":\"Hello World\\n\",\"stderr\":\"\",\"truncated\":{\"stdout\":0,\"stderr\":0},"
        "\"exit_code\":0,\"signal\":null,\"result\":null,"
        "\"display\":[],\"displays_left_out\":0,"
        "\"usage\":{\"wall_time_ms\":12.345,\"cpu_time_ms\":8.001,"
        "\"memory_peak_bytes\":4096000,\"pids_peak\":2},"
        "\"enforcement\":{\"cgroup\":\"v2\",\"start\":\"cold\",\"missing\":[]},"
        "\"files\":{},\"files_left_out\":[],\"id\":\"job-1\"}");
    free(text);
}

static void refused_calls_are_told_where_there_are_some(void **state)
{
    (void)state;
    static const struct sb_denied calls[] = {{"socket(AF_NETLINK)", 3}, {"others", 1}};
    struct sb_verdict verdict = hello();
    verdict.denied = calls;
    verdict.denied_count = 2;
    assert_member(
        &verdict, 0, "/denied",
        "[{\"call\":\"socket(AF_NETLINK)\",\"count\":3},{\"call\":\"others\",\"count\":1}]");
    verdict.denied_count = -1;
    assert_member(&verdict, 0, "/denied", "null");
}

static void a_failure_has_its_error_behind_the_output(void **state)
{
    (void)state;
    static const char *const missing[] = {"memory_bytes", "cpus", NULL};
    struct sb_verdict verdict = hello();
    verdict.word = SB_TIMEOUT;
    verdict.error = "Execution timed out after 10 seconds";
    set_stdout(&verdict, "", 0);
    verdict.text[SB_STDERR] = "tick\n";
    verdict.text_size[SB_STDERR] = 5;
    verdict.dropped_bytes[SB_STDOUT] = 70;
    verdict.dropped_bytes[SB_STDERR] = INT64_MAX;
    verdict.exit_code = -1;
    verdict.signal = SIGKILL;
    verdict.wall_time_us = 10000000;
    verdict.cpu_time_us = verdict.memory_peak_bytes = verdict.pids_peak = -1;
    verdict.cgroup = "none";
    verdict.missing = missing;
    char *text = to_json(&verdict, 0);
    assert_string_equal(
        text, "{\"status\":\"error\",\"output\":\"\","
              "\"error\":\"Execution timed out after 10 seconds\",\"verdict\":\"timeout\","
              "\"stdout\":\"\",\"stderr\":\"tick\\n\","
              "\"truncated\":{\"stdout\":70,\"stderr\":9223372036854775807},"
              "\"exit_code\":null,\"signal\":\"SIGKILL\",\"result\":null,"
              "\"display\":[],\"displays_left_out\":0,"
              "\"usage\":{\"wall_time_ms\":10000.000,\"cpu_time_ms\":null,"
              "\"memory_peak_bytes\":null,\"pids_peak\":null},"
              "\"enforcement\":{\"cgroup\":\"none\",\"start\":\"cold\","
              "\"missing\":[\"memory_bytes\",\"cpus\"]},"
              "\"files\":{},\"files_left_out\":[],\"id\":\"job-1\"}");
    free(text);
}

static void each_word_has_its_name_and_only_ok_is_success(void **state)
{
    (void)state;
    static const char *const names[] = {"ok",       "exception", "exit",   "signal",  "timeout",
                                        "cpu_time", "memory",    "output", "internal"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct sb_verdict verdict = hello();
        char quoted[32];
        verdict.word = (enum sb_word)i;
        snprintf(quoted, sizeof(quoted), "\"%s\"", names[i]);
        assert_string_equal(sb_word_name(verdict.word), names[i]);
        assert_member(&verdict, 0, "/verdict", quoted);
        assert_member(&verdict, 0, "/status", i == 0 ? "\"success\"" : "\"error\"");
    }
}

static void output_is_stdout_without_its_last_newline_only(void **state)
{
    (void)state;
    static const struct {
        const char *text, *output;
    } cases[] = {{"4\n", "\"4\""},
                 {"0\n1\n2\n3\n4\n", "\"0\\n1\\n2\\n3\\n4\""},
                 {"no newline", "\"no newline\""},
                 {"\n", "\"\""},
                 {"\n\n", "\"\\n\""},
                 {"", "\"\""}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sb_verdict verdict = hello();
        set_stdout(&verdict, cases[i].text, strlen(cases[i].text));
        assert_member(&verdict, 0, "/output", cases[i].output);
    }
}

static void signals_have_their_names(void **state)
{
    (void)state;
    static const struct {
        int signal;
        const char *name;
    } cases[] = {{0, "null"},
                 {SIGKILL, "\"SIGKILL\""},
                 {SIGINT, "\"SIGINT\""},
                 {SIGSYS, "\"SIGSYS\""},
                 {SIGABRT, "\"SIGABRT\""},
                 {32, "\"SIG32\""},
                 {64, "\"SIGRTMIN+30\""},
                 {-1, "null"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sb_verdict verdict = hello();
        verdict.signal = cases[i].signal;
        assert_member(&verdict, 0, "/signal", cases[i].name);
    }
}

static void any_bytes_become_a_valid_string(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *string;
    } cases[] = {
        {"\0", 1, "\"\\u0000\""},
        {"\x01\x1f\x7f", 3, "\"\\u0001\\u001f\x7f\""},
        {"\b\f\r\t", 4, "\"\\b\\f\\r\\t\""},
        {"\"\\/", 3, "\"\\\"\\\\/\""},
        {"12345678\"", 9, "\"12345678\\\"\""},
        {"\u20ac\U0001f600", 7, "\"\u20ac\U0001f600\""},
        {"\xff", 1, "\"" UTF8_REPLACEMENT "\""},
        {"cut \xe2\x82", 6, "\"cut " UTF8_REPLACEMENT "\""},
        {"\xed\xa0\x80", 3, "\"" UTF8_REPLACEMENT UTF8_REPLACEMENT UTF8_REPLACEMENT "\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sb_verdict verdict = hello();
        set_stdout(&verdict, cases[i].bytes, cases[i].size);
        assert_member(&verdict, 0, "/stdout", cases[i].string);
        assert_member(&verdict, 0, "/output", cases[i].string);
    }
    for (int byte = 1; byte < 256; byte++) {
        const char text[] = {'a', (char)byte, 'b', '\0'};
        static const char *missing[] = {NULL, NULL};
        struct sb_verdict verdict = hello();
        verdict.word = SB_EXCEPTION;
        verdict.error = verdict.id = verdict.cgroup = verdict.start = missing[0] = text;
        verdict.missing = missing;
        set_stdout(&verdict, text, 3);
        free(to_json(&verdict, 0));
    }
}

static void a_text_of_any_size_is_whole(void **state)
{
    (void)state;
    for (size_t size = 0; size < 300000; size = size * 3 + 1) {
        char *bytes = malloc(size > 0 ? size : 1);
        assert_non_null(bytes);
        memset(bytes, '\x01', size); /* six characters each: much more than is reserved */
        struct sb_verdict verdict = hello();
        set_stdout(&verdict, bytes, size);
        char *text = to_json(&verdict, 0);
        size_t escapes = 0;
        for (const char *at = text; *at != '\0'; at++)
            escapes += strncmp(at, "\\u0001", 6) == 0;
        assert_int_equal(escapes, 2 * size); /* in output and in stdout */
        free(text);
        free(bytes);
    }
}

static void base64_gives_the_streams_byte_for_byte(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *string;
    } cases[] = {{"", 0, "\"\""},
                 {"f", 1, "\"Zg==\""},
                 {"fo", 2, "\"Zm8=\""},
                 {"foo", 3, "\"Zm9v\""},
                 {"foob", 4, "\"Zm9vYg==\""},
                 {"\0\xff\xfe\n", 4, "\"AP/+Cg==\""},
                 {"foobar", 6, "\"Zm9vYmFy\""}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sb_verdict verdict = hello();
        set_stdout(&verdict, cases[i].bytes, cases[i].size);
        verdict.text[SB_STDERR] = cases[i].bytes;
        verdict.text_size[SB_STDERR] = cases[i].size;
        assert_member(&verdict, SB_JSON_BASE64, "/stdout", cases[i].string);
        assert_member(&verdict, SB_JSON_BASE64, "/stderr", cases[i].string);
    }
    struct sb_verdict verdict = hello();
    assert_member(&verdict, SB_JSON_BASE64, "/output", "\"Hello World\"");
}

static void output_that_went_elsewhere_is_null(void **state)
{
    (void)state;
    struct sb_verdict verdict = hello();
    assert_member(&verdict, SB_JSON_NO_OUTPUT, "/output", "null");
    assert_member(&verdict, SB_JSON_NO_OUTPUT, "/stdout", "null");
    assert_member(&verdict, SB_JSON_NO_OUTPUT | SB_JSON_BASE64, "/stderr", "null");
}

static void what_the_script_says_of_its_end_is_output_too(void **state)
{
    (void)state;
    struct sb_verdict verdict = hello();
    verdict.word = SB_EXCEPTION;
    verdict.exception = "ValueError";
    verdict.error = "Traceback (most recent call last)";
    assert_member(&verdict, 0, "/error", "\"Traceback (most recent call last)\"");
    assert_member(&verdict, SB_JSON_NO_OUTPUT, "/error", "\"the script raised ValueError\"");
    assert_member(&verdict, SB_JSON_BASE64, "/error", "\"the script raised ValueError\"");
    verdict.word = SB_EXIT;
    verdict.exit_code = 2;
    verdict.text[SB_STDERR] = verdict.error = "usage: a\0b\n";
    verdict.text_size[SB_STDERR] = 11;
    assert_member(&verdict, 0, "/error", "\"usage: a\\u0000b\\n\"");
    assert_member(&verdict, SB_JSON_NO_OUTPUT, "/error", "\"the script ended with exit status 2\"");
    assert_member(&verdict, SB_JSON_BASE64, "/error", "\"the script ended with exit status 2\"");
    verdict = hello();
    verdict.word = SB_EXCEPTION;
    verdict.error = "Traceback (most recent call last)";
    verdict.exception = NULL; /* whoever made the verdict does not know it */
    assert_member(&verdict, SB_JSON_NO_OUTPUT, "/error", "\"Traceback (most recent call last)\"");
}

/* Files of many parts; in the first, characters lie across their borders. */
static void files_are_the_same_when_their_memory_is_given_back_meanwhile(void **state)
{
    (void)state;
    enum { SIZE = 2500003 };
    char *text[2] = {malloc(SIZE + 4), malloc(SIZE + 4)}, *bytes = malloc(SIZE), *json[2];
    assert_true(text[0] != NULL && text[1] != NULL && bytes != NULL);
    for (size_t i = 0; i < SIZE; i += 4)
        memcpy(text[0] + i, "\"\xe2\x82\xac", 4);
    memcpy(text[1], text[0], SIZE);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (char)(i % 251);
    for (unsigned spend = 0; spend < 2; spend++) {
        const struct sb_collected files[] = {
            {"a.txt", text[spend], SIZE / 4 * 4}, {"b", bytes, SIZE}, {"c.txt", "", 0}};
        struct sb_verdict verdict = hello();
        verdict.files = files;
        verdict.files_count = ARRAY_LEN(files);
        json[spend] = sb_verdict_json(&verdict, spend != 0 ? SB_JSON_SPEND : 0);
        assert_non_null(json[spend]);
    }
    assert_true(json_valid(json[0], strlen(json[0])));
    assert_string_equal(json[0], json[1]);
    assert_true(text[1][SIZE / 2] == '\0' && text[0][SIZE / 2] != '\0');
    for (int i = 0; i < 2; i++) {
        free(text[i]);
        free(json[i]);
    }
    free(bytes);
}

static void a_result_stands_in_the_answer_as_the_script_gave_it(void **state)
{
    (void)state;
    static const struct {
        const char *result, *in_text;
    } cases[] = {
        {"{\"message\": \"Hello, World!\"}", "\"result\":{\"message\":\"Hello, World!\"},"},
        {"null", "\"result\":null,"},
        {NULL, "\"result\":null,"},
        {"", "\"result\":null,"},
        {"\n [ 1 ,\t\"a b\\\" c\\\\\" , 2.50 ]\r\n", "\"result\":[1,\"a b\\\" c\\\\\",2.50],"},
        /* integers of Python that no 64 bits hold */
        {"1267650600228229401496703205376", "\"result\":1267650600228229401496703205376,"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sb_verdict verdict = hello();
        verdict.result = cases[i].result;
        char *text = to_json(&verdict, 0);
        if (strstr(text, cases[i].in_text) == NULL)
            fail_msg("%s has no %s", text, cases[i].in_text);
        free(text);
    }
}

static void an_error_without_text_is_an_empty_one(void **state)
{
    (void)state;
    struct sb_verdict verdict = hello();
    verdict.word = SB_EXIT;
    assert_member(&verdict, 0, "/error", "\"\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_success_has_all_fields_in_their_order_and_no_error),
        cmocka_unit_test(refused_calls_are_told_where_there_are_some),
        cmocka_unit_test(a_failure_has_its_error_behind_the_output),
        cmocka_unit_test(each_word_has_its_name_and_only_ok_is_success),
        cmocka_unit_test(output_is_stdout_without_its_last_newline_only),
        cmocka_unit_test(signals_have_their_names),
        cmocka_unit_test(any_bytes_become_a_valid_string),
        cmocka_unit_test(a_text_of_any_size_is_whole),
        cmocka_unit_test(base64_gives_the_streams_byte_for_byte),
        cmocka_unit_test(output_that_went_elsewhere_is_null),
        cmocka_unit_test(what_the_script_says_of_its_end_is_output_too),
        cmocka_unit_test(files_are_the_same_when_their_memory_is_given_back_meanwhile),
        cmocka_unit_test(a_result_stands_in_the_answer_as_the_script_gave_it),
        cmocka_unit_test(an_error_without_text_is_an_empty_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
