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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(texts_are_decoded_or_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
