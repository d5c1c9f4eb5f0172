/* Reads displays of a notebook cell: JSON objects {MIME type: data}, which the library has checked.
 * A service that --via talks to may send anything: what is not of that form is passed by. */
#ifndef CLI_DISPLAY_H
#define CLI_DISPLAY_H

#include <json-c/json.h>

#include "common/json_scan.h"

/* The text/plain of a display: a string, or NULL. The caller puts it back with json_object_put. */
struct json_object *display_plain(const char *json, size_t size);

#define DISPLAY_TYPES_SIZE 256

/* Adds the display's types other than text/plain to a list: "image/png, text/html"; without types
 * of pictures if they are `written`. */
void display_other_types(const char *json, size_t size, bool written,
                         char list[DISPLAY_TYPES_SIZE]);

/* The picture of a display, as a file has it. `data` is from malloc. */
struct display_picture {
    const char *ending; /* "png"; NULL: it has no picture */
    char *data;
    size_t size;
};
struct display_picture display_picture(const char *json, size_t size);

/* A walk over an array of displays, JSON text that must outlive it. */
struct display_array {
    struct json_scan scan;
};
void display_array_begin(struct display_array *array, const char *json);
/* The next display and its size; NULL: there are no more. */
const char *display_array_next(struct display_array *array, size_t *size);

#endif
