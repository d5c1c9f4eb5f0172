/* JSON text, written piece by piece into one buffer. Texts may be any bytes; the result is valid
 * UTF-8, on one line or, for people, indented. A lack of memory is remembered until the end. */
#ifndef SB_JSON_WRITER_H
#define SB_JSON_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_writer {
    char *text;
    size_t size;
    size_t room;
    bool failed;
    bool indented; /* set it after json_begin: each value stands on a line of its own */
    unsigned depth;
};

/* `expected`: the size that the text will probably have. */
void json_begin(struct json_writer *writer, size_t expected);

/* The text, NUL-terminated, or NULL when memory was short. The caller frees it. */
char *json_end(struct json_writer *writer);

/* '{', '}', '[' and ']'. An opening one follows json_key or json_item, or begins the text. */
void json_bracket(struct json_writer *writer, char bracket);

/* The name of the member whose value comes next: plain ASCII. */
void json_key(struct json_writer *writer, const char *key);

/* The same for a name that may be any text. */
void json_any_key(struct json_writer *writer, const char *key, size_t size);

/* A whole member: its value is a string, or null for NULL. */
void json_member(struct json_writer *writer, const char *key, const char *text);

/* Before each element of an array. */
void json_item(struct json_writer *writer);

void json_null(struct json_writer *writer);
void json_boolean(struct json_writer *writer, bool value);
void json_string(struct json_writer *writer, const char *text, size_t size);
void json_base64(struct json_writer *writer, const void *data, size_t size);

/* The same in parts, between two json_quote: of whole characters, or of whole groups of three bytes
 * up to the last. */
void json_quote(struct json_writer *writer);
void json_string_part(struct json_writer *writer, const char *text, size_t size);
void json_base64_part(struct json_writer *writer, const void *data, size_t size);

/* A number that is not known, which is below 0, becomes null. */
void json_integer(struct json_writer *writer, int64_t value);

/* Thousandths with three decimals: microseconds as milliseconds. Below 0: null. */
void json_thousandths(struct json_writer *writer, int64_t value);

/* Valid JSON text, copied without its white space. */
void json_verbatim(struct json_writer *writer, const char *json);

#endif
