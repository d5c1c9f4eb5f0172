/* Strict reading of JSON files that a person wrote: policies and seccomp profiles. */
#ifndef SB_JSON_FILE_H
#define SB_JSON_FILE_H

#include "common/json_text.h"
#include "sandbox.h"

/* No configuration file is larger, or nested deeper. */
#define JSON_FILE_MAX (64 * 1024)
#define JSON_FILE_DEPTH 16

/* Parses the text of a file as json_text_parse does; its keys have no backslashes. `file` is its
 * path. */
struct json_object *json_file_parse(const char *text, size_t size, const char *file,
                                    const char *step, struct sb_error *err);

/* Reads a regular file, or a link to one, of up to JSON_FILE_MAX bytes, and parses it. */
struct json_object *json_file_load(const char *path, const char *step, struct sb_error *err);

/* The last part of a path, so that a long one does not crowd the rest out of an error message. */
const char *json_file_shown(const char *path);

#endif
