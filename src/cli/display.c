/* See display.h. */
#include "cli/display.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/json_value.h"
#include "common/base64.h"
#include "common/json_scan.h"
#include "common/util.h"

#define DEPTH JSON_SCAN_DEPTH

/* The next member: its name without quotes, its value. False: there is none. */
static bool next_member(struct json_scan *scan, const char **name, size_t *name_size,
                        const char **value, size_t *size)
{
    if (json_scan_next(scan) != JSON_KEY)
        return false;
    *name = scan->start + 1;
    *name_size = (size_t)(scan->at - scan->start) - 2;
    *value = json_scan_value(scan, size);
    return *value != NULL;
}

static bool is_named(const char *name, size_t size, const char *type)
{
    return size == strlen(type) && memcmp(name, type, size) == 0;
}

static bool is_plain(const char *name, size_t size)
{
    return is_named(name, size, "text/plain");
}

struct json_object *display_plain(const char *json, size_t size)
{
    struct json_scan scan;
    const char *name, *value;
    size_t name_size, value_size;
    json_scan_begin(&scan, json, size, DEPTH);
    if (json_scan_next(&scan) != JSON_OBJECT)
        return NULL;
    while (next_member(&scan, &name, &name_size, &value, &value_size))
        if (is_plain(name, name_size) && *value == '"')
            return json_value_parse(value, value_size);
    return NULL;
}

/* ── Pictures ───────────────────────────────────────────────────────────────────────────────── */

static const struct picture_type {
    const char *type, *ending;
    bool is_text; /* else in base64 */
} picture_types[] = {
    {"image/svg+xml", "svg", true}, {"image/png", "png", false}, {"image/jpeg", "jpg", false},
    {"image/webp", "webp", false},  {"image/gif", "gif", false},
};

static const struct picture_type *find_picture_type(const char *name, size_t size)
{
    for (size_t i = 0; i < ARRAY_LEN(picture_types); i++)
        if (is_named(name, size, picture_types[i].type))
            return &picture_types[i];
    return NULL;
}

static bool decode(struct display_picture *picture, const struct picture_type *type,
                   const char *value, size_t size)
{
    struct json_object *string = *value == '"' ? json_value_parse(value, size) : NULL;
    if (string == NULL)
        return false;
    picture->size = (size_t)json_object_get_string_len(string);
    picture->data = malloc(picture->size + 1);
    if (picture->data != NULL)
        memcpy(picture->data, json_object_get_string(string), picture->size);
    json_object_put(string);
    ssize_t decoded = picture->data == NULL ? -1
                      : type->is_text       ? (ssize_t)picture->size
                                            : base64_decode(picture->data, picture->size);
    if (decoded < 0) {
        free_memory(&picture->data);
        return false;
    }
    picture->size = (size_t)decoded;
    picture->ending = type->ending;
    return true;
}

struct display_picture display_picture(const char *json, size_t size)
{
    struct display_picture picture = {0};
    struct json_scan scan;
    const char *name, *value;
    size_t name_size, value_size;
    json_scan_begin(&scan, json, size, DEPTH);
    if (json_scan_next(&scan) != JSON_OBJECT)
        return picture;
    while (next_member(&scan, &name, &name_size, &value, &value_size)) {
        const struct picture_type *type = find_picture_type(name, name_size);
        if (type != NULL && decode(&picture, type, value, value_size))
            return picture;
    }
    return picture;
}

/* ── Types ──────────────────────────────────────────────────────────────────────────────────── */

/* Whether the list names the type already. */
static bool is_listed(const char *list, const char *name, size_t size)
{
    for (const char *at = list; *at != '\0';) {
        size_t length = strcspn(at, ",");
        if (length == size && memcmp(at, name, size) == 0)
            return true;
        at += length;
        at += strspn(at, ", ");
    }
    return false;
}

void display_other_types(const char *json, size_t size, bool written, char list[DISPLAY_TYPES_SIZE])
{
    struct json_scan scan;
    const char *name, *value;
    size_t name_size, value_size;
    json_scan_begin(&scan, json, size, DEPTH);
    if (json_scan_next(&scan) != JSON_OBJECT)
        return;
    while (next_member(&scan, &name, &name_size, &value, &value_size)) {
        size_t length = strlen(list);
        if (is_plain(name, name_size) || is_listed(list, name, name_size) ||
            (written && find_picture_type(name, name_size) != NULL) ||
            length + name_size + 3 > DISPLAY_TYPES_SIZE)
            continue;
        snprintf(list + length, DISPLAY_TYPES_SIZE - length, "%s%.*s", length > 0 ? ", " : "",
                 (int)name_size, name);
    }
}

void display_array_begin(struct display_array *array, const char *json)
{
    json_scan_begin(&array->scan, json, strlen(json), DEPTH);
    json_scan_next(&array->scan);
}

const char *display_array_next(struct display_array *array, size_t *size)
{
    return json_scan_value(&array->scan, size);
}
