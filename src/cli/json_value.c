/* See json_value.h. */
#include "cli/json_value.h"

#include <stdint.h>

const char *json_value_take(struct json_scan *scan, size_t *size)
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

struct json_object *json_value_parse(const char *value, size_t size)
{
    if (size > INT32_MAX)
        return NULL;
    struct json_tokener *tokener = json_tokener_new();
    struct json_object *object =
        tokener != NULL ? json_tokener_parse_ex(tokener, value, (int)size) : NULL;
    if (tokener != NULL)
        json_tokener_free(tokener);
    return object;
}
