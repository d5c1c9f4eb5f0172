/* See job_fields.h. */
#include "common/job_fields.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/json_text.h"
#include "common/json_tree.h"

static int no_memory(struct sb_error *err)
{
    return sb_fail(err, "memory", ENOMEM, "out of memory (the request)");
}

int bad_field(struct sb_error *err, const char *path, const char *format, ...)
{
    char what[300];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    return sb_fail_field(err, "request", path, "\"%.64s\" %s", path, what);
}

int field_string(const char **string, const char *path, struct json_object *value,
                 struct sb_error *err)
{
    *string = "";
    if (!json_object_is_type(value, json_type_string))
        return bad_field(err, path, "must be a string, not %s", json_kind(value));
    size_t size;
    *string = json_tree_string(value, &size);
    return strlen(*string) == size
               ? 0
               : bad_field(err, path, "must not contain a NUL character (\\u0000)");
}

int field_strings(const char ***strings, const char *path, struct json_object *array,
                  struct sb_error *err)
{
    if (!json_object_is_type(array, json_type_array))
        return bad_field(err, path, "must be an array of strings, not %s", json_kind(array));
    size_t count = json_object_array_length(array);
    *strings = calloc(count + 1, sizeof(**strings));
    if (*strings == NULL)
        return no_memory(err);
    for (size_t i = 0; i < count; i++) {
        char at[64];
        snprintf(at, sizeof(at), "%s[%zu]", path, i);
        if (field_string(&(*strings)[i], at, json_object_array_get_idx(array, i), err) < 0)
            return -1;
    }
    return 0;
}

int field_object(const char *path, struct json_object *value, const char *of, struct sb_error *err)
{
    return json_object_is_type(value, json_type_object)
               ? 0
               : bad_field(err, path, "must be an object of %s, not %s", of, json_kind(value));
}

int field_env(char ***env, const char *path, struct json_object *value, struct sb_error *err)
{
    if (field_object(path, value, "names and strings", err) < 0)
        return -1;
    size_t count = 0;
    char **entries = calloc((size_t)json_object_object_length(value) + 1, sizeof(*entries));
    *env = entries;
    if (entries == NULL)
        return no_memory(err);
    json_object_object_foreach(value, name, content)
    {
        char at[64];
        const char *text = NULL;
        snprintf(at, sizeof(at), "%s.%s", path, name);
        if (name[0] == '\0' || strchr(name, '=') != NULL)
            return bad_field(err, at, "must have a name that is not empty and has no \"=\"");
        if (field_string(&text, at, content, err) < 0)
            return -1;
        if (asprintf(&entries[count], "%s=%s", name, text) < 0) {
            entries[count] = NULL; /* asprintf leaves it undefined */
            return no_memory(err);
        }
        count++;
    }
    return 0;
}

int field_call(const char **call, const char *path, struct json_object *value, struct sb_error *err)
{
    if (json_object_is_type(value, json_type_object)) {
        *call = json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN |
                                                          JSON_C_TO_STRING_NOSLASHESCAPE);
        return *call != NULL ? 0 : no_memory(err);
    }
    if (!json_object_is_type(value, json_type_string))
        return bad_field(err, path, "must be a string or an object, not %s", json_kind(value));
    return field_string(call, path, value, err);
}
