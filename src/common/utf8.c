/* UTF-8: the well-formed sequences of the Unicode standard, table 3-7. Ill-formed parts are
 * replaced one by one, as the standard recommends and Python does: a truncated sequence is one
 * part, up to the byte that breaks it. */
#include "common/utf8.h"

#include <stdlib.h>
#include <string.h>

static bool in_range(unsigned char byte, unsigned char first, unsigned char last)
{
    return byte >= first && byte <= last;
}

size_t utf8_next(const char *text, size_t size, bool *valid)
{
    const unsigned char *bytes = (const unsigned char *)text;
    unsigned char lead = bytes[0];
    size_t length;

    *valid = lead < 0x80;
    if (lead < 0xc2 || lead > 0xf4)
        return 1;
    length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

    /* The second byte's range keeps out longer forms of short ones, surrogates, and what lies
     * beyond U+10FFFF. */
    unsigned char first = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    unsigned char last = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    size_t i = 1;
    while (i < length && i < size && in_range(bytes[i], first, last)) {
        first = 0x80;
        last = 0xbf;
        i++;
    }
    *valid = i == length;
    return i;
}

bool utf8_continues(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

size_t utf8_whole(const char *text, size_t size)
{
    size_t start = size;
    while (start > 0 && size - start < 3 && utf8_continues(text[start - 1]))
        start--;
    if (start == 0 || size - start >= 3) /* continued so often it was whole, or is not UTF-8 */
        return size;
    start--;
    unsigned char lead = (unsigned char)text[start];
    size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    bool valid;
    if (lead < 0xc2 || lead > 0xf4 || size - start >= length ||
        utf8_next(text + start, size - start, &valid) < size - start)
        return size;
    return start;
}

/* How many of the first bytes are ASCII. */
static size_t ascii_run(const char *text, size_t size)
{
    size_t i = 0;
    uint64_t word;
    while (i + sizeof(word) <= size) {
        memcpy(&word, text + i, sizeof(word));
        if ((word & UINT64_C(0x8080808080808080)) != 0)
            break;
        i += sizeof(word);
    }
    while (i < size && (unsigned char)text[i] < 0x80)
        i++;
    return i;
}

int64_t utf8_count(const char *text, size_t size)
{
    int64_t count = 0;
    for (size_t i = 0; i < size;) {
        size_t run = ascii_run(text + i, size - i);
        count += (int64_t)run;
        i += run;
        if (i == size)
            break;
        bool valid;
        i += utf8_next(text + i, size - i, &valid);
        if (!valid)
            return -1;
        count++;
    }
    return count;
}

/* The size of the repaired text, which is written to `to` unless that is NULL. */
static size_t repair(char *to, const char *text, size_t size)
{
    static const size_t replacement_size = sizeof(UTF8_REPLACEMENT) - 1;
    size_t written = 0;
    for (size_t i = 0; i < size;) {
        bool valid = true;
        size_t run = ascii_run(text + i, size - i);
        size_t taken = run > 0 ? run : utf8_next(text + i, size - i, &valid);
        size_t put = valid ? taken : replacement_size;
        if (to != NULL)
            memcpy(to + written, valid ? text + i : UTF8_REPLACEMENT, put);
        written += put;
        i += taken;
    }
    return written;
}

char *utf8_repair(const char *text, size_t size, size_t *repaired_size)
{
    size_t needed = repair(NULL, text, size);
    char *repaired = malloc(needed + 1);
    if (repaired == NULL)
        return NULL;
    repair(repaired, text, size);
    repaired[needed] = '\0';
    if (repaired_size != NULL)
        *repaired_size = needed;
    return repaired;
}
