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

/* As many bytes as the CPU compares at once. */
typedef signed char json_block __attribute__((vector_size(16)));

/* Not 0 for each byte that is not plain: as signed numbers, those from 0x80 up are negative. */
static inline json_block json_not_plain(const char *text)
{
    json_block block;
    memcpy(&block, text, sizeof(block));
    return (block < 0x20) | (block == '"') | (block == '\\');
}

/* Whether the next 64 bytes are plain. */
static inline bool json_is_plain_line(const char *text)
{
    json_block found = json_not_plain(text) | json_not_plain(text + 16) |
                       json_not_plain(text + 32) | json_not_plain(text + 48);
    uint64_t half[2];
    memcpy(half, &found, sizeof(half));
    return (half[0] | half[1]) == 0;
}

/* How many of the first bytes are plain. Many at a time, as text is mostly such. */
static inline size_t json_plain_run(const char *text, size_t size)
{
    size_t i = 0;
    uint64_t word;
    while (i + 64 <= size && json_is_plain_line(text + i))
        i += 64;
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
