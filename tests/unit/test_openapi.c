/* The OpenAPI document says what the tables of the service do: the routes, the fields of requests,
 * the answers of the contracts. A failure names the place in src/serve/api/openapi.json. */
#include "unit.h"

#include <ctype.h>
#include <json-c/json.h>
#include <json-c/json_visit.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/util.h"
#include "serve/api/openapi.h"
#include "serve/contracts/contracts.h"
#include "serve/contracts/request_fields.h"
#include "serve/http/route.h"

#define TEMPLATE "src/serve/api/openapi.json: "

/* What the routes call to answer; no test asks them. */
#define NOT_CALLED(name)                                                                           \
    void name(void);                                                                               \
    void name(void)                                                                                \
    {                                                                                              \
        fail();                                                                                    \
    }
NOT_CALLED(exchange_answer)
NOT_CALLED(exchange_refuse_request)
NOT_CALLED(exchange_request)
NOT_CALLED(graded_submit)
NOT_CALLED(health_ask)
NOT_CALLED(health_ready)
NOT_CALLED(job_submit)
NOT_CALLED(jobs_cancel)
NOT_CALLED(jobs_events)
NOT_CALLED(jobs_get)
NOT_CALLED(jobs_list)
NOT_CALLED(jobs_submit)
NOT_CALLED(metrics_text)
NOT_CALLED(policies_json)
NOT_CALLED(exchange_refuse)

static struct json_object *document;

static int parse(void **state)
{
    (void)state;
    char *text = openapi_json();
    assert_non_null(text);
    document = json_tokener_parse(text);
    free(text);
    return document != NULL ? 0 : -1;
}

static int drop(void **state)
{
    (void)state;
    json_object_put(document);
    return 0;
}

/* ── Looking into it ─────────────────────────────────────────────────────────────────────────── */

static struct json_object *member(struct json_object *object, const char *name)
{
    struct json_object *value = NULL;
    json_object_object_get_ex(object, name, &value); /* NULL, too, where there is no object */
    return value;
}

/* What "#/components/…" names; NULL: nothing. */
static struct json_object *target(const char *reference)
{
    char path[128];
    struct json_object *value = document;
    snprintf(path, sizeof(path), "%s", reference);
    char *rest = path;
    assert_string_equal(strsep(&rest, "/"), "#");
    for (char *name; value != NULL && (name = strsep(&rest, "/")) != NULL;)
        value = member(value, name);
    return value;
}

static struct json_object *resolved(struct json_object *value)
{
    struct json_object *reference = member(value, "$ref");
    return reference != NULL ? target(json_object_get_string(reference)) : value;
}

static bool has_word(struct json_object *list, const char *word)
{
    for (size_t i = 0; list != NULL && i < json_object_array_length(list); i++)
        if (strcmp(json_object_get_string(json_object_array_get_idx(list, i)), word) == 0)
            return true;
    return false;
}

static struct json_object *operation_at(const char *path, const char *method)
{
    char lower[8] = "";
    for (size_t i = 0; i + 1 < sizeof(lower) && method[i] != '\0'; i++)
        lower[i] = (char)tolower((unsigned char)method[i]);
    return member(member(member(document, "paths"), path), lower);
}

/* ── Routes ──────────────────────────────────────────────────────────────────────────────────── */

static const struct route *route_of(const char *path, const char *lower)
{
    for (size_t i = 0; i < routes_count; i++)
        if (strcmp(routes[i].path, path) == 0 && strcasecmp(routes[i].method, lower) == 0)
            return &routes[i];
    return NULL;
}

static void every_route_is_documented(void **state)
{
    (void)state;
    static const char *const words[] = {"summary", "operationId", "description", "tags"};
    for (size_t i = 0; i < routes_count; i++) {
        struct json_object *operation = operation_at(routes[i].path, routes[i].method);
        if (operation == NULL)
            fail_msg(TEMPLATE "add %s %s to \"paths\"", routes[i].method, routes[i].path);
        for (size_t j = 0; j < ARRAY_LEN(words); j++)
            if (member(operation, words[j]) == NULL)
                fail_msg(TEMPLATE "give %s a \"%s\"", routes[i].path, words[j]);
    }
}

static void every_documented_path_is_a_route(void **state)
{
    (void)state;
    json_object_object_foreach(member(document, "paths"), path, methods)
    {
        json_object_object_foreach(methods, method, operation)
        {
            (void)operation;
            if (route_of(path, method) == NULL)
                fail_msg(TEMPLATE "%s %s is not in routes[]: remove it", method, path);
        }
    }
}

static void whether_a_route_takes_a_body_and_needs_a_token_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < routes_count; i++) {
        struct json_object *operation = operation_at(routes[i].path, routes[i].method);
        struct json_object *body = member(operation, "requestBody");
        struct json_object *security = member(operation, "security");
        if (json_object_get_boolean(member(body, "required")) !=
            ((routes[i].flags & ROUTE_BODY) != 0))
            fail_msg(TEMPLATE "%s: \"requestBody\" belongs to the routes with ROUTE_BODY",
                     routes[i].path);
        if ((security != NULL && json_object_array_length(security) == 0) !=
            ((routes[i].flags & ROUTE_PUBLIC) != 0))
            fail_msg(TEMPLATE "%s: \"security\": [] belongs to the routes with ROUTE_PUBLIC",
                     routes[i].path);
    }
}

/* The answers that a client may get anywhere, by what the service does with such a route. */
static void every_answer_that_a_route_may_give_is_documented(void **state)
{
    (void)state;
    static const struct {
        const char *status;
        unsigned with, without;
    } rows[] = {
        {"400", ROUTE_BODY, 0}, {"401", 0, ROUTE_PUBLIC}, {"403", 0, 0}, {"408", ROUTE_BODY, 0},
        {"413", ROUTE_BODY, 0}, {"415", ROUTE_BODY, 0},   {"421", 0, 0}, {"429", 0, ROUTE_PUBLIC},
        {"500", ROUTE_BODY, 0}, {"503", ROUTE_BODY, 0},
    };
    static const char *const good[] = {"200", "202", "204"};
    for (size_t i = 0; i < routes_count; i++) {
        struct json_object *operation = operation_at(routes[i].path, routes[i].method);
        size_t found = 0;
        for (size_t j = 0; j < ARRAY_LEN(good); j++)
            found += member(member(operation, "responses"), good[j]) != NULL;
        if (found == 0)
            fail_msg(TEMPLATE "%s: add the status of success to \"responses\"", routes[i].path);
    }
    for (size_t i = 0; i < routes_count; i++)
        for (size_t j = 0; j < ARRAY_LEN(rows); j++) {
            unsigned flags = routes[i].flags;
            struct json_object *operation = operation_at(routes[i].path, routes[i].method);
            if ((flags & rows[j].with) == rows[j].with && (flags & rows[j].without) == 0 &&
                member(member(operation, "responses"), rows[j].status) == NULL)
                fail_msg(TEMPLATE "%s: add the status %s to \"responses\"", routes[i].path,
                         rows[j].status);
        }
}

/* ── Contracts ───────────────────────────────────────────────────────────────────────────────── */

static const struct {
    const char *path, *request;
} endpoints[CONTRACTS] = {
    [NATIVE] = {"/run", "RunRequest"},
    [RUN_CODE] = {"/run_code", "RunCodeRequest"},
    [EXECUTE] = {"/execute", "ExecuteRequest"},
    [EXECUTE_SCRIPT] = {"/execute", "ExecuteScriptRequest"},
};

static struct json_object *schema(const char *name)
{
    return member(member(member(document, "components"), "schemas"), name);
}

/* A schema of a request, which has the fields of `wanted`, bits of struct request_field's
 * contracts, and no others. */
static struct json_object *check_fields(const char *name, unsigned wanted)
{
    struct json_object *described = schema(name), *properties = member(described, "properties");
    int count = 0;
    for (const struct request_field *field = request_fields; field->name != NULL; field++) {
        if ((field->contracts & wanted) == 0)
            continue;
        if (member(properties, field->name) == NULL)
            fail_msg(TEMPLATE "add \"%s\" to the properties of %s", field->name, name);
        count++;
    }
    if (json_object_object_length(properties) != count)
        fail_msg(TEMPLATE "%s has fields that are not in request_fields[]", name);
    return described;
}

static void every_field_of_a_request_is_documented(void **state)
{
    (void)state;
    for (int id = 0; id < CONTRACTS; id++) {
        struct json_object *described = check_fields(endpoints[id].request, 1u << id);
        /* The code of POST /run may be one of its files. */
        assert_int_equal(has_word(member(described, "required"), contracts[id].code), id != NATIVE);
    }
}

static void a_stored_job_has_the_fields_of_a_run_and_its_own(void **state)
{
    (void)state;
    check_fields("JobRequest", 1u << NATIVE | JOBS_ONLY);
}

static bool is_read(enum endpoint endpoint, const char *format, ...)
{
    char body[2048];
    struct request request;
    struct sb_error err;
    va_list args;
    va_start(args, format);
    vsnprintf(body, sizeof(body), format, args);
    va_end(args);
    bool read = request_read(&request, endpoint, body, strlen(body), &err) == 0;
    request_free(&request);
    return read;
}

static void the_documented_bounds_are_those_of_the_readers(void **state)
{
    (void)state;
    char name[1500];
    memset(name, 'a', sizeof(name));
    int longest = json_object_get_int(member(target("#/components/schemas/RunRequest/properties/"
                                                    "name"),
                                             "maxLength"));
    assert_true(is_read(ENDPOINT_RUN, "{\"code\":\"\",\"name\":\"%.*s\"}", longest, name));
    assert_false(is_read(ENDPOINT_RUN, "{\"code\":\"\",\"name\":\"%.*s\"}", longest + 1, name));
    static const struct {
        enum endpoint endpoint;
        const char *timeout;
        double below;
    } rows[] = {
        {ENDPOINT_RUN, "#/components/schemas/RunRequest/properties/timeout", 0.0004},
        {ENDPOINT_EXECUTE, "#/components/schemas/ExecuteRequest/properties/timeout", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        double least = json_object_get_double(member(target(rows[i].timeout), "minimum"));
        assert_true(is_read(rows[i].endpoint, "{\"code\":\"\",\"timeout\":%g}", least));
        assert_false(is_read(rows[i].endpoint, "{\"code\":\"\",\"timeout\":%g}", rows[i].below));
    }
}

/* The name of a schema, "#/components/schemas/…", that the answer fits. NULL: it does not, for this
 * member, which the schema lacks or requires. */
static const char *fitting(struct json_object *reference, struct json_object *answer,
                           const char **odd)
{
    struct json_object *form = resolved(reference), *required = member(form, "required");
    json_object_object_foreach(answer, name, value)
    {
        (void)value;
        *odd = name;
        if (member(member(form, "properties"), name) == NULL)
            return NULL;
    }
    for (size_t i = 0; i < json_object_array_length(required); i++) {
        *odd = json_object_get_string(json_object_array_get_idx(required, i));
        if (!json_object_object_get_ex(answer, *odd, NULL))
            return NULL;
    }
    return strrchr(json_object_get_string(member(reference, "$ref")), '/') + 1;
}

/* An answer with this status of this contract fits a documented schema. Notes the members in
 * `seen`, by the schema's name. Takes the text. */
static void check_answer(struct json_object *seen, int id, unsigned status, char *text)
{
    char number[12];
    snprintf(number, sizeof(number), "%u", status);
    struct json_object *responses = member(operation_at(endpoints[id].path, "POST"), "responses");
    struct json_object *content = member(resolved(member(responses, number)), "content");
    struct json_object *only = member(member(content, "application/json"), "schema");
    struct json_object *several = member(only, "anyOf");
    struct json_object *answer = json_tokener_parse(text);
    size_t count = several != NULL ? json_object_array_length(several) : 1;
    const char *form = NULL, *odd = "";
    for (size_t i = 0; form == NULL && i < count; i++)
        form =
            fitting(several != NULL ? json_object_array_get_idx(several, i) : only, answer, &odd);
    if (form == NULL)
        fail_msg(TEMPLATE "the schema of %s's response %s differs from the answer in \"%s\": %s",
                 endpoints[id].path, number, odd, text);
    struct json_object *of_form = member(seen, form);
    if (of_form == NULL)
        json_object_object_add(seen, form, of_form = json_object_new_object());
    json_object_object_foreach(answer, name, value)
    {
        (void)value;
        json_object_object_add(of_form, name, NULL);
    }
    json_object_put(answer);
    free(text);
}

static void check_verdicts(struct json_object *seen, int id)
{
    static const char *const nothing_missing[] = {NULL};
    static const struct sb_denied denied = {"mount", 1};
    for (int word = SB_OK; word <= SB_INTERNAL; word++) {
        unsigned status;
        struct sb_verdict verdict = {
            .word = (enum sb_word)word,
            .id = "job-1",
            .error = word == SB_OK ? NULL : "why",
            .text = {"out", "err"},
            .text_size = {3, 3},
            .result = word == SB_OK ? "1" : NULL,
            .display = "[{\"text/plain\":\"1\"}]",
            .cgroup = "v2",
            .start = "cold",
            .missing = nothing_missing,
            .denied = &denied,
            .denied_count = 1,
        };
        char *text = contract_answer((enum contract_id)id, &verdict, 0, &status);
        check_answer(seen, id, status, text);
    }
}

static void every_member_of_an_answer_is_documented(void **state)
{
    (void)state;
    static const unsigned refusals[] = {400, 403, 500, 503};
    struct json_object *seen = json_object_new_object();
    for (int id = 0; id < CONTRACTS; id++) {
        check_verdicts(seen, id);
        for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
            check_answer(seen, id, refusals[i], contract_refusal((enum contract_id)id, "", "why"));
    }
    json_object_object_foreach(seen, form, members)
    {
        json_object_object_foreach(member(schema(form), "properties"), name, value)
        {
            (void)value;
            if (!json_object_object_get_ex(members, name, NULL))
                fail_msg(TEMPLATE "%s: no answer has \"%s\": remove it", form, name);
        }
    }
    json_object_put(seen);
}

static void every_word_of_a_verdict_is_documented(void **state)
{
    (void)state;
    struct json_object *words =
        member(target("#/components/schemas/RunAnswer/properties/verdict"), "enum");
    assert_int_equal(json_object_array_length(words), SB_INTERNAL + 1);
    for (int word = SB_OK; word <= SB_INTERNAL; word++)
        if (!has_word(words, sb_word_name((enum sb_word)word)))
            fail_msg(TEMPLATE "add \"%s\" to the words of \"verdict\"",
                     sb_word_name((enum sb_word)word));
}

/* ── The whole ───────────────────────────────────────────────────────────────────────────────── */

/* Notes what is referred to, and stops where that is not there. */
static int note_reference(json_object *value, int flags, json_object *parent, const char *key,
                          size_t *index, void *used)
{
    (void)parent, (void)index;
    if (flags == JSON_C_VISIT_SECOND || key == NULL || strcmp(key, "$ref") != 0)
        return JSON_C_VISIT_RETURN_CONTINUE;
    if (target(json_object_get_string(value)) == NULL)
        fail_msg(TEMPLATE "there is no %s", json_object_get_string(value));
    json_object_object_add(used, json_object_get_string(value), NULL);
    return JSON_C_VISIT_RETURN_CONTINUE;
}

static void every_component_is_there_and_used(void **state)
{
    (void)state;
    static const char *const kinds[] = {"schemas", "responses"};
    struct json_object *used = json_object_new_object();
    assert_int_equal(json_c_visit(document, 0, note_reference, used), 0);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        json_object_object_foreach(member(member(document, "components"), kinds[i]), name, value)
        {
            char reference[128];
            snprintf(reference, sizeof(reference), "#/components/%s/%s", kinds[i], name);
            if (!json_object_object_get_ex(used, reference, NULL))
                fail_msg(TEMPLATE "nothing refers to %s: remove it", reference);
            assert_non_null(member(value, "description"));
        }
    }
    json_object_put(used);
}

static void check_members(const char *name, struct json_object *schema)
{
    struct json_object *properties = member(schema, "properties"), *forms = member(schema, "oneOf");
    const char *type = json_object_get_string(member(schema, "type"));
    if (type != NULL && strcmp(type, "object") != 0)
        return;
    assert_true(properties != NULL || forms != NULL);
    for (size_t i = 0; properties == NULL && i < json_object_array_length(forms); i++)
        check_members(name, json_object_array_get_idx(forms, i));
    if (properties == NULL)
        return;
    json_object_object_foreach(properties, key, value)
    {
        if (json_object_get_string_len(member(value, "description")) == 0)
            fail_msg(TEMPLATE "describe \"%s\" of %s", key, name);
    }
}

static void every_member_has_a_description(void **state)
{
    (void)state;
    json_object_object_foreach(member(member(document, "components"), "schemas"), name, schema)
    {
        check_members(name, schema);
    }
}

static void the_program_fills_in_its_version_and_the_limits(void **state)
{
    (void)state;
    char *text = openapi_json();
    assert_null(strstr(text, "{{"));
    free(text);
    assert_string_equal(json_object_get_string(member(member(document, "info"), "version")),
                        sb_version());
    struct json_object *limits = target("#/components/schemas/Limits/properties");
    assert_int_equal(json_object_object_length(limits), SB_LIMITS);
    for (enum sb_limit limit = 0; limit < SB_LIMITS; limit++) {
        const struct sb_limit_info *info = sb_limit_info(limit);
        double unit = limit == SB_MILLICPUS ? 1000 : 1;
        struct json_object *described = member(limits, info->name);
        assert_true(json_object_get_double(member(described, "minimum")) * unit ==
                    (double)info->min);
        assert_true(json_object_get_double(member(described, "maximum")) * unit ==
                    (double)info->max);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_is_documented),
        cmocka_unit_test(every_documented_path_is_a_route),
        cmocka_unit_test(whether_a_route_takes_a_body_and_needs_a_token_is_told),
        cmocka_unit_test(every_answer_that_a_route_may_give_is_documented),
        cmocka_unit_test(every_field_of_a_request_is_documented),
        cmocka_unit_test(a_stored_job_has_the_fields_of_a_run_and_its_own),
        cmocka_unit_test(the_documented_bounds_are_those_of_the_readers),
        cmocka_unit_test(every_member_of_an_answer_is_documented),
        cmocka_unit_test(every_word_of_a_verdict_is_documented),
        cmocka_unit_test(every_component_is_there_and_used),
        cmocka_unit_test(every_member_has_a_description),
        cmocka_unit_test(the_program_fills_in_its_version_and_the_limits),
    };
    return cmocka_run_group_tests(tests, parse, drop);
}
