/* The answer of a service to a graded run, case by case. */
#include <string.h>

#include "cli/cases.h"
#include "cli/via_answer.h"
#include "common/json_scan.h"
#include "common/json_valid.h"
#include "common/util.h"

static enum case_grade grade_of(const struct answer *answer)
{
    struct json_object *correct = NULL;
    json_object_object_get_ex(answer->fields, "correct", &correct);
    return correct == NULL                    ? CASE_UNGRADED
           : json_object_get_boolean(correct) ? CASE_CORRECT
                                              : CASE_INCORRECT;
}

static int take_case(struct case_run *run, size_t index, const char *text, size_t size)
{
    struct answer answer;
    int result = answer_read(&answer, text, size);
    bool stripped = json_object_object_get_ex(answer.fields, "output_left_out", NULL);
    if (result == 0 && answer.refusal != NULL)
        cases_left_out(run, index, answer.refusal);
    else if (result == 0)
        cases_ended(run, index, &answer.verdict, grade_of(&answer),
                    stripped ? SB_JSON_NO_OUTPUT : 0);
    answer_free(&answer);
    return result;
}

/* An array with as many as were asked for. */
static int take_cases(struct case_run *run, struct json_scan *scan)
{
    size_t size, index = 0;
    const char *value;
    if (json_scan_next(scan) != JSON_ARRAY)
        return -1;
    while ((value = json_scan_value(scan, &size)) != NULL)
        if (index == run->cases.count || take_case(run, index++, value, size) < 0)
            return -1;
    return index == run->cases.count ? 0 : -1;
}

static bool is_cases(const struct json_scan *scan)
{
    static const char name[] = "\"cases\"";
    return (size_t)(scan->at - scan->start) == sizeof(name) - 1 &&
           memcmp(scan->start, name, sizeof(name) - 1) == 0;
}

static int take_refusal(const char *body, size_t size, char **refusal)
{
    struct answer answer;
    int result = answer_read(&answer, body, size);
    const char *said = result < 0                     ? NULL
                       : answer.refusal != NULL       ? answer.refusal
                       : answer.verdict.error != NULL ? answer.verdict.error
                                                      : NULL;
    *refusal = said != NULL ? strdup(said) : NULL;
    answer_free(&answer);
    return *refusal != NULL ? 0 : -1;
}

int cases_take_answer(struct case_run *run, const char *body, size_t size, char **refusal)
{
    struct json_scan scan;
    size_t ignored;
    *refusal = NULL;
    json_scan_begin(&scan, body, size, JSON_VALID_DEPTH + 3);
    if (json_scan_next(&scan) != JSON_OBJECT)
        return -1;
    while (json_scan_next(&scan) == JSON_KEY) {
        if (is_cases(&scan))
            return take_cases(run, &scan);
        if (json_scan_value(&scan, &ignored) == NULL)
            return -1;
    }
    return take_refusal(body, size, refusal);
}
