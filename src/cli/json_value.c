/* See json_value.h. */
#include "cli/json_value.h"

#include <stdint.h>

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
