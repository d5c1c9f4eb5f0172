/* Reads cases, see cases.h. */
#include "common/cases.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/job_fields.h"
#include "common/json_bytes.h"
#include "common/json_text.h"
#include "common/utf8.h"
#include "common/util.h"

#define PATH_SIZE 64
#define NAME_CHARS_MAX 200

struct case_field {
    const char *name;
    int (*read)(struct graded_case *one, const char *path, struct json_object *value,
                struct sb_error *err);
};

/* Reads the members of an object, in the table's order; null is as good as nothing. `of`: what it
 * is, for errors. */
static int read_members(const struct case_field *fields, size_t count, struct graded_case *one,
                        const char *path, struct json_object *object, const char *of,
                        struct sb_error *err)
{
    char at[PATH_SIZE], names[128] = "";
    for (size_t i = 0, length = 0; i < count && length < sizeof(names); i++)
        length += (size_t)snprintf(names + length, sizeof(names) - length, "%s%s",
                                   i == 0 ? "" : ", ", fields[i].name);
    if (!json_object_is_type(object, json_type_object))
        return bad_field(err, path, "must be an object with %s, not %s", names, json_kind(object));
    json_object_object_foreach(object, name, ignored)
    {
        size_t i = 0;
        (void)ignored;
        while (i < count && strcmp(fields[i].name, name) != 0)
            i++;
        snprintf(at, sizeof(at), "%s.%s", path, name);
        if (i == count)
            return bad_field(err, at, "is unknown in %s: use %s", of, names);
    }
    for (size_t i = 0; i < count; i++) {
        struct json_object *value = NULL;
        snprintf(at, sizeof(at), "%s.%s", path, fields[i].name);
        if (json_object_object_get_ex(object, fields[i].name, &value) &&
            fields[i].read(one, at, value, err) < 0)
            return -1;
    }
    return 0;
}

/* ── What is expected ───────────────────────────────────────────────────────────────────────── */

static int read_expected_stdout(struct graded_case *one, const char *path,
                                struct json_object *value, struct sb_error *err)
{
    struct json_bytes bytes;
    if (value == NULL)
        return 0;
    if (json_bytes_read(&bytes, path, value, err) < 0)
        return -1;
    one->grades_output = true;
    one->output.text = bytes.data;
    one->output.size = bytes.size;
    return 0;
}

/* json-c keeps larger integers as the nearest of 64 bits: none would be compared rightly. */
static bool has_huge_integer(struct json_object *value)
{
    switch (json_object_get_type(value)) {
    case json_type_int:
        return json_object_get_uint64(value) == UINT64_MAX ||
               json_object_get_int64(value) == INT64_MIN;
    case json_type_array:
        for (size_t i = 0; i < json_object_array_length(value); i++)
            if (has_huge_integer(json_object_array_get_idx(value, i)))
                return true;
        return false;
    case json_type_object: {
        json_object_object_foreach(value, name, member)
        {
            (void)name;
            if (has_huge_integer(member))
                return true;
        }
        return false;
    }
    default:
        return false;
    }
}

/* null is a value, too. */
static int read_expected_result(struct graded_case *one, const char *path,
                                struct json_object *value, struct sb_error *err)
{
    if (has_huge_integer(value))
        return bad_field(err, path,
                         "has an integer of more than 64 bits: let the function return a string");
    one->grades_value = true;
    one->value = json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN);
    return one->value != NULL ? 0 : sb_fail(err, "memory", ENOMEM, "out of memory (the cases)");
}

/* {"float": 1e-6} */
static int read_tolerance(struct graded_case *one, const char *path, struct json_object *object,
                          struct sb_error *err)
{
    struct json_object *value = NULL;
    if (json_object_object_length(object) != 1 ||
        !json_object_object_get_ex(object, "float", &value) ||
        (!json_object_is_type(value, json_type_int) &&
         !json_object_is_type(value, json_type_double)) ||
        !(json_object_get_double(value) >= 0 && json_object_get_double(value) <= 1))
        return bad_field(err, path, "must be {\"float\": a number from 0 to 1}, such as 1e-6");
    one->output.compare = GRADE_FLOAT;
    one->output.tolerance = json_object_get_double(value);
    return 0;
}

static int read_compare(struct graded_case *one, const char *path, struct json_object *value,
                        struct sb_error *err)
{
    static const char *const names[] = {
        [GRADE_LINES] = "lines", [GRADE_EXACT] = "exact", [GRADE_TOKENS] = "tokens"};
    if (value == NULL)
        return 0;
    if (json_object_is_type(value, json_type_object))
        return read_tolerance(one, path, value, err);
    const char *name =
        json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(name, names[i]) == 0) {
            if (!one->grades_output)
                return bad_field(err, path,
                                 "is about \"stdout\": with \"result\" alone only {\"float\": a "
                                 "number} has a meaning");
            one->output.compare = (enum grade_compare)i;
            return 0;
        }
    return bad_field(err, path, "must be \"exact\", \"lines\", \"tokens\" or {\"float\": 1e-6}");
}

static int read_expected(struct graded_case *one, const char *path, struct json_object *value,
                         struct sb_error *err)
{
    static const struct case_field fields[] = {{"stdout", read_expected_stdout},
                                               {"result", read_expected_result},
                                               {"compare", read_compare}};
    if (value == NULL)
        return 0;
    if (read_members(fields, ARRAY_LEN(fields), one, path, value, "what is expected", err) < 0)
        return -1;
    return one->grades_output || one->grades_value
               ? 0
               : bad_field(err, path, "must have \"stdout\" or \"result\"");
}

/* ── What a case has ────────────────────────────────────────────────────────────────────────── */

static int read_name(struct graded_case *one, const char *path, struct json_object *value,
                     struct sb_error *err)
{
    if (value == NULL)
        return 0;
    if (field_string(&one->name, path, value, err) < 0)
        return -1;
    return utf8_count(one->name, strlen(one->name)) <= NAME_CHARS_MAX
               ? 0
               : bad_field(err, path, "must have at most %d characters", NAME_CHARS_MAX);
}

static int read_stdin(struct graded_case *one, const char *path, struct json_object *value,
                      struct sb_error *err)
{
    struct json_bytes bytes;
    if (value == NULL)
        return 0;
    if (json_bytes_read(&bytes, path, value, err) < 0)
        return -1;
    one->stdin_data = bytes.data;
    one->stdin_size = bytes.size;
    return 0;
}

static int read_args(struct graded_case *one, const char *path, struct json_object *value,
                     struct sb_error *err)
{
    return value == NULL ? 0 : field_strings(&one->args, path, value, err);
}

static int read_env(struct graded_case *one, const char *path, struct json_object *value,
                    struct sb_error *err)
{
    return value == NULL ? 0 : field_env(&one->env, path, value, err);
}

static int read_files(struct graded_case *one, const char *path, struct json_object *value,
                      struct sb_error *err)
{
    if (value == NULL)
        return 0;
    if (field_object(path, value, "file names and strings", err) < 0)
        return -1;
    one->files = calloc((size_t)json_object_object_length(value) + 1, sizeof(*one->files));
    if (one->files == NULL)
        return sb_fail(err, "memory", ENOMEM, "out of memory (the cases)");
    json_object_object_foreach(value, name, content)
    {
        struct json_bytes file;
        char at[PATH_SIZE];
        snprintf(at, sizeof(at), "%s.%s", path, name);
        if (json_bytes_read(&file, at, content, err) < 0)
            return -1;
        one->files[one->files_count++] =
            (struct sb_file){.path = name, .data = file.data, .size = file.size, .text = file.text};
    }
    return 0;
}

static int read_call(struct graded_case *one, const char *path, struct json_object *value,
                     struct sb_error *err)
{
    return value == NULL ? 0 : field_call(&one->call, path, value, err);
}

static int read_case(struct graded_case *one, const char *path, struct json_object *value,
                     struct sb_error *err)
{
    static const struct case_field fields[] = {
        {"name", read_name},   {"stdin", read_stdin}, {"args", read_args},        {"env", read_env},
        {"files", read_files}, {"call", read_call},   {"expected", read_expected}};
    return read_members(fields, ARRAY_LEN(fields), one, path, value, "a case", err);
}

/* ── All of them ────────────────────────────────────────────────────────────────────────────── */

int cases_read(struct cases *cases, const char *path, struct json_object *array,
               struct sb_error *err)
{
    if (!json_object_is_type(array, json_type_array))
        return bad_field(err, path, "must be an array of objects, not %s", json_kind(array));
    size_t count = json_object_array_length(array);
    if (count == 0 || count > CASES_MAX)
        return bad_field(
            err, path,
            "has the length %zu, and 1 to %d is allowed: put further cases into another run", count,
            CASES_MAX);
    cases->cases = calloc(count, sizeof(*cases->cases));
    if (cases->cases == NULL)
        return sb_fail(err, "memory", ENOMEM, "out of memory (the cases)");
    for (cases->count = 0; cases->count < count;) {
        char at[PATH_SIZE];
        size_t i = cases->count++;
        snprintf(at, sizeof(at), "%s[%zu]", path, i);
        if (read_case(&cases->cases[i], at, json_object_array_get_idx(array, i), err) < 0)
            return -1;
    }
    return 0;
}

int cases_read_stop(struct cases *cases, const char *path, struct json_object *value,
                    struct sb_error *err)
{
    const char *word =
        json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
    cases->stop_at_failure = strcmp(word, "first-failure") == 0;
    return cases->stop_at_failure || strcmp(word, "never") == 0
               ? 0
               : bad_field(err, path, "must be \"never\" or \"first-failure\"");
}

void cases_free(struct cases *cases)
{
    for (size_t i = 0; i < cases->count; i++) {
        free(cases->cases[i].args);
        free(cases->cases[i].files);
        sb_strv_free(cases->cases[i].env);
    }
    free(cases->cases);
    *cases = (struct cases){0};
}
