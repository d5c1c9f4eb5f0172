/* json-c's objects, made of the tokens of a text as these are read. Large strings need not be
 * copied: they may stay in the text. */
#ifndef SB_JSON_TREE_H
#define SB_JSON_TREE_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/json_scan.h"

/* No text may be nested deeper, whatever its bounds say. */
#define JSON_TREE_DEPTH 64

struct json_tree {
    bool stay; /* strings of JSON_STAY bytes and more stay in the text */
    struct json_object *root;
    struct json_object *open[JSON_TREE_DEPTH]; /* objects and arrays, the outermost first */
    size_t depth;
    char *key; /* of the value that comes next */
    size_t key_room;
};

#define JSON_STAY 4096

/* Undoes the escapes of a string that has been checked. `to` may be `from`: the result is never
 * longer, and its size is returned. */
size_t json_unescape(char *to, const char *from, size_t size);

/* Takes a key, whose escapes are undone. −1: out of memory. */
int json_tree_key(struct json_tree *tree, const char *key, size_t size);

/* Takes any other token but JSON_END and JSON_FAULT. The text begins with an object or an array.
 * −1: out of memory. */
int json_tree_take(struct json_tree *tree, enum json_token token, const struct json_scan *scan);

/* Frees everything but the root. */
void json_tree_end(struct json_tree *tree);

/* The bytes of a string, NUL-terminated, wherever they are. They may be changed by who reads them
 * once. json_object_get_string gives nothing of a string that stays in its text. */
char *json_tree_string(struct json_object *string, size_t *size);

#endif
