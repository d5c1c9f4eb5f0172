/* ASCII that stands for itself in a JSON string: for the scanner and the writer. */
#ifndef SB_JSON_PLAIN_H
#define SB_JSON_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline bool json_is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

#define EACH_BYTE(b) (UINT64_C(0x0101010101010101) * (b))

/* Not 0 when one of eight bytes is below `b`, which is 0x80 at most; bytes from 0x80 up don't
 * count. */
static inline uint64_t any_below(uint64_t word, unsigned b)
{
    return (word - EACH_BYTE(b)) & ~word & EACH_BYTE(0x80u);
}

/* How many of the first bytes are plain. Eight at a time, as text is mostly such. */
static inline size_t json_plain_run(const char *text, size_t size)
{
    size_t i = 0;
    uint64_t word;
    while (i + sizeof(word) <= size) {
        memcpy(&word, text + i, sizeof(word));
        if ((word & EACH_BYTE(0x80u)) != 0 || any_below(word, 0x20) != 0 ||
            any_below(word ^ EACH_BYTE((unsigned)'"'), 1) != 0 ||
            any_below(word ^ EACH_BYTE((unsigned)'\\'), 1) != 0)
            break;
        i += sizeof(word);
    }
    while (i < size && json_is_plain((unsigned char)text[i]))
        i++;
    return i;
}

#endif
