/* The shapes of openapi_tables.h and the table of limits as JSON Schema (draft 2020-12, which
 * OpenAPI 3.1 takes as it is). */
#include "serve/api/openapi_schema.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "sandbox.h"
#include "serve/api/openapi_tables.h"
#include "serve/contracts/contracts.h"
#include "serve/contracts/request_fields.h"

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

static void member(struct json_writer *writer, const struct openapi_member *member)
{
    json_key(writer, member->name);
    json_bracket(writer, '{');
    type(writer, member->type);
    openapi_text(writer, "description", member->meaning);
    more(writer, member->more);
    json_bracket(writer, '}');
}

static void begin_shape(struct json_writer *writer, const char *name, const char *suffix,
                        const char *meaning)
{
    char key[64];
    snprintf(key, sizeof(key), "%s%s", name, suffix);
    json_key(writer, key);
    json_bracket(writer, '{');
    openapi_text(writer, "type", "object");
    openapi_text(writer, "description", meaning);
    json_key(writer, "properties");
    json_bracket(writer, '{');
}

static void begin_required(struct json_writer *writer)
{
    json_bracket(writer, '}');
    json_key(writer, "required");
    json_bracket(writer, '[');
}

static void require(struct json_writer *writer, const char *name)
{
    json_item(writer);
    json_string(writer, name, strlen(name));
}

static void end_shape(struct json_writer *writer)
{
    json_bracket(writer, ']');
    json_key(writer, "additionalProperties");
    json_verbatim(writer, "false");
    json_bracket(writer, '}');
}

static void shape(struct json_writer *writer, const struct openapi_shape *shape)
{
    begin_shape(writer, shape->name, "", shape->meaning);
    for (const struct openapi_member *each = shape->members; each->name != NULL; each++)
        member(writer, each);
    begin_required(writer);
    for (const struct openapi_member *each = shape->members; each->name != NULL; each++)
        if ((each->flags & OPENAPI_REQUIRED) != 0)
            require(writer, each->name);
    end_shape(writer);
}

/* ── Contracts ──────────────────────────────────────────────────────────────────────────────── */

static const char *const contract_names[CONTRACTS] = {
    [NATIVE] = "Run",
    [RUN_CODE] = "RunCode",
    [EXECUTE] = "Execute",
    [EXECUTE_SCRIPT] = "ExecuteScript",
};

/* The fields that request.c takes. What nobody has described yet is here all the same. */
static void request_shape(struct json_writer *writer, enum contract_id contract)
{
    begin_shape(writer, contract_names[contract], "Request", "What to run.");
    for (const struct request_field *field = request_fields; field->name != NULL; field++) {
        if ((field->contracts & (1u << contract)) == 0)
            continue;
        const struct openapi_field *found = openapi_fields;
        while (found->member.name != NULL && (strcmp(found->member.name, field->name) != 0 ||
                                              (found->contracts & (1u << contract)) == 0))
            found++;
        const struct openapi_member unknown = {field->name, "any", "", NULL, 0};
        member(writer, found->member.name != NULL ? &found->member : &unknown);
    }
    begin_required(writer);
    if (contract != NATIVE) /* whose code may be one of the files */
        require(writer, contracts[contract].code);
    end_shape(writer);
}

/* The members of a form; those that stand in `but` too are left out. */
static void members_of(struct json_writer *writer, const char *form, const char *but)
{
    for (const char *letter = form; *letter != '\0'; letter++)
        for (const struct openapi_letter *known = openapi_letters; known->letter != 0; known++)
            if (known->letter == *letter && strchr(but, *letter) == NULL)
                member(writer, &known->member);
}

/* Those that are in every one of two forms. */
static void require_both(struct json_writer *writer, const char *form, const char *other)
{
    for (const struct openapi_letter *known = openapi_letters; known->letter != 0; known++)
        if (strchr(form, known->letter) != NULL && strchr(other, known->letter) != NULL)
            require(writer, known->member.name);
}

/* What a failure looks like that is answered with 200 like success. */
static const char *failure_with_200(const struct contract *contract)
{
    for (int word = SB_OK + 1; word <= SB_INTERNAL; word++)
        if (contract->status[word] == 200)
            return contract->failure;
    return contract->success;
}

static void answer_shapes(struct json_writer *writer, enum contract_id id)
{
    static const struct openapi_member status = {
        "status", "=error", "Only of a request that was not carried out.", NULL, 0};
    static const struct openapi_member field = {
        "field", "string|null", "The member of such a request that is at fault.", NULL, 0};
    const struct contract *contract = &contracts[id];
    if (contract->success == NULL)
        return; /* native: it stands among the shapes */
    const char *failure = failure_with_200(contract);
    begin_shape(writer, contract_names[id], "Answer", "What became of it.");
    members_of(writer, contract->success, "");
    members_of(writer, failure, contract->success);
    begin_required(writer);
    require_both(writer, contract->success, failure);
    end_shape(writer);
    begin_shape(writer, contract_names[id], "Failed", "Why it did not work.");
    member(writer, &status);
    members_of(writer, contract->refusal, "");
    member(writer, &field);
    begin_required(writer);
    require_both(writer, contract->refusal, contract->refused);
    end_shape(writer);
}

/* ── Limits ─────────────────────────────────────────────────────────────────────────────────── */

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
    for (int id = 0; id < CONTRACTS; id++) {
        request_shape(writer, (enum contract_id)id);
        answer_shapes(writer, (enum contract_id)id);
    }
    limits(writer, "Limits",
           "Limits of one job. Those that are left out are the policy's; none may be above the "
           "policy's caps, see `GET /policies`.");
    for (const struct openapi_shape *one = openapi_shapes; one->name != NULL; one++)
        shape(writer, one);
    json_bracket(writer, '}');
}
