/* Text put together in memory that the caller has made large enough, where there may be no C
 * library to do it (src/inside/calls.h). Each returns where it ends, and ends it with a NUL. */
#ifndef SB_APPEND_H
#define SB_APPEND_H

#include <stdint.h>

/* More than a number has digits. */
#define NUMBER_CHARS 20

static inline char *append_text(char *at, const char *text)
{
    while (*text != '\0')
        *at++ = *text++;
    *at = '\0';
    return at;
}

static inline char *append_number(char *at, uint64_t number)
{
    char digits[NUMBER_CHARS + 1], *first = digits + NUMBER_CHARS;
    *first = '\0';
    do
        *--first = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    return append_text(at, first);
}

#endif
