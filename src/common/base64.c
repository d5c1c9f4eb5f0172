/* See base64.h. */
#include "common/base64.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

/* The value of each digit plus one, so that 0 stands for all other bytes: a table, since requests
 * hold megabytes of them. */
static const unsigned char digits[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64,
};

/* The 24 bits that four digits are. One that is none sets the bits above. */
static inline uint32_t join(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    uint32_t first = digits[at[0]] - 1u, second = digits[at[1]] - 1u;
    uint32_t third = digits[at[2]] - 1u, last = digits[at[3]] - 1u;
    uint32_t wrong = (first | second | third | last) & ~UINT32_C(63);
    return wrong | first << 18 | second << 12 | third << 6 | last;
}

/* Decodes groups of four digits. Not 0: one was none. */
static uint32_t decode_groups(char *to, const char *from, size_t count)
{
    uint32_t wrong = 0;
    for (; count > 0; count--, to += 3, from += 4) {
        uint32_t bits = join(from);
        wrong |= bits >> 24;
        to[0] = (char)(bits >> 16);
        to[1] = (char)(bits >> 8);
        to[2] = (char)bits;
    }
    return wrong;
}

/* Sixteen digits, and the four groups that these are. */
typedef signed char block __attribute__((vector_size(16)));
typedef uint32_t groups __attribute__((vector_size(16)));

static block between(block text, signed char first, signed char last)
{
    return (text >= first) & (text <= last);
}

/* Decodes as many blocks as there are, and adds to *wrong. Returns how many digits that were. */
static size_t decode_blocks(char *data, size_t size, block *wrong)
{
    size_t at = 0;
    if (BYTE_ORDER != LITTLE_ENDIAN)
        return 0;
    for (char *to = data; at + sizeof(block) <= size; at += sizeof(block)) {
        block text;
        memcpy(&text, data + at, sizeof(text));
        block upper = between(text, 'A', 'Z'), lower = between(text, 'a', 'z');
        block number = between(text, '0', '9'), plus = text == '+', slash = text == '/';
        *wrong |= ~(upper | lower | number | plus | slash);
        text += (upper & -'A') + (lower & (26 - 'a')) + (number & (52 - '0')) +
                (plus & (62 - '+')) + (slash & (63 - '/'));
        groups bits = (groups)text;
        bits = (bits & 0x3f) << 18 | (bits & 0x3f00) << 4 | (bits & 0x3f0000) >> 10 | bits >> 24;
        for (int i = 0; i < 4; i++, to += 3) {
            uint32_t bytes = htobe32(bits[i] << 8);
            memcpy(to, &bytes, sizeof(bytes)); /* the fourth byte is overwritten next */
        }
    }
    return at;
}

ssize_t base64_decode(char *data, size_t size)
{
    size_t padding = 0;
    while (padding < 2 && padding < size && data[size - 1 - padding] == '=')
        padding++;
    if (size % 4 != 0)
        return -1;
    for (size_t i = 0; i < padding; i++)
        data[size - 1 - i] = 'A'; /* no bits */
    block wrong = {0};
    size_t done = decode_blocks(data, size, &wrong);
    uint64_t half[2];
    memcpy(half, &wrong, sizeof(half));
    uint32_t rest = decode_groups(data + done / 4 * 3, data + done, (size - done) / 4);
    return half[0] != 0 || half[1] != 0 || rest != 0 ? -1 : (ssize_t)(size / 4 * 3 - padding);
}
