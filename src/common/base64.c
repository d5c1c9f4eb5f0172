/* See base64.h. */
#include "common/base64.h"

#include <string.h>

static int digit_of(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c != '\0' ? strchr(digits, c) : NULL;
    return found != NULL ? (int)(found - digits) : -1;
}

ssize_t base64_decode(char *data, size_t size)
{
    size_t padding = 0, decoded = 0;
    unsigned bits = 0, held = 0;
    while (padding < 2 && padding < size && data[size - 1 - padding] == '=')
        padding++;
    if (size % 4 != 0)
        return -1;
    for (size_t i = 0; i < size - padding; i++) {
        int digit = digit_of(data[i]);
        if (digit < 0)
            return -1;
        held = held << 6 | (unsigned)digit;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            data[decoded++] = (char)(held >> bits);
        }
    }
    return (ssize_t)decoded;
}
