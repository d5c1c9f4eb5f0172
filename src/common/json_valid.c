/* A parser would let a hostile script choose how much memory its supervisor needs: json-c takes
 * 270 MiB for a result of 1 MiB that is full of "{},". So nothing is built here. */
#include "common/json_valid.h"

#include <string.h>

#include "common/json_scan.h"

static bool valid(const char *text, size_t size, size_t depth)
{
    struct json_scan scan;
    enum json_token token;
    json_scan_begin(&scan, text, size, depth);
    do
        token = json_scan_next(&scan);
    while (token != JSON_END && token != JSON_FAULT);
    return token == JSON_END;
}

bool json_valid(const char *text, size_t size)
{
    return valid(text, size, JSON_VALID_DEPTH);
}

bool json_valid_answer(const char *text, size_t size)
{
    return valid(text, size, JSON_ANSWER_DEPTH);
}

void json_mend_surrogates(char *text, size_t size)
{
    static const char replacement[] = {'\\', 'u', 'f', 'f', 'f', 'd'};
    const char *end = text + size;
    for (char *at = text; (at = memchr(at, '\\', (size_t)(end - at))) != NULL && end - at >= 2;) {
        uint32_t code;
        size_t taken = json_unicode_escape(at, end, &code);
        if (taken == 0 && code != 0) {
            memcpy(at, replacement, sizeof(replacement));
            taken = sizeof(replacement);
        }
        at += taken > 0 ? taken : 2;
    }
}
