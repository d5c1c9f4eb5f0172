/* The shapes of openapi_tables.h and the table of limits as JSON Schema (draft 2020-12, which
 * OpenAPI 3.1 takes as it is). */
#include "openapi_schema.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "openapi_tables.h"
#include "sandbox.h"
#include "util.h"

void openapi_text(struct json_writer *writer, const char *key, const char *value)
{
    json_key(writer, key);
    json_string(writer, value, strlen(value));
}

void openapi_reference(struct json_writer *writer, const char *kind, const char *name)
{
    char target[96];
    snprintf(target, sizeof(target), "#/components/%s/%s", kind, name);
    openapi_text(writer, "$ref", target);
}

/* The words of `list`, which has `separator` between them, as an array of strings. */
void openapi_words(struct json_writer *writer, const char *list, char separator)
{
    json_bracket(writer, '[');
    for (const char *word = list, *end; *word != '\0'; word = *end == '\0' ? end : end + 1) {
        end = strchrnul(word, separator);
        json_item(writer);
        json_string(writer, word, (size_t)(end - word));
    }
    json_bracket(writer, ']');
}

/* The keywords for a type in the short form of openapi_tables.h, as members of the open object. */
static void type(struct json_writer *writer, const char *form)
{
    char inner[64];
    if (isupper((unsigned char)form[0])) {
        openapi_reference(writer, "schemas", form);
    } else if (form[0] == '=') {
        json_key(writer, "enum");
        openapi_words(writer, form + 1, ' ');
    } else if (form[0] == '[' || form[0] == '{') {
        snprintf(inner, sizeof(inner), "%.*s", (int)strlen(form) - 2, form + 1);
        openapi_text(writer, "type", form[0] == '[' ? "array" : "object");
        json_key(writer, form[0] == '[' ? "items" : "additionalProperties");
        json_bracket(writer, '{');
        type(writer, inner);
        json_bracket(writer, '}');
    } else if (strchr(form, '|') != NULL) {
        json_key(writer, "type");
        openapi_words(writer, form, '|');
    } else if (strcmp(form, "any") != 0) {
        openapi_text(writer, "type", form);
    }
}

/* The members of a JSON object given as text, as further members of the open object. */
static void more(struct json_writer *writer, const char *object)
{
    if (object == NULL)
        return;
    _cleanup_free_ char *members = strdup(object);
    if (members == NULL) {
        writer->failed = true;
        return;
    }
    members[strlen(members) - 1] = '\0';
    json_item(writer);
    json_verbatim(writer, members + 1);
}

static void shape(struct json_writer *writer, const struct openapi_shape *shape)
{
    openapi_text(writer, "type", "object");
    openapi_text(writer, "description", shape->meaning);
    json_key(writer, "properties");
    json_bracket(writer, '{');
    for (const struct openapi_member *member = shape->members; member->name; member++) {
        json_key(writer, member->name);
        json_bracket(writer, '{');
        type(writer, member->type);
        openapi_text(writer, "description", member->meaning);
        more(writer, member->more);
        json_bracket(writer, '}');
    }
    json_bracket(writer, '}');
    json_key(writer, "required");
    json_bracket(writer, '[');
    for (const struct openapi_member *member = shape->members; member->name; member++)
        if ((member->flags & OPENAPI_REQUIRED) != 0) {
            json_item(writer);
            json_string(writer, member->name, strlen(member->name));
        }
    json_bracket(writer, ']');
    more(writer, shape->more);
    json_key(writer, "additionalProperties");
    json_verbatim(writer, "false");
}

/* A value as limits are written in JSON: CPUs with a fraction. */
static void limit_value(struct json_writer *writer, const char *key, enum sb_limit limit,
                        int64_t value)
{
    json_key(writer, key);
    if (limit == SB_MILLICPUS)
        json_thousandths(writer, value);
    else
        json_integer(writer, value);
}

static void limits(struct json_writer *writer, const char *name, const char *meaning)
{
    json_key(writer, name);
    json_bracket(writer, '{');
    openapi_text(writer, "type", "object");
    openapi_text(writer, "description", meaning);
    json_key(writer, "properties");
    json_bracket(writer, '{');
    for (int i = 0; i < SB_LIMITS; i++) {
        const struct sb_limit_info *info = sb_limit_info((enum sb_limit)i);
        json_key(writer, info->name);
        json_bracket(writer, '{');
        openapi_text(writer, "type", i == SB_MILLICPUS ? "number" : "integer");
        openapi_text(writer, "description", info->meaning);
        limit_value(writer, "minimum", (enum sb_limit)i, info->min);
        limit_value(writer, "maximum", (enum sb_limit)i, info->max);
        json_bracket(writer, '}');
    }
    json_bracket(writer, '}');
    json_key(writer, "additionalProperties");
    json_verbatim(writer, "false");
    json_bracket(writer, '}');
}

void openapi_schemas(struct json_writer *writer)
{
    json_key(writer, "schemas");
    json_bracket(writer, '{');
    limits(writer, "Limits",
           "Limits of one job. Those that are left out are the policy's; none may be above the "
           "policy's caps, see `GET /policies`.");
    for (const struct openapi_shape *one = openapi_shapes; one->name != NULL; one++) {
        json_key(writer, one->name);
        json_bracket(writer, '{');
        shape(writer, one);
        json_bracket(writer, '}');
    }
    json_bracket(writer, '}');
}
