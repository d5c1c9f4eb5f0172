/* Cases of a graded run: how each becomes a job, which of them is the worst, and what the answer
 * as a whole has. What a mistake in them is called: tests/http/test_graded.py. */
#include "unit.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/case_results.h"
#include "common/util.h"

static struct json_object *read_cases(struct cases *cases, const char *text)
{
    struct sb_error err;
    struct json_object *array = json_tokener_parse(text);
    *cases = (struct cases){0};
    if (cases_read(cases, "cases", array, &err) < 0)
        fail_msg("%s: %s", text, err.message);
    return array;
}

/* ── Jobs ────────────────────────────────────────────────────────────────────────────────────── */

static const char *const shared_args[] = {"x", NULL}, *const shared_env[] = {"A=1", "B=2", NULL};
static const struct sb_file shared_files[] = {{"a", "fa", 2, true}, {"d/b", "fb", 2, true}};
static const struct sb_job shared = {.stdin_data = "in",
                                     .stdin_size = 2,
                                     .args = shared_args,
                                     .env = shared_env,
                                     .files = shared_files,
                                     .files_count = 2};

static void what_a_case_does_not_have_is_the_shared_jobs(void **state)
{
    (void)state;
    struct cases cases;
    struct case_job made;
    struct json_object *array = read_cases(&cases, "[{}]");
    assert_int_equal(case_job_make(&made, &shared, &cases.cases[0]), 0);
    assert_memory_equal(&made.job, &shared, sizeof(shared));
    assert_null(made.files);
    assert_null(made.env);
    case_job_free(&made);
    cases_free(&cases);
    json_object_put(array);
}

static void what_a_case_has_replaces_or_adds_to_it(void **state)
{
    (void)state;
    struct cases cases;
    struct case_job made;
    struct json_object *array =
        read_cases(&cases, "[{\"stdin\":{\"base64\":\"AP8=\"},\"args\":[],\"env\":{\"B\":\"3\"},"
                           "\"files\":{\"./d//b\":\"own\",\"c\":\"\"},\"call\":\"f\"}]");
    assert_int_equal(case_job_make(&made, &shared, &cases.cases[0]), 0);
    assert_int_equal(made.job.stdin_size, 2);
    assert_memory_equal(made.job.stdin_data, "\0\xff", 2);
    assert_null(made.job.args[0]);
    assert_string_equal(made.job.call, "f");
    assert_string_equal(made.job.env[0], "A=1");
    assert_string_equal(made.job.env[2], "B=3"); /* the last one of a name counts */
    assert_null(made.job.env[3]);
    assert_int_equal(made.job.files_count, 3);
    assert_string_equal(made.job.files[0].path, "a");
    assert_string_equal(made.job.files[1].path, "./d//b");
    assert_string_equal(made.job.files[2].path, "c");
    case_job_free(&made);
    cases_free(&cases);
    json_object_put(array);
}

static int accept(const struct sb_job *job, struct sb_error *err)
{
    (void)job, (void)err;
    return 0;
}

static size_t checked;

static int refuse_third(const struct sb_job *job, struct sb_error *err)
{
    (void)job;
    if (++checked < 3)
        return 0;
    *err = (struct sb_error){.field = "args", .message = "too long"};
    return -1;
}

static void a_check_names_the_case(void **state)
{
    (void)state;
    struct cases cases;
    struct sb_error err;
    struct json_object *array = read_cases(&cases, "[{},{},{},{}]");
    assert_int_equal(cases_check(&cases, &shared, refuse_third, &err), -1);
    assert_string_equal(err.field, "cases[2].args");
    assert_says(&err, "\"cases[2]\": too long");
    assert_int_equal(checked, 3);
    cases_free(&cases);
    json_object_put(array);
}

/* Each of a thousand cases with a file of its own would make all shared ones be looked at again. */
static void many_files_in_many_cases_are_refused(void **state)
{
    (void)state;
    struct cases cases;
    struct sb_error err;
    struct sb_file *files = calloc(CASES_EFFORT_MAX, sizeof(*files));
    struct json_object *array = read_cases(&cases, "[{},{\"files\":{\"a\":\"\"}}]");
    const struct sb_job many = {.files = files, .files_count = CASES_EFFORT_MAX};
    assert_int_equal(cases_check(&cases, &many, accept, &err), -1);
    assert_string_equal(err.field, "cases");
    assert_says(&err, "give fewer");
    cases_free(&cases);
    json_object_put(array);
    free(files);
}

/* ── Judgements ──────────────────────────────────────────────────────────────────────────────── */

static enum case_grade judged(const char *text, struct sb_verdict verdict)
{
    struct cases cases;
    struct json_object *array = read_cases(&cases, text);
    enum case_grade grade = case_judge(&cases.cases[0], &verdict);
    cases_free(&cases);
    json_object_put(array);
    return grade;
}

static void only_a_program_that_ended_well_is_correct(void **state)
{
    (void)state;
    static const char one[] = "[{\"expected\":{\"stdout\":\"1\"}}]";
    struct sb_verdict verdict = {.word = SB_OK, .text = {"1\n", ""}, .text_size = {2, 0}};
    assert_int_equal(judged(one, verdict), CASE_CORRECT);
    assert_int_equal(judged("[{}]", verdict), CASE_UNGRADED);
    assert_int_equal(judged("[{\"expected\":{\"stdout\":\"1\",\"result\":1}}]", verdict),
                     CASE_INCORRECT);
    verdict.dropped_bytes[SB_STDOUT] = 1;
    assert_int_equal(judged(one, verdict), CASE_INCORRECT);
    verdict.dropped_bytes[SB_STDOUT] = 0;
    for (int word = SB_EXCEPTION; word < SB_INTERNAL; word++) {
        verdict.word = (enum sb_word)word;
        assert_int_equal(judged(one, verdict), CASE_INCORRECT);
    }
    verdict.word = SB_INTERNAL;
    assert_int_equal(judged(one, verdict), CASE_UNGRADED);
}

/* ── The answer ──────────────────────────────────────────────────────────────────────────────── */

static char *shortest(const struct sb_verdict *verdict, unsigned flags)
{
    char *text;
    bool left_out = (flags & SB_JSON_NO_OUTPUT) != 0;
    int size = asprintf(&text, "{\"verdict\":\"%s\",\"stdout\":%s%s%s}",
                        sb_word_name(verdict->word), left_out ? "null" : "\"",
                        left_out ? "" : verdict->text[SB_STDOUT], left_out ? "" : "\"");
    return size < 0 ? NULL : text;
}

static void put(struct case_results *results, size_t index, enum sb_word word,
                enum case_grade grade, const char *text)
{
    static const struct graded_case plain;
    const struct sb_verdict verdict = {.word = word, .text = {text, ""}};
    assert_int_equal(case_results_put(results, index, &plain, &verdict, grade, 0, shortest), 0);
}

static void the_worst_case_gives_the_answer_its_members(void **state)
{
    (void)state;
    static const struct {
        enum sb_word words[3];
        enum case_grade grades[3];
        size_t worst;
    } rows[] = {
        {{SB_OK, SB_OK, SB_OK}, {CASE_CORRECT, CASE_CORRECT, CASE_CORRECT}, 0},
        {{SB_OK, SB_OK, SB_OK}, {CASE_CORRECT, CASE_INCORRECT, CASE_INCORRECT}, 1},
        {{SB_OK, SB_TIMEOUT, SB_EXIT}, {CASE_INCORRECT, CASE_UNGRADED, CASE_INCORRECT}, 1},
        {{SB_MEMORY, SB_MEMORY, SB_EXIT}, {CASE_UNGRADED, CASE_INCORRECT, CASE_INCORRECT}, 1},
        {{SB_EXIT, SB_OK, SB_INTERNAL}, {CASE_INCORRECT, CASE_INCORRECT, CASE_UNGRADED}, 2},
    };
    static const size_t orders[][3] = {{0, 1, 2}, {2, 1, 0}, {1, 2, 0}}; /* in which they end */
    for (size_t i = 0; i < ARRAY_LEN(rows) * ARRAY_LEN(orders); i++) {
        struct case_results results;
        const size_t *order = orders[i % ARRAY_LEN(orders)], row = i / ARRAY_LEN(orders);
        assert_int_equal(case_results_open(&results, 3), 0);
        for (size_t j = 0; j < 3; j++)
            put(&results, order[j], rows[row].words[order[j]], rows[row].grades[order[j]], "");
        assert_int_equal(results.worst, rows[row].worst);
        case_results_free(&results);
    }
}

static void the_answer_has_all_cases_and_how_many_passed(void **state)
{
    (void)state;
    static const struct graded_case named = {.name = "n"};
    struct case_results results;
    assert_int_equal(case_results_open(&results, 3), 0);
    put(&results, 1, SB_EXIT, CASE_INCORRECT, "b");
    assert_null(case_results_json(&results)); /* not all have ended */
    put(&results, 0, SB_OK, CASE_CORRECT, "a");
    assert_int_equal(case_results_leave_out(&results, 2, &named, "id", "why"), 0);
    _cleanup_free_ char *event = case_results_event(&results, 0);
    assert_string_equal(event,
                        "{\"index\":0,\"verdict\":\"ok\",\"stdout\":\"a\",\"correct\":true}");
    _cleanup_free_ char *text = case_results_json(&results);
    static const char begin[] = "{\"verdict\":\"exit\",\"stdout\":\"b\",\"cases\":[{\"verdict\":"
                                "\"ok\",\"stdout\":\"a\",\"correct\":true},{\"verdict\":\"exit\","
                                "\"stdout\":\"b\",\"correct\":false},{\"status\":\"error\"";
    assert_memory_equal(text, begin, sizeof(begin) - 1);
    struct json_object *whole = json_tokener_parse(text);
    assert_non_null(whole);
    json_object_put(whole);
    assert_non_null(strstr(text, "\"id\":\"id\",\"correct\":null,\"name\":\"n\"}],\"passed\":1}"));
    case_results_free(&results);
}

static void what_does_not_fit_is_left_out_and_said_so(void **state)
{
    (void)state;
    enum { PARTS = 5 };
    struct case_results results;
    size_t size = CASES_JSON_BYTES / (PARTS - 1) - 1000;
    _cleanup_free_ char *large = malloc(size + 1);
    memset(large, 'x', size);
    large[size] = '\0';
    assert_int_equal(case_results_open(&results, PARTS + 1), 0);
    for (size_t i = 0; i < PARTS; i++)
        put(&results, i, SB_OK, CASE_CORRECT, large);
    put(&results, PARTS, SB_OK, CASE_CORRECT, "small");
    assert_string_equal(
        results.results[PARTS - 1].json,
        "{\"verdict\":\"ok\",\"stdout\":null,\"correct\":true,\"output_left_out\":true}");
    assert_non_null(strstr(results.results[PARTS].json, "small"));
    assert_int_equal(results.passed, PARTS + 1);
    case_results_free(&results);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_case_does_not_have_is_the_shared_jobs),
        cmocka_unit_test(what_a_case_has_replaces_or_adds_to_it),
        cmocka_unit_test(a_check_names_the_case),
        cmocka_unit_test(many_files_in_many_cases_are_refused),
        cmocka_unit_test(only_a_program_that_ended_well_is_correct),
        cmocka_unit_test(the_worst_case_gives_the_answer_its_members),
        cmocka_unit_test(the_answer_has_all_cases_and_how_many_passed),
        cmocka_unit_test(what_does_not_fit_is_left_out_and_said_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
