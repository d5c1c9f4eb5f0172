/* Is it JSON? For text that a job wrote. */
#ifndef SB_JSON_VALID_H
#define SB_JSON_VALID_H

#include <stdbool.h>
#include <stddef.h>

/* The deepest nesting of values: about as deep as Python's json can write. */
#define JSON_VALID_DEPTH 1000
/* That of an answer, with such a value in it: in a display of a case. */
#define JSON_ANSWER_DEPTH (JSON_VALID_DEPTH + 5)

/* Whether the bytes are one JSON value (RFC 8259) in valid UTF-8: no NaN, no NUL, no half of a
 * surrogate pair, nothing behind it. */
bool json_valid(const char *text, size_t size);
/* The same for text that may be nested as deeply as an answer. */
bool json_valid_answer(const char *text, size_t size);

/* Puts U+FFFD, \ufffd, in the place of each escape that is half a surrogate pair without the other
 * half: Python's strings may hold such, and many readers of JSON refuse them. */
void json_mend_surrogates(char *text, size_t size);

#endif
