/* The fields of a request. Each reader checks the type and what does not depend on the policy, and
 * puts the value into the job, which points to the texts in json-c's objects. */
#include "serve/contracts/request_fields.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/json_bytes.h"
#include "common/json_text.h"
#include "common/path.h"
#include "common/util.h"

#define NAME_MAX_BYTES 1024 /* the name becomes an argument of the interpreter */

/* Far above any cap, and far below an overflow. */
#define NUMBER_MAX (INT64_C(1) << 50)

#define BIT(contract) (1u << (contract))

static int no_memory(struct sb_error *err)
{
    return sb_fail(err, "memory", ENOMEM, "out of memory (the request)");
}

static int read_flag(bool *flag, const char *path, struct json_object *value, struct sb_error *err)
{
    if (!json_object_is_type(value, json_type_boolean))
        return bad_field(err, path, "must be true or false, not %s", json_kind(value));
    *flag = json_object_get_boolean(value);
    return 0;
}

/* ── Code and files ──────────────────────────────────────────────────────────────────────────── */

static void take_code(struct request *request, const struct json_bytes *value)
{
    request->job.code = value->data;
    request->job.code_size = value->size;
    request->job.code_encoded = !value->text;
}

static int read_code(struct request *request, const char *path, struct json_object *object,
                     struct sb_error *err)
{
    struct json_bytes value;
    if (request->job.code != NULL)
        return bad_field(err, "files", "has a main.py beside \"code\": give one of the two");
    if (json_bytes_read(&value, path, object, err) < 0) {
        snprintf(err->field, sizeof(err->field), "%s", path);
        return -1;
    }
    take_code(request, &value);
    return 0;
}

static int read_name(struct request *request, const char *path, struct json_object *value,
                     struct sb_error *err)
{
    if (field_string(&request->job.name, path, value, err) < 0)
        return -1;
    return strlen(request->job.name) <= NAME_MAX_BYTES
               ? 0
               : bad_field(err, path, "must have at most %d bytes", NAME_MAX_BYTES);
}

/* Whether a file is the code: main.py, unless the code has a name of its own or is a module. */
static bool is_code(const struct request *request, const char *name)
{
    char normal[NAME_MAX_BYTES];
    return request->job.name == NULL && request->job.module == NULL &&
           strlen(name) < sizeof(normal) && path_normalise(normal, name) == PATH_FINE &&
           strcmp(normal, "main.py") == 0;
}

/* Adds a file to the job, or makes it the job's code. */
static void add_file(struct request *request, const char *name, const struct json_bytes *value)
{
    if (request->job.code == NULL && is_code(request, name)) {
        take_code(request, value);
        return;
    }
    request->files[request->job.files_count++] = (struct sb_file){
        .path = name, .data = value->data, .size = value->size, .text = value->text};
}

static int read_files(struct request *request, const char *path, struct json_object *value,
                      struct sb_error *err)
{
    if (field_object(path, value, "file names and strings", err) < 0)
        return -1;
    size_t count = (size_t)json_object_object_length(value) + request->parts_count;
    request->files = calloc(count + 1, sizeof(struct sb_file));
    if (request->files == NULL)
        return no_memory(err);
    request->job.files = request->files;
    json_object_object_foreach(value, name, content)
    {
        struct json_bytes file;
        char at[64];
        snprintf(at, sizeof(at), "%s.%s", path, name);
        if (json_bytes_read(&file, at, content, err) < 0)
            return -1;
        add_file(request, name, &file);
    }
    for (size_t i = 0; i < request->parts_count; i++) {
        const struct sb_file *part = &request->parts[i];
        add_file(request, part->path, &(struct json_bytes){part->data, part->size, part->text});
    }
    return 0;
}

/* ── What the code is given ──────────────────────────────────────────────────────────────────── */

static int read_stdin(struct request *request, const char *path, struct json_object *value,
                      struct sb_error *err)
{
    struct json_bytes input;
    if (json_bytes_read(&input, path, value, err) < 0)
        return -1;
    request->job.stdin_data = input.data;
    request->job.stdin_size = input.size;
    return 0;
}

static int read_args(struct request *request, const char *path, struct json_object *value,
                     struct sb_error *err)
{
    if (field_strings(&request->args, path, value, err) < 0)
        return -1;
    request->job.args = request->args;
    return 0;
}

static int read_env(struct request *request, const char *path, struct json_object *value,
                    struct sb_error *err)
{
    if (field_env(&request->env, path, value, err) < 0)
        return -1;
    request->job.env = (const char *const *)request->env;
    return 0;
}

static int read_module(struct request *request, const char *path, struct json_object *value,
                       struct sb_error *err)
{
    return field_string(&request->job.module, path, value, err);
}

static int read_call(struct request *request, const char *path, struct json_object *value,
                     struct sb_error *err)
{
    return field_call(&request->job.call, path, value, err);
}

static int read_policy(struct request *request, const char *path, struct json_object *value,
                       struct sb_error *err)
{
    return field_string(&request->policy, path, value, err);
}

static int read_merge_stderr(struct request *request, const char *path, struct json_object *value,
                             struct sb_error *err)
{
    return read_flag(&request->job.merge_stderr, path, value, err);
}

static int read_notebook(struct request *request, const char *path, struct json_object *value,
                         struct sb_error *err)
{
    return read_flag(&request->job.notebook, path, value, err);
}

/* true: all files. */
static int read_collect(struct request *request, const char *path, struct json_object *value,
                        struct sb_error *err)
{
    static const char *const all[] = {"**", NULL};
    bool array = json_object_is_type(value, json_type_array);
    if (!array && !json_object_is_type(value, json_type_boolean))
        return bad_field(err, path, "must be true, false or an array of patterns, not %s",
                         json_kind(value));
    if (array && field_strings(&request->collect, path, value, err) < 0)
        return -1;
    if (array)
        request->job.collect = request->collect;
    else if (json_object_get_boolean(value))
        request->job.collect = all;
    return 0;
}

static int read_base64(struct request *request, const char *path, struct json_object *value,
                       struct sb_error *err)
{
    return read_flag(&request->base64, path, value, err);
}

/* Where it may lead is the service's to say, not the form's. */
static int read_callback(struct request *request, const char *path, struct json_object *value,
                         struct sb_error *err)
{
    struct json_object *url = NULL, *secret = NULL;
    if (!json_object_is_type(value, json_type_object))
        return bad_field(err, path, "must be an object with \"url\" and \"secret\", not %s",
                         json_kind(value));
    json_object_object_get_ex(value, "url", &url);
    json_object_object_get_ex(value, "secret", &secret);
    if (url == NULL || secret == NULL || json_object_object_length(value) != 2)
        return bad_field(err, path, "must have \"url\" and \"secret\", and nothing else");
    if (field_string(&request->callback_url, "callback.url", url, err) < 0 ||
        field_string(&request->callback_secret, "callback.secret", secret, err) < 0)
        return -1;
    size_t size = strlen(request->callback_secret);
    return size >= CALLBACK_SECRET_MIN && size <= CALLBACK_SECRET_MAX
               ? 0
               : bad_field(err, "callback.secret", "must have %d to %d bytes", CALLBACK_SECRET_MIN,
                           CALLBACK_SECRET_MAX);
}

/* ── Limits ──────────────────────────────────────────────────────────────────────────────────── */

/* A number times `scale`, rounded; one that is far too large stays so. False: not a number. */
static bool scaled(struct json_object *value, int64_t scale, int64_t *number)
{
    double product = json_object_get_double(value) * (double)scale;
    if (!json_object_is_type(value, json_type_int) && !json_object_is_type(value, json_type_double))
        return false;
    *number = product >= (double)NUMBER_MAX    ? NUMBER_MAX
              : product <= -(double)NUMBER_MAX ? -NUMBER_MAX
                                               : llround(product);
    return true;
}

static bool is_whole(struct json_object *value)
{
    double number = json_object_get_double(value);
    return json_object_is_type(value, json_type_int) || number == floor(number);
}

/* Checks what is true of any policy: caps are checked later. 0 must be refused here, as it would
 * mean "not given". */
static int read_limit(struct request *request, const char *path, const char *name,
                      struct json_object *value, struct sb_error *err)
{
    int limit = 0;
    while (limit < SB_LIMITS && strcmp(sb_limit_info((enum sb_limit)limit)->name, name) != 0)
        limit++;
    if (limit == SB_LIMITS)
        return sb_fail_field(err, "request", path,
                             "unknown limit \"%.40s\": use one of those that GET /policies lists",
                             name);
    const struct sb_limit_info *info = sb_limit_info((enum sb_limit)limit);
    bool fractions = limit == SB_MILLICPUS;
    int64_t number;
    if (value == NULL)
        return 0;
    if (!scaled(value, fractions ? 1000 : 1, &number) ||
        (!fractions && !json_object_is_type(value, json_type_int)))
        return bad_field(err, path, "must be %s, not %s", fractions ? "a number" : "an integer",
                         json_kind(value));
    if (number < info->min && fractions)
        return bad_field(err, path, "must be at least %g", (double)info->min / 1000);
    if (number < info->min)
        return bad_field(err, path, "must be at least %lld", (long long)info->min);
    if (limit == SB_WALL_TIME_MS && request->timeout)
        return bad_field(err, "timeout", "is the same as limits.wall_time_ms: give one of the two");
    request->job.limits.value[limit] = number;
    return 0;
}

static int read_limits(struct request *request, const char *path, struct json_object *value,
                       struct sb_error *err)
{
    if (!json_object_is_type(value, json_type_object))
        return bad_field(err, path, "must be an object of limits, not %s", json_kind(value));
    json_object_object_foreach(value, name, limit)
    {
        char at[64];
        snprintf(at, sizeof(at), "%s.%s", path, name);
        if (read_limit(request, at, name, limit, err) < 0)
            return -1;
    }
    return 0;
}

static int read_timeout(struct request *request, const char *path, struct json_object *value,
                        struct sb_error *err)
{
    bool whole = request->contract != NATIVE;
    int64_t ms;
    if (!scaled(value, 1000, &ms) || (whole && !is_whole(value)))
        return bad_field(err, path, "must be %s of seconds, not %s",
                         whole ? "a whole number" : "a number", json_kind(value));
    if (ms < (whole ? 1000 : 1))
        return bad_field(err, path, "must be at least %s", whole ? "1 second" : "0.001 seconds");
    request->timeout = true;
    request->job.limits.value[SB_WALL_TIME_MS] = ms;
    return 0;
}

/* "name" and "module" stand before "files", "files" before "code", and "timeout" before "limits":
 * the reader of the later field has to know whether the earlier one was given. */
const struct request_field request_fields[] = {
    {"name", BIT(NATIVE), read_name},
    {"module", BIT(NATIVE), read_module},
    {"files", BIT(NATIVE), read_files},
    {"code", BIT(NATIVE) | BIT(RUN_CODE) | BIT(EXECUTE), read_code},
    {"script", BIT(EXECUTE_SCRIPT), read_code},
    {"stdin", BIT(NATIVE), read_stdin},
    {"args", BIT(NATIVE), read_args},
    {"env", BIT(NATIVE), read_env},
    {"policy", BIT(NATIVE), read_policy},
    {"timeout", BIT(NATIVE) | BIT(EXECUTE), read_timeout},
    {"limits", BIT(NATIVE), read_limits},
    {"call", BIT(NATIVE), read_call},
    {"merge_stderr", BIT(NATIVE), read_merge_stderr},
    {"notebook", BIT(NATIVE), read_notebook},
    {"collect", BIT(NATIVE), read_collect},
    {"base64", BIT(NATIVE), read_base64},
    {"cases", BIT(NATIVE), request_read_cases},
    {"stop", BIT(NATIVE), request_read_stop},
    {"callback", JOBS_ONLY, read_callback},
    {0},
};
