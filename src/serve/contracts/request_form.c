/* A form as a request: its parts are put where the fields of JSON would have been, and the readers
 * of the fields do the rest. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/json_text.h"
#include "common/utf8.h"
#include "common/util.h"
#include "serve/contracts/multipart.h"
#include "serve/contracts/request_fields.h"

/* Of the JSON in one part. Each field may be given once, so that all of them stay small. */
#define PART_VALUES 2000
#define PART_DEPTH 16

static int no_memory(struct sb_error *err)
{
    return sb_fail(err, "memory", 0, "out of memory (the request)");
}

static int twice(struct sb_error *err, const char *field)
{
    return bad_field(err, field, "is given twice in the form: give it once");
}

/* null is as good as nothing. */
static bool is_given(const struct request *request, const char *name)
{
    struct json_object *value = NULL;
    json_object_object_get_ex(request->body, name, &value);
    return value != NULL;
}

/* Adds a field, and takes over its value; NULL: out of memory. */
static int add_field(struct request *request, const char *name, struct json_object *value,
                     struct sb_error *err)
{
    if (value != NULL && json_object_object_add(request->body, name, value) == 0)
        return 0;
    json_object_put(value);
    return no_memory(err);
}

/* ── Fields ─────────────────────────────────────────────────────────────────────────────────── */

static bool is_text(const char *name, const struct multipart_part *part)
{
    static const char *const texts[] = {"name", "module", "policy"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (strcmp(name, texts[i]) == 0)
            return true;
    /* A function's name, or an object. */
    return strcmp(name, "call") == 0 && (part->size == 0 || part->data[0] != '{');
}

static int add_text(struct request *request, const char *name, const char *text, size_t size,
                    struct sb_error *err)
{
    if (size > 0 && utf8_count(text, size) < 0)
        return bad_field(err, name, "is not valid UTF-8 in the form: send it as UTF-8");
    return add_field(request, name, json_object_new_string_len(text, (int)size), err);
}

/* A number, true, an array or the like, as it would stand in JSON. `name` is one of the table. */
static int add_json(struct request *request, const char *name, const struct multipart_part *part,
                    struct sb_error *err)
{
    const struct json_bounds bounds = {
        .size = part->size + 128, .depth = PART_DEPTH, .values = PART_VALUES, .name_field = true};
    _cleanup_free_ char *text = NULL;
    if (memchr(part->data, '\0', part->size) != NULL)
        return bad_field(err, name, "has a NUL byte in the form: remove it");
    int size = asprintf(&text, "{\"%s\":%.*s}", name, (int)part->size, part->data);
    if (size < 0) {
        text = NULL;
        return no_memory(err);
    }
    struct json_object *object =
        json_text_parse(text, (size_t)size, &bounds, "that part of the form", "request", err);
    if (object == NULL) {
        snprintf(err->field, sizeof(err->field), "%s", name);
        return -1;
    }
    /* More than one value: `1, "code": ""` must not become a field of its own. */
    struct json_object *value = NULL;
    bool single =
        json_object_object_length(object) == 1 && json_object_object_get_ex(object, name, &value);
    int result = !single         ? bad_field(err, name, "must be one JSON value in the form")
                 : value == NULL ? 0
                                 : add_field(request, name, json_object_get(value), err);
    json_object_put(object);
    return result;
}

static int take_field(struct request *request, const struct multipart_part *part,
                      struct sb_error *err)
{
    const struct request_field *field = request_field_find(request, part->name);
    if (field == NULL) {
        char shown[48];
        snprintf(shown, sizeof(shown), "%s", part->name);
        return sb_fail_field(err, "request", shown,
                             "the form has a part \"%s\" that is neither a field of POST /run nor "
                             "a file: give a file a filename, as curl -F %s=@FILE does",
                             shown, shown);
    }
    if (is_given(request, field->name))
        return twice(err, field->name);
    if (is_text(field->name, part))
        return add_text(request, field->name, part->data, part->size, err);
    return add_json(request, field->name, part, err);
}

/* ── Code, input and files ──────────────────────────────────────────────────────────────────── */

static int take_code(struct request *request, const struct multipart_part *part,
                     struct sb_error *err)
{
    if (request->code_part || is_given(request, "code"))
        return twice(err, "code");
    request->code_part = true;
    request->job.code = part->data;
    request->job.code_size = part->size;
    request->job.code_encoded = part->filename != NULL;
    return 0;
}

/* The code's file gives it its name, unless the request has one: tracebacks name script.py. A
 * browser's "blob" is not a name. */
static int name_code(struct request *request, const struct multipart_part *part,
                     struct sb_error *err)
{
    const char *dot = part->filename != NULL ? strrchr(part->filename, '.') : NULL;
    if (strcmp(part->name, "code") != 0 || dot == NULL || strcmp(dot, ".py") != 0 ||
        is_given(request, "name"))
        return 0;
    return add_text(request, "name", part->filename, strlen(part->filename), err);
}

static int take_stdin(struct request *request, const struct multipart_part *part,
                      struct sb_error *err)
{
    if (request->job.stdin_data != NULL || is_given(request, "stdin"))
        return twice(err, "stdin");
    request->job.stdin_data = part->data;
    request->job.stdin_size = part->size;
    return 0;
}

static int take_file(struct request *request, const struct multipart_part *part,
                     struct sb_error *err)
{
    const char *path = part->filename;
    if (*path != '\0' && utf8_count(path, strlen(path)) < 0)
        return bad_field(err, "files", "has a name that is not valid UTF-8: rename the file");
    request->parts[request->parts_count++] =
        (struct sb_file){.path = path, .data = part->data, .size = part->size};
    return 0;
}

static int take_part(struct request *request, const struct multipart_part *part,
                     struct sb_error *err)
{
    if (strcmp(part->name, "request") == 0)
        return 0;
    if (strcmp(part->name, "code") == 0)
        return take_code(request, part, err);
    if (strcmp(part->name, "stdin") == 0)
        return take_stdin(request, part, err);
    return part->filename != NULL ? take_file(request, part, err) : take_field(request, part, err);
}

/* ── The whole ──────────────────────────────────────────────────────────────────────────────── */

/* Reads all parts before any of them is used: the JSON may be the last. Returns how many there
 * are, or −1. */
static ssize_t read_parts(struct multipart_part *parts, const char *boundary, char *body,
                          size_t size, struct sb_error *err)
{
    struct multipart form;
    ssize_t count = 0;
    int result = multipart_begin(&form, boundary, body, size, err) < 0 ? -1 : 1;
    while (result > 0 && (result = multipart_next(&form, &parts[count], err)) > 0)
        count++;
    return result < 0 ? -1 : count;
}

static int parse_request(struct request *request, enum endpoint endpoint,
                         const struct multipart_part *parts, size_t count, struct sb_error *err)
{
    const struct multipart_part *found = NULL;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(parts[i].name, "request") != 0)
            continue;
        if (found != NULL)
            return twice(err, "request");
        found = &parts[i];
    }
    return found != NULL ? request_parse(request, endpoint, found->data, found->size, true, err)
                         : request_parse(request, endpoint, "{}", 2, false, err);
}

static int take_parts(struct request *request, const struct multipart_part *parts, size_t count,
                      struct sb_error *err)
{
    request->parts = calloc(count + 1, sizeof(struct sb_file));
    if (request->parts == NULL)
        return no_memory(err);
    for (size_t i = 0; i < count; i++)
        if (take_part(request, &parts[i], err) < 0)
            return -1;
    for (size_t i = 0; i < count; i++)
        if (name_code(request, &parts[i], err) < 0)
            return -1;
    if (request->parts_count == 0 || is_given(request, "files"))
        return 0;
    return add_field(request, "files", json_object_new_object(), err);
}

int request_read_form(struct request *request, enum endpoint endpoint, const char *boundary,
                      char *body, size_t size, struct sb_error *err)
{
    _cleanup_free_ struct multipart_part *parts = calloc(MULTIPART_PARTS_MAX + 1, sizeof(*parts));
    *request = (struct request){.contract = NATIVE};
    if (parts == NULL)
        return no_memory(err);
    ssize_t count = read_parts(parts, boundary, body, size, err);
    if (count < 0 || parse_request(request, endpoint, parts, (size_t)count, err) < 0)
        return -1;
    request->from_form = true;
    if (take_parts(request, parts, (size_t)count, err) < 0)
        return -1;
    return request_take(request, err);
}
