/* Fills the template of the OpenAPI document with what the program alone knows. */
#include "serve/api/openapi.h"

#include <string.h>

#include "sandbox.h"

void openapi_version(struct json_writer *writer)
{
    json_string(writer, sb_version(), strlen(sb_version()));
}

/* A limit as requests have it: CPUs with a fraction. */
static void value(struct json_writer *writer, const char *key, enum sb_limit limit, int64_t value)
{
    json_key(writer, key);
    if (limit == SB_MILLICPUS)
        json_thousandths(writer, value);
    else
        json_integer(writer, value);
}

void openapi_limits(struct json_writer *writer)
{
    json_bracket(writer, '{');
    for (enum sb_limit limit = 0; limit < SB_LIMITS; limit++) {
        const struct sb_limit_info *info = sb_limit_info(limit);
        const char *type = limit == SB_MILLICPUS ? "number" : "integer";
        json_key(writer, info->name);
        json_bracket(writer, '{');
        json_key(writer, "type");
        json_string(writer, type, strlen(type));
        json_key(writer, "description");
        json_string(writer, info->meaning, strlen(info->meaning));
        value(writer, "minimum", limit, info->min);
        value(writer, "maximum", limit, info->max);
        json_bracket(writer, '}');
    }
    json_bracket(writer, '}');
}

char *openapi_json(void)
{
    struct json_writer writer;
    json_begin(&writer, 32768);
    for (const struct openapi_part *part = openapi_parts; part->text != NULL; part++) {
        json_verbatim(&writer, part->text);
        if (part->fill != NULL)
            part->fill(&writer);
    }
    return json_end(&writer);
}
