/* What the OpenAPI document says beyond the routes: the shapes of requests and answers, a sentence
 * about each member, and examples, which a test sends to a running service. */
#ifndef SERVE_OPENAPI_TABLES_H
#define SERVE_OPENAPI_TABLES_H

#include <stddef.h>

/* Type of a member, in short:
 *     "string"  "integer|null"  "any"     JSON's own types
 *     "=success error"                    one of these words
 *     "[string]"  "{string}"              array of, object with any names of
 *     "Limits"                            another shape of this document */
struct openapi_member {
    const char *name;
    const char *type;
    const char *meaning;
    const char *more; /* further JSON Schema keywords, as members of an object; NULL: none */
    int flags;
};
enum openapi_member_flags { OPENAPI_REQUIRED = 1 };

/* A JSON object with these members and no others. */
struct openapi_shape {
    const char *name;
    const char *meaning;
    const struct openapi_member *members;
};

/* What is said of a request's field, in the contracts with these bits (as in request_fields.h). */
struct openapi_field {
    unsigned contracts;
    struct openapi_member member;
};

/* What a letter of a contract's form (contracts.h) stands for. */
struct openapi_letter {
    char letter;
    struct openapi_member member;
};

struct openapi_example {
    const char *name;
    const char *summary;
    unsigned status;     /* which answer it gets */
    const char *request; /* JSON text, NULL where there is no body */
    const char *answer;  /* JSON text */
};

struct openapi_operation {
    const char *method, *path;
    const char *id;          /* name of the function in generated clients */
    const char *group;       /* heading on the API pages */
    const char *description; /* below the route's summary */
    const char *request[3];  /* shapes, one of which the body has */
    const char *answer[3];   /* the same for status 200; empty: no JSON */
    const char *type;        /* Content-Type of status 200 where it is not JSON */
    struct {
        const char *status;
        const char *shapes[4];
    } failures[3]; /* answers whose body need not be an Error */
    const struct openapi_example *examples;
};

/* Each ends with an element without a name, path or letter. */
extern const struct openapi_field openapi_fields[];
extern const struct openapi_letter openapi_letters[];
extern const struct openapi_shape openapi_shapes[];
extern const struct openapi_operation openapi_operations[];

#endif
