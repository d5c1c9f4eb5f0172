/* Writes the OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.0). Paths, methods, summaries
 * and who may ask come from routes[], limits from sb_limit_info(): what is served can't be missing
 * here. */
#include "serve/api/openapi.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "sandbox.h"
#include "serve/api/openapi_schema.h"
#include "serve/api/openapi_tables.h"
#include "serve/http/route.h"

#define JSON(...) #__VA_ARGS__
#define JSON_TYPE "application/json"

static const char about[] =
    "Runs Python that you do not trust and answers with what became of it. Each request is one "
    "job, in namespaces, a read-only root file system, a cgroup and a seccomp filter of its own; "
    "nothing of it is left when the answer is sent.\n\n"
    "Bodies are JSON (RFC 8259) in UTF-8; unknown and duplicate members, NaN, lone surrogates and "
    "NUL characters are refused with the name of the member. An error that is not the job's own is "
    "an `Error`, whatever the path: also 404 for an unknown path and 405, with `Allow`, for a "
    "method that the path does not have.\n\n"
    "Every answer carries `X-Request-Id`: the request's own when it sent one, and the job's id in "
    "the service's log.";

/* Answers that any route may give. Those of the job itself stand with the operation. */
static const struct {
    const char *status, *name, *description;
    unsigned without; /* not for routes with one of these flags */
    unsigned only;    /* for routes with these flags only */
    const char *headers;
} failures[] = {
    {"400", "BadRequest",
     "The request is not understood, asks for more than fits or its policy allows, names a policy "
     "that is not available, or its code is at fault.",
     0, ROUTE_BODY, NULL},
    {"401", "Unauthorized", "Tokens are set up, and the request has none, or a wrong one.",
     ROUTE_PUBLIC, 0,
     JSON({"WWW-Authenticate" : {"schema" : {"type" : "string"}, "description" : "Bearer"}})},
    {"403", "Forbidden", "A page of another site asked, or the token does not allow this policy.",
     0, 0, NULL},
    {"408", "RequestTimeout", "The body came too slowly.", 0, ROUTE_BODY, NULL},
    {"413", "TooLarge", "The body is larger than `max-body` of the configuration.", 0, ROUTE_BODY,
     NULL},
    {"415", "UnsupportedMediaType",
     "The body's Content-Type is not application/json, or its Content-Encoding not identity.", 0,
     ROUTE_BODY, NULL},
    {"421", "MisdirectedRequest", "Another host is asked, or https: without TLS.", 0, 0, NULL},
    {"429", "TooManyRequests",
     "This client asks more often than it may, or too often without a token that is known.",
     ROUTE_PUBLIC, 0,
     JSON({"Retry-After" : {"schema" : {"type" : "integer"}, "description" : "seconds"}})},
    {"500", "Failed",
     "The code ran into a limit, where the contract says so, or the service failed.", 0, ROUTE_BODY,
     NULL},
    {"503", "Busy",
     "The queue is full, the service stops, or the host was too busy or short of memory: what "
     "ran until then is told.",
     0, ROUTE_BODY,
     JSON({"Retry-After" : {"schema" : {"type" : "integer"}, "description" : "seconds"}})},
};

/* ── Operations ─────────────────────────────────────────────────────────────────────────────── */

static const struct openapi_operation *operation_of(const struct route *route)
{
    static const struct openapi_operation none = {0};
    for (const struct openapi_operation *found = openapi_operations; found->path; found++)
        if (strcmp(found->path, route->path) == 0 && strcmp(found->method, route->method) == 0)
            return found;
    return &none;
}

/* "schema": one of the shapes. */
static void schema(struct json_writer *writer, const char *const names[])
{
    json_key(writer, "schema");
    json_bracket(writer, '{');
    if (names[1] == NULL) {
        openapi_reference(writer, "schemas", names[0]);
    } else {
        json_key(writer, "anyOf");
        json_bracket(writer, '[');
        for (; *names != NULL; names++) {
            json_item(writer);
            json_bracket(writer, '{');
            openapi_reference(writer, "schemas", *names);
            json_bracket(writer, '}');
        }
        json_bracket(writer, ']');
    }
    json_bracket(writer, '}');
}

/* "content": JSON of one of the shapes, with the examples that belong to `status`; 0: the
 * requests of all of them. */
static void content(struct json_writer *writer, const char *const shapes[],
                    const struct openapi_example *examples, unsigned status)
{
    json_key(writer, "content");
    json_bracket(writer, '{');
    json_key(writer, JSON_TYPE);
    json_bracket(writer, '{');
    schema(writer, shapes);
    json_key(writer, "examples");
    json_bracket(writer, '{');
    for (; examples != NULL && examples->name != NULL; examples++) {
        const char *value = status == 0 ? examples->request : examples->answer;
        if (value == NULL || (status != 0 && examples->status != status))
            continue;
        json_key(writer, examples->name);
        json_bracket(writer, '{');
        openapi_text(writer, "summary", examples->summary);
        json_key(writer, "value");
        json_verbatim(writer, value);
        json_bracket(writer, '}');
    }
    json_bracket(writer, '}');
    json_bracket(writer, '}');
    json_bracket(writer, '}');
}

static void success(struct json_writer *writer, const struct openapi_operation *operation)
{
    json_key(writer, "200");
    json_bracket(writer, '{');
    openapi_text(writer, "description", "Done.");
    if (operation->answer[0] != NULL) {
        content(writer, operation->answer, operation->examples, 200);
    } else {
        json_key(writer, "content");
        json_bracket(writer, '{');
        json_key(writer, operation->type != NULL ? operation->type : JSON_TYPE);
        json_verbatim(writer, "{}");
        json_bracket(writer, '}');
    }
    json_bracket(writer, '}');
}

/* The shapes that the answer with this status may have, NULL when it is an Error. */
static const char *const *own_failure(const struct openapi_operation *operation, const char *status)
{
    for (size_t i = 0; i < ARRAY_LEN(operation->failures); i++)
        if (operation->failures[i].status != NULL &&
            strcmp(operation->failures[i].status, status) == 0)
            return operation->failures[i].shapes;
    return NULL;
}

static void answers(struct json_writer *writer, const struct route *route,
                    const struct openapi_operation *operation)
{
    json_key(writer, "responses");
    json_bracket(writer, '{');
    success(writer, operation);
    for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
        const char *const *own = own_failure(operation, failures[i].status);
        if (own == NULL && ((route->flags & failures[i].without) != 0 ||
                            (route->flags & failures[i].only) != failures[i].only))
            continue;
        json_key(writer, failures[i].status);
        json_bracket(writer, '{');
        if (own == NULL) {
            openapi_reference(writer, "responses", failures[i].name);
        } else {
            openapi_text(writer, "description", failures[i].description);
            if (failures[i].headers != NULL) {
                json_key(writer, "headers");
                json_verbatim(writer, failures[i].headers);
            }
            content(writer, own, operation->examples, (unsigned)atoi(failures[i].status));
        }
        json_bracket(writer, '}');
    }
    json_bracket(writer, '}');
}

static void operation(struct json_writer *writer, const struct route *route)
{
    const struct openapi_operation *operation = operation_of(route);
    char method[8] = "";
    for (size_t i = 0; i + 1 < sizeof(method) && route->method[i] != '\0'; i++)
        method[i] = (char)tolower((unsigned char)route->method[i]);
    json_key(writer, method);
    json_bracket(writer, '{');
    openapi_text(writer, "summary", route->summary);
    if (operation->id != NULL) {
        openapi_text(writer, "operationId", operation->id);
        openapi_text(writer, "description", operation->description);
        json_key(writer, "tags");
        openapi_words(writer, operation->group, '\0');
    }
    if ((route->flags & ROUTE_PUBLIC) != 0) {
        json_key(writer, "security");
        json_verbatim(writer, "[]");
    }
    if ((route->flags & ROUTE_BODY) != 0 && operation->request[0] != NULL) {
        json_key(writer, "requestBody");
        json_bracket(writer, '{');
        json_key(writer, "required");
        json_verbatim(writer, "true");
        content(writer, operation->request, operation->examples, 0);
        json_bracket(writer, '}');
    }
    answers(writer, route, operation);
    json_bracket(writer, '}');
}

/* ── The document ───────────────────────────────────────────────────────────────────────────── */

static void paths(struct json_writer *writer)
{
    json_key(writer, "paths");
    json_bracket(writer, '{');
    for (size_t i = 0; i < routes_count; i++) {
        bool written = false; /* with an earlier route: a path may have several methods */
        for (size_t j = 0; j < i; j++)
            written = written || strcmp(routes[j].path, routes[i].path) == 0;
        if (written)
            continue;
        json_key(writer, routes[i].path);
        json_bracket(writer, '{');
        for (size_t j = i; j < routes_count; j++)
            if (strcmp(routes[j].path, routes[i].path) == 0)
                operation(writer, &routes[j]);
        json_bracket(writer, '}');
    }
    json_bracket(writer, '}');
}

static void failed_answers(struct json_writer *writer)
{
    static const char *const error[] = {"Error", NULL};
    json_key(writer, "responses");
    json_bracket(writer, '{');
    for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
        json_key(writer, failures[i].name);
        json_bracket(writer, '{');
        openapi_text(writer, "description", failures[i].description);
        if (failures[i].headers != NULL) {
            json_key(writer, "headers");
            json_verbatim(writer, failures[i].headers);
        }
        content(writer, error, NULL, 0);
        json_bracket(writer, '}');
    }
    json_bracket(writer, '}');
}

static void components(struct json_writer *writer)
{
    json_key(writer, "components");
    json_bracket(writer, '{');
    json_key(writer, "securitySchemes");
    json_bracket(writer, '{');
    json_key(writer, "bearer");
    json_bracket(writer, '{');
    openapi_text(writer, "type", "http");
    openapi_text(writer, "scheme", "bearer");
    openapi_text(
        writer, "description",
        "A token that `sandbox-serve token add NAME` made; not needed where there are none.");
    json_bracket(writer, '}');
    json_bracket(writer, '}');
    openapi_schemas(writer);
    failed_answers(writer);
    json_bracket(writer, '}');
}

char *openapi_json(void)
{
    struct json_writer writer;
    json_begin(&writer, 32768);
    json_bracket(&writer, '{');
    openapi_text(&writer, "openapi", "3.1.0");
    json_key(&writer, "info");
    json_bracket(&writer, '{');
    openapi_text(&writer, "title", "sandbox-serve");
    openapi_text(&writer, "summary", "Runs untrusted Python");
    openapi_text(&writer, "version", sb_version());
    openapi_text(&writer, "description", about);
    json_key(&writer, "license");
    json_verbatim(&writer, JSON({"name" : "MIT", "identifier" : "MIT"}));
    json_bracket(&writer, '}');
    json_key(&writer, "servers");
    json_verbatim(&writer, JSON([ {"url" : "/"} ]));
    /* The empty one: tokens are the administrator's choice. */
    json_key(&writer, "security");
    json_verbatim(&writer, JSON([ {"bearer" : []}, {} ]));
    paths(&writer);
    components(&writer);
    json_bracket(&writer, '}');
    return json_end(&writer);
}
