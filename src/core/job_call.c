/* Checks the module that a job runs in place of code, and the function that it calls after its
 * code. */
#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/json_text.h"
#include "common/util.h"
#include "core/job.h"

static bool is_name(const char *text)
{
    if (text[0] == '\0' || (text[0] >= '0' && text[0] <= '9'))
        return false;
    for (const char *c = text; *c; c++)
        if (!(*c == '_' || (*c >= '0' && *c <= '9') || (*c >= 'A' && *c <= 'Z') ||
              (*c >= 'a' && *c <= 'z') || (unsigned char)*c >= 0x80))
            return false;
    return true;
}

/* A module's name: identifiers with dots between them. */
static bool is_module_name(const char *name)
{
    char part[256];
    for (;;) {
        size_t length = strcspn(name, ".");
        if (length >= sizeof(part))
            return false;
        memcpy(part, name, length);
        part[length] = '\0';
        if (!is_name(part))
            return false;
        if (name[length] == '\0')
            return true;
        name += length + 1;
    }
}

static int check_module(const struct sb_job *job, struct sb_error *err)
{
    if (job->module == NULL)
        return 0;
    if (!is_module_name(job->module))
        return sb_fail_field(
            err, "job", "module",
            "'%.100s' is not the name of a module: give identifiers with dots between them",
            job->module);
    if (job->notebook)
        return sb_fail_field(
            err, "job", "notebook",
            "a module is not a notebook cell: give its code, or leave \"notebook\" "
            "out");
    if (job->code_size > 0 || job->call != NULL)
        return sb_fail_field(err, "job", "module",
                             "a module is run in place of code, and no function of it is called: "
                             "give one of them");
    return 0;
}

static int check_call(const struct sb_job *job, struct sb_error *err)
{
    const char *call = job->call;
    const size_t most = JOB_STRING_MAX - (job->notebook ? JOB_CELL_SIZE : 0);
    static const struct json_bounds bounds = {
        .size = JOB_STRING_MAX, .depth = JSON_TEXT_DEPTH, .values = 100000};
    static const struct {
        const char *key;
        json_type type;
        const char *what;
    } keys[] = {{"name", json_type_string, "the name of a function"},
                {"args", json_type_array, "an array"},
                {"kwargs", json_type_object, "an object"}};
    if (call == NULL || is_name(call))
        return 0;
    if (call[0] != '{')
        return sb_fail_field(err, "job", "call",
                             "call: '%.100s' is not the name of a function; give one, or an object "
                             "with \"name\", \"args\" and \"kwargs\"",
                             call);
    if (strlen(call) > most)
        return sb_fail_field(
            err, "job", "call",
            "the call has %zu bytes; at most %zu are allowed: pass more on stdin or "
            "in a file",
            strlen(call), most);
    struct json_object *asked = json_text_parse(call, strlen(call), &bounds, "call", "job", err);
    if (asked == NULL) {
        snprintf(err->field, sizeof(err->field), "call");
        return -1;
    }
    int result = 0;
    size_t known = 0;
    for (size_t i = 0; i < ARRAY_LEN(keys) && result == 0; i++) {
        struct json_object *value;
        bool given = json_object_object_get_ex(asked, keys[i].key, &value);
        known += given;
        if ((given || i == 0) && (!given || !json_object_is_type(value, keys[i].type) ||
                                  (i == 0 && !is_name(json_object_get_string(value)))))
            result = sb_fail_field(err, "job", "call", "\"%s\" of the call must be %s", keys[i].key,
                                   keys[i].what);
    }
    if (result == 0 && (size_t)json_object_object_length(asked) > known)
        result = sb_fail_field(err, "job", "call",
                               "a call has \"name\", \"args\" and \"kwargs\": "
                               "leave out the rest");
    json_object_put(asked);
    return result;
}

int job_check_call(const struct sb_job *job, struct sb_error *err)
{
    return check_call(job, err) < 0 ? -1 : check_module(job, err);
}
