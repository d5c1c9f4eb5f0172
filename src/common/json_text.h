/* Strict reading of JSON text that anyone may have written: configuration files, requests.
 * json_scan checks the text, json_tree makes json-c's objects of it. */
#ifndef SB_JSON_TEXT_H
#define SB_JSON_TEXT_H

#include <json-c/json.h>
#include <stdbool.h>

#include "common/json_tree.h"
#include "sandbox.h"

#define JSON_TEXT_DEPTH JSON_TREE_DEPTH

/* The bounds of a text. */
struct json_bounds {
    size_t size;     /* bytes, below 2 GiB */
    size_t depth;    /* objects and arrays within each other, up to JSON_TEXT_DEPTH */
    size_t values;   /* in all: json-c needs 300 bytes and more for each, be it {} */
    bool plain_keys; /* keys are written without backslashes */
    bool name_field; /* an error's field is the key of the outermost object that it lies in */
};

/* Parses one object in valid UTF-8 (RFC 8259): no comments, no NaN or Infinity, no NUL byte, no
 * half of a surrogate pair, no key twice in an object, however it is written. Strings, but not
 * keys, may hold \u0000: json_object_get_string_len. `name` is the text's name in errors, which
 * give the line; `step` goes into err->step. NULL on errors; the caller puts the object back with
 * json_object_put. The time is proportional to the size, except for sorting the keys. */
struct json_object *json_text_parse(const char *text, size_t size, const struct json_bounds *bounds,
                                    const char *name, const char *step, struct sb_error *err);

/* The same for a text that the caller can spare: strings of JSON_STAY bytes and more stay in it,
 * so it must live as long as the object. They are read with json_tree_string, which changes the
 * text. */
struct json_object *json_text_take(char *text, size_t size, const struct json_bounds *bounds,
                                   const char *name, const char *step, struct sb_error *err);

/* "a string", "an object", …: what a value is, for error messages. */
const char *json_kind(struct json_object *value);

#endif
