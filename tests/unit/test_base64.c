/* Decoding of base64: strict, in place. The texts are those of RFC 4648, section 10. */
#include "unit.h"

#include <stdlib.h>

#include "common/base64.h"
#include "common/util.h"

static const struct {
    const char *text;
    const char *bytes; /* NULL: it is not base64 */
} cases[] = {
    {"", ""},
    {"Zg==", "f"},
    {"Zm8=", "fo"},
    {"Zm9v", "foo"},
    {"Zm9vYg==", "foob"},
    {"Zm9vYmE=", "fooba"},
    {"Zm9vYmFy", "foobar"},
    {"/+8=", "\xff\xef"},
    {"Zg", NULL},
    {"Zg=", NULL},
    {"Zg===", NULL},
    {"Z===", NULL},
    {"=", NULL},
    {"====", NULL},
    {"Zm9v\n", NULL},
    {"Zm 9", NULL},
    {"Zm9-", NULL},
    {"Zm=v", NULL},
};

static void texts_are_decoded_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[32] = "";
        size_t size = strlen(cases[i].text);
        memcpy(text, cases[i].text, size);
        ssize_t decoded = base64_decode(text, size);
        if (decoded != (cases[i].bytes == NULL ? -1 : (ssize_t)strlen(cases[i].bytes)))
            fail_msg("\"%s\": %zd", cases[i].text, decoded);
        if (decoded > 0)
            assert_memory_equal(text, cases[i].bytes, (size_t)decoded);
    }
}

/* Digits are decoded many at a time: a wrong one is found wherever it stands, and each right one
 * has its value there. */
static void each_byte_is_looked_at_wherever_it_stands(void **state)
{
    (void)state;
    enum { DIGITS = 44 };
    static const char all[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t place = 0; place < DIGITS; place++)
        for (int byte = 0; byte < 256; byte++) {
            char text[DIGITS];
            memset(text, 'A', sizeof(text));
            text[place] = (char)byte;
            const char *digit = byte == '\0' ? NULL : strchr(all, byte);
            ssize_t decoded = base64_decode(text, sizeof(text));
            bool padding = byte == '=' && place == DIGITS - 1;
            if (decoded != (padding ? 32 : digit == NULL ? -1 : 33))
                fail_msg("byte %d at %zu: %zd", byte, place, decoded);
            size_t bits = 0;
            for (size_t i = place / 4 * 3; digit != NULL && i < place / 4 * 3 + 3; i++)
                bits = bits << 8 | (unsigned char)text[i];
            if (digit != NULL && bits != (size_t)(digit - all) << (18 - 6 * (place % 4)))
                fail_msg("byte %d at %zu: bits %zx", byte, place, bits);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_decoded_or_refused),
        cmocka_unit_test(each_byte_is_looked_at_wherever_it_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
