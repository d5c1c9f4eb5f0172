/* Is it JSON? For text that a job wrote. */
#ifndef SB_JSON_VALID_H
#define SB_JSON_VALID_H

#include <stdbool.h>
#include <stddef.h>

/* Values may be nested this deep: about what Python's own json can write. */
#define JSON_VALID_DEPTH 1000

/* Whether the bytes are one JSON value (RFC 8259) in valid UTF-8: no NaN, no NUL, nothing behind
 * it. */
bool json_valid(const char *text, size_t size);

#endif
