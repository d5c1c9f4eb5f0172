/* Reads a request as a whole: chooses its contract, and refuses unknown and duplicate fields. The
 * readers of the fields are in request_fields.c. */
#include "serve/contracts/request.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/json_text.h"
#include "serve/contracts/request_fields.h"

/* More files, arguments, variables and cases than anyone needs; json-c takes about 17 MB for them.
 */
#define VALUES_MAX 50000
/* A valid request is nested 2 levels deep; a higher bound lets errors name the field. */
#define DEPTH_MAX 16
#define BODY_MAX (1 << 30) /* http.c has the real bound */

static struct json_object *given(const struct request *request, const char *name)
{
    struct json_object *value = NULL;
    json_object_object_get_ex(request->body, name, &value); /* NULL for null, too */
    return value;
}

/* POST /execute has two contracts: the name of the code's field tells which one is meant. */
static int choose_contract(struct request *request, enum endpoint endpoint, struct sb_error *err)
{
    if (endpoint != ENDPOINT_EXECUTE)
        return 0;
    bool code = given(request, "code") != NULL, script = given(request, "script") != NULL;
    if (code && script)
        return sb_fail_field(err, "request", "script", "give \"code\" or \"script\", not both");
    if (!code && !script)
        return sb_fail_field(err, "request", "code",
                             "no code: give \"code\", or \"script\" with a function main()");
    request->contract = code ? EXECUTE : EXECUTE_SCRIPT;
    return 0;
}

bool request_field_fits(const struct request *request, const struct request_field *field)
{
    unsigned own = 1u << request->contract;
    return (field->contracts & (request->endpoint == ENDPOINT_JOBS ? own | JOBS_ONLY : own)) != 0;
}

const struct request_field *request_field_find(const struct request *request, const char *name)
{
    const struct request_field *field = request_fields;
    while (field->name != NULL &&
           (strcmp(field->name, name) != 0 || !request_field_fits(request, field)))
        field++;
    return field->name != NULL ? field : NULL;
}

const char *request_field_name(const char *path)
{
    if (path == NULL)
        return NULL;
    size_t size = strcspn(path, ".[");
    for (const struct request_field *field = request_fields; field->name != NULL; field++)
        if (strlen(field->name) == size && memcmp(field->name, path, size) == 0)
            return field->name;
    return NULL;
}

static int refuse_unknown(const struct request *request, struct sb_error *err)
{
    json_object_object_foreach(request->body, name, value)
    {
        (void)value;
        if (request_field_find(request, name) != NULL)
            continue;
        char names[256] = "", shown[48];
        size_t length = 0;
        for (const struct request_field *field = request_fields; field->name != NULL; field++)
            if (request_field_fits(request, field) && length < sizeof(names))
                length += (size_t)snprintf(names + length, sizeof(names) - length, "%s%s",
                                           length == 0 ? "" : ", ", field->name);
        snprintf(shown, sizeof(shown), "%s", name);
        return sb_fail_field(err, "request", shown, "unknown field \"%s\" in %s: use %s", shown,
                             request->endpoint == ENDPOINT_JOBS ? "POST /jobs"
                                                                : contracts[request->contract].name,
                             names);
    }
    return 0;
}

/* Reads the fields in the table's order, so that the same mistakes always have the same error. */
static int read_fields(struct request *request, struct sb_error *err)
{
    for (const struct request_field *field = request_fields; field->name != NULL; field++) {
        if (!request_field_fits(request, field))
            continue;
        struct json_object *value = given(request, field->name);
        if (value != NULL && field->read(request, field->name, value, err) < 0)
            return -1;
    }
    return 0;
}

/* Empty code is code: it runs and does nothing, as with python3 -c ''. */
static int check_code(const struct request *request, struct sb_error *err)
{
    const char *name = contracts[request->contract].code;
    bool code = request->job.code != NULL, module = request->job.module != NULL;
    if (code && module)
        return sb_fail_field(err, "request", "module", "give \"code\" or \"module\", not both");
    if (code || module)
        return 0;
    return sb_fail_field(err, "request", name, "no code: give it in \"%s\"%s", name,
                         request->contract == NATIVE ? ", or \"files\" with a main.py" : "");
}

/* Skips a byte order mark (RFC 8259, 8.1). A body in UTF-16 or UTF-32 begins with another mark, or
 * has a NUL in its first two bytes. −1: it is such a body. */
static int skip_mark(const char **body, size_t *size, struct sb_error *err)
{
    static const char utf8[] = {'\xef', '\xbb', '\xbf'};
    static const char *const others[] = {"\xff\xfe", "\xfe\xff", "{", "\0{", "\0"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (*size >= 2 && memcmp(*body, others[i], 2) == 0)
            return sb_fail(err, "request", 0,
                           "the body must be JSON in UTF-8, not UTF-16 or UTF-32: encode "
                           "it as UTF-8");
    if (*size >= sizeof(utf8) && memcmp(*body, utf8, sizeof(utf8)) == 0) {
        *body += sizeof(utf8);
        *size -= sizeof(utf8);
    }
    return 0;
}

int request_parse(struct request *request, enum endpoint endpoint, const char *body, size_t size,
                  bool in_place, struct sb_error *err)
{
    static const struct json_bounds bounds = {
        .size = BODY_MAX, .depth = DEPTH_MAX, .values = VALUES_MAX, .name_field = true};
    /* Until the contract is chosen, refusals have the form with the most fields. */
    static const enum contract_id first[] = {
        [ENDPOINT_RUN] = NATIVE,
        [ENDPOINT_JOBS] = NATIVE,
        [ENDPOINT_RUN_CODE] = RUN_CODE,
        [ENDPOINT_EXECUTE] = EXECUTE_SCRIPT,
    };
    *request = (struct request){.contract = first[endpoint], .endpoint = endpoint};
    request->job.limits = sb_limits_unset();
    if (skip_mark(&body, &size, err) < 0)
        return -1;
    request->body =
        in_place ? json_text_take((char *)(intptr_t)body, size, &bounds, "the body", "request", err)
                 : json_text_parse(body, size, &bounds, "the body", "request", err);
    return request->body == NULL || choose_contract(request, endpoint, err) < 0 ||
                   refuse_unknown(request, err) < 0
               ? -1
               : 0;
}

int request_take(struct request *request, struct sb_error *err)
{
    request->job.call = contracts[request->contract].call;
    return read_fields(request, err) < 0 ? -1 : check_code(request, err);
}

int request_read(struct request *request, enum endpoint endpoint, const char *body, size_t size,
                 struct sb_error *err)
{
    return request_parse(request, endpoint, body, size, false, err) < 0
               ? -1
               : request_take(request, err);
}

int request_read_in_place(struct request *request, enum endpoint endpoint, char *body, size_t size,
                          struct sb_error *err)
{
    return request_parse(request, endpoint, body, size, true, err) < 0 ? -1
                                                                       : request_take(request, err);
}

/* Replaces "wall_time_ms" by "timeout" in the error, as the request gave the time by that name. */
static void name_timeout(struct sb_error *err)
{
    static const char ours[] = "wall_time_ms", theirs[] = "timeout";
    char *message = err->message;
    snprintf(err->field, sizeof(err->field), "%s", theirs);
    if (strncmp(message, ours, sizeof(ours) - 1) != 0)
        return;
    memcpy(message, theirs, sizeof(theirs) - 1);
    memmove(message + sizeof(theirs) - 1, message + sizeof(ours) - 1,
            strlen(message + sizeof(ours) - 1) + 1);
}

int request_check(struct request *request, const struct sb_policy *policy, struct sb_error *err)
{
    request->job.policy = policy;
    if (sb_check(&request->job, err) == 0)
        return request_check_cases(request, err);
    /* The library names its own field: translate it into the client's. */
    const char *field = err->field;
    for (int i = 0; i < SB_LIMITS; i++) {
        const char *name = sb_limit_info((enum sb_limit)i)->name;
        if (strcmp(field, name) != 0)
            continue;
        if (i == SB_WALL_TIME_MS && request->timeout)
            name_timeout(err);
        else
            snprintf(err->field, sizeof(err->field), "limits.%s", name);
        return -1;
    }
    if (strcmp(field, "code") == 0 && request->job.files != NULL && !request->code_part &&
        given(request, "code") == NULL && request->contract == NATIVE)
        snprintf(err->field, sizeof(err->field), "files.main.py");
    else if (strcmp(field, "code") == 0)
        snprintf(err->field, sizeof(err->field), "%s", contracts[request->contract].code);
    return -1;
}

void request_free(struct request *request)
{
    json_object_put(request->body);
    free(request->form);
    free(request->parts);
    free(request->files);
    free(request->args);
    free(request->collect);
    sb_strv_free(request->env);
    cases_free(&request->cases);
    case_job_free(&request->made);
    *request = (struct request){0};
}
