/* Readers of a job's fields, as a request and its cases have them. The texts are in json-c's
 * objects, which must outlive them. `path` is the field's name, for errors: "args" or
 * "cases[17].args". */
#ifndef SB_JOB_FIELDS_H
#define SB_JOB_FIELDS_H

#include <json-c/json.h>

#include "sandbox.h"

/* Makes an error whose sentence begins with the field's path. Returns −1. */
int bad_field(struct sb_error *err, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A text without NUL characters, which becomes a C string. */
int field_string(const char **string, const char *path, struct json_object *value,
                 struct sb_error *err);

/* An array of strings. The caller frees *strings, even after a failure. */
int field_strings(const char ***strings, const char *path, struct json_object *array,
                  struct sb_error *err);

/* Whether it is an object; `of`: what it holds, for the error. */
int field_object(const char *path, struct json_object *value, const char *of, struct sb_error *err);

/* An object of names and strings, as "NAME=value". The caller frees *env with sb_strv_free, even
 * after a failure. */
int field_env(char ***env, const char *path, struct json_object *value, struct sb_error *err);

/* The function's name, or an object, whose JSON text the library reads. */
int field_call(const char **call, const char *path, struct json_object *value,
               struct sb_error *err);

#endif
