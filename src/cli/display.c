/* A parser would take many times the memory of hostile JSON: only the one string that is printed is
 * parsed. See display.h. */
#include "cli/display.h"

#include <stdio.h>
#include <string.h>

#define DEPTH JSON_SCAN_DEPTH

/* Takes a whole value. NULL: there is none. */
static const char *take_value(struct json_scan *scan, size_t *size)
{
    size_t depth = scan->depth;
    enum json_token token = json_scan_next(scan);
    const char *value = scan->start;
    if (token == JSON_CLOSE || token == JSON_END)
        return NULL;
    while (token != JSON_FAULT && scan->depth > depth)
        token = json_scan_next(scan);
    *size = (size_t)(scan->at - value);
    return token != JSON_FAULT ? value : NULL;
}

/* The next member: its name without quotes, its value. False: there is none. */
static bool next_member(struct json_scan *scan, const char **name, size_t *name_size,
                        const char **value, size_t *size)
{
    if (json_scan_next(scan) != JSON_KEY)
        return false;
    *name = scan->start + 1;
    *name_size = (size_t)(scan->at - scan->start) - 2;
    *value = take_value(scan, size);
    return *value != NULL;
}

static bool is_plain(const char *name, size_t size)
{
    static const char plain[] = "text/plain";
    return size == sizeof(plain) - 1 && memcmp(name, plain, size) == 0;
}

struct json_object *display_plain(const char *json, size_t size)
{
    struct json_scan scan;
    const char *name, *value;
    size_t name_size, value_size;
    json_scan_begin(&scan, json, size, DEPTH);
    if (json_scan_next(&scan) != JSON_OBJECT)
        return NULL;
    while (next_member(&scan, &name, &name_size, &value, &value_size)) {
        if (!is_plain(name, name_size) || *value != '"' || value_size > INT32_MAX)
            continue;
        struct json_tokener *tokener = json_tokener_new();
        struct json_object *text =
            tokener != NULL ? json_tokener_parse_ex(tokener, value, (int)value_size) : NULL;
        if (tokener != NULL)
            json_tokener_free(tokener);
        return text;
    }
    return NULL;
}

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

void display_other_types(const char *json, size_t size, char list[DISPLAY_TYPES_SIZE])
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
    return take_value(&array->scan, size);
}
