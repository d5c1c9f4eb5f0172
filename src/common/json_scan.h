/* JSON text as a sequence of tokens: the grammar of RFC 8259, once. It never allocates, never
 * recurses, and looks at each byte once: hostile text costs no more than its size. */
#ifndef SB_JSON_SCAN_H
#define SB_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No text may be nested deeper, whatever its reader allows. */
#define JSON_SCAN_DEPTH 1024

enum json_token {
    JSON_FAULT, /* this is not JSON: see `fault` and `place`. Nothing more can be read */
    JSON_END,   /* of the text, behind one whole value */
    JSON_OBJECT,
    JSON_ARRAY,
    JSON_CLOSE, /* of an object or an array */
    JSON_KEY,
    JSON_STRING,
    JSON_NUMBER, /* of any size */
    JSON_WORD    /* null, true or false */
};

enum json_fault {
    JSON_CUT,       /* the text ends too early */
    JSON_DEPTH,     /* nested deeper than allowed */
    JSON_NO_VALUE,  /* where a value belongs stands none; these four say what is missing */
    JSON_NO_KEY,    /* in double quotes */
    JSON_NO_COLON,  /* behind a key */
    JSON_NO_COMMA,  /* nor the bracket that closes */
    JSON_MORE_TEXT, /* behind the value */
    JSON_BAD_UTF8,
    JSON_CONTROL,  /* a control character in a string */
    JSON_ESCAPE,   /* a backslash with nothing behind it that has a meaning */
    JSON_SURROGATE /* \uXXXX that is half of a pair, without the other half */
};

struct json_scan {
    const char *at, *end; /* what is left */
    const char *start;    /* of the last token, which ends at `at`; strings have their quotes */
    bool escapes;         /* the last string has some */
    enum json_fault fault;
    const char *place; /* of the fault */
    size_t depth;      /* objects and arrays that are open; an opening token counts itself */
    size_t depth_max;
    enum {
        JSON_NEXT_VALUE,
        JSON_NEXT_KEY,
        JSON_FIRST,  /* behind an opening bracket: a key or a value, or the bracket that closes */
        JSON_BEHIND, /* a value: a comma, the bracket that closes, or the end */
        JSON_COLON
    } next;                      /* what comes next */
    char close[JSON_SCAN_DEPTH]; /* the bracket that closes each open one */
};

/* `depth`: objects and arrays within each other, up to JSON_SCAN_DEPTH. The text must outlive the
 * scan. */
void json_scan_begin(struct json_scan *scan, const char *text, size_t size, size_t depth);

/* The next token. Strings are valid UTF-8 without NUL bytes; whether a key stands twice in an
 * object is not looked at. */
enum json_token json_scan_next(struct json_scan *scan);

/* Takes the next value as a whole. NULL: there is none. */
const char *json_scan_value(struct json_scan *scan, size_t *size);

/* The size of the character that begins with the escape \uXXXX at `at`: 6, or 12 for a pair of
 * surrogates, and the character. 0: it does not begin so (*code is 0), or with half of a pair,
 * whose other half is missing (*code is the half). */
size_t json_unicode_escape(const char *at, const char *end, uint32_t *code);

#endif
