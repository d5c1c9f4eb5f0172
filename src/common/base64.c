/* See base64.h. */
#include "common/base64.h"

#include <stdint.h>

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

/* Decodes up to four digits to the left end of 24 bits. −1: one is not a digit. */
static int32_t decode_group(const char *text, size_t count)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < 4; i++) {
        unsigned digit = i < count ? digits[(unsigned char)text[i]] : digits['A'];
        if (digit == 0)
            return -1;
        bits = bits << 6 | (digit - 1);
    }
    return (int32_t)bits;
}

ssize_t base64_decode(char *data, size_t size)
{
    size_t padding = 0, decoded = 0;
    while (padding < 2 && padding < size && data[size - 1 - padding] == '=')
        padding++;
    if (size % 4 != 0)
        return -1;
    for (size_t at = 0; at < size; at += 4) {
        size_t count = at + 4 < size ? 4 : 4 - padding;
        int32_t bits = decode_group(data + at, count);
        if (bits < 0)
            return -1;
        data[decoded] = (char)(bits >> 16);
        data[decoded + 1] = (char)(bits >> 8);
        data[decoded + 2] = (char)bits;
        decoded += count - 1;
    }
    return (ssize_t)decoded;
}
