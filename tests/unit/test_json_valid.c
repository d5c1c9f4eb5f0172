/* json_valid: what RFC 8259 allows, and nothing else. */
#include "unit.h"

#include <stdlib.h>

#include "common/json_valid.h"
#include "common/util.h"

static const char *const good[] = {
    "0",
    "-0",
    "12",
    "-1.5",
    "1e5",
    "1E+2",
    "0.5e-3",
    "123456789012345678901234567890",
    "null",
    "true",
    "false",
    "\"\"",
    "\"a\"",
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83d\\uDE00\"",
    "\"\\uD800\\uDC00\\udbff\\udfff\\ud7ff\\ue000\"",
    "\"\\\\ud800\"",
    "\"\u00e9\u20ac\U0001f600\"",
    "\"\x7f\"",
    "[]",
    "[ ]",
    "{}",
    "{ }",
    "[1]",
    "[1,2]",
    "[[],[[]],{}]",
    "{\"a\":1}",
    "{\"a\":1,\"a\":2}",
    "{\"\":{\"\":[]}}",
    " \t\r\n[ 1 , { \"a\" : null } ] \n",
};

static const char *const bad[] = {
    "",
    " ",
    "nul",
    "nulll",
    "True",
    "NaN",
    "Infinity",
    "-Infinity",
    "-",
    "+1",
    "01",
    "-01",
    "1.",
    ".5",
    "1e",
    "1e+",
    "0x1",
    "1 2",
    "\"",
    "\"a",
    "'a'",
    "\"\\\"",
    "\"\\x\"",
    "\"\\u12\"",
    "\"\\u12g4\"",
    "\"\\ud800\"",
    "\"\\udc00\"",
    "\"\\uDBFF\\n\"",
    "\"\\ud800\\ud800\"",
    "\"\\ud800\\\\udc00\"",
    "\"\\ud800\\udbff\"",
    "\"\\ud800\\ue000\"",
    "\"\\ud800\\u\"",
    "\"\\ud800",
    "{\"\\udfff\":1}",
    "\"a\nb\"",
    "\"\t\"",
    "\"\xff\"",
    "\"\xed\xa0\x80\"",
    "\"\xe2\x82\"",
    "[",
    "]",
    "[}",
    "{]",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[1 2]",
    "{",
    "{\"a\"",
    "{\"a\":",
    "{\"a\":1",
    "{\"a\":1,",
    "{\"a\":1,}",
    "{a:1}",
    "{1:1}",
    "{\"a\" 1}",
    "{,}",
    "{\"a\":1 \"b\":2}",
    "[]]",
    "{}}",
    "[]x",
    "// no\n1",
    "\xef\xbb\xbf"
    "1",
    "\f1",
    "{\"a\":1,2}",
    "[\"a\":1]",
};

static bool valid(const char *text, size_t size)
{
    /* A copy without a NUL behind it: the sanitizer sees a read beyond its end. */
    char *copy = malloc(size > 0 ? size : 1);
    assert_non_null(copy);
    memcpy(copy, text, size);
    bool result = json_valid(copy, size);
    free(copy);
    return result;
}

static void halves_of_surrogate_pairs_are_mended_and_nothing_else(void **state)
{
    (void)state;
    static const char *const texts[][2] = {
        {"", ""},
        {"\\", "\\"},
        {"\"\\u", "\"\\u"},
        {"\"\\ud80", "\"\\ud80"},
        {"\"\\ud800", "\"\\ufffd"},
        {"\"\\ud800\"", "\"\\ufffd\""},
        {"\"\\uDFFFx\"", "\"\\ufffdx\""},
        {"\"\\ud800\\ud800\\udc00\\udc00\"", "\"\\ufffd\\ud800\\udc00\\ufffd\""},
        {"\"\\ud800\\u00e9\"", "\"\\ufffd\\u00e9\""},
        {"\"\\ud800\\n\"", "\"\\ufffd\\n\""},
        {"\"\\\\ud800\"", "\"\\\\ud800\""},
        {"\"\\\\\\ud800\"", "\"\\\\\\ufffd\""},
        {"{\"\\udc80\":[\"\\ud83d\\ude00\",\"\\udcff\"]}",
         "{\"\\ufffd\":[\"\\ud83d\\ude00\",\"\\ufffd\"]}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        size_t size = strlen(texts[i][0]);
        char *text = malloc(size > 0 ? size : 1);
        assert_non_null(text);
        memcpy(text, texts[i][0], size);
        json_mend_surrogates(text, size);
        if (memcmp(text, texts[i][1], size) != 0)
            fail_msg("%s became %.*s", texts[i][0], (int)size, text);
        free(text);
    }
}

static void json_is_valid(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        if (!valid(good[i], strlen(good[i])))
            fail_msg("refused: %s", good[i]);
}

static void anything_else_is_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (valid(bad[i], strlen(bad[i])))
            fail_msg("taken: %s", bad[i]);
    assert_false(valid("1\0", 2));
    assert_false(valid("\"a\0b\"", 5));
    assert_false(valid("\"\\\0\"", 4));
    assert_false(valid("\"\\u00\0\0\"", 8));
}

static void no_part_of_an_object_is_valid(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":[1.5e3,\"\\u00e9\",{\"b\":null}],\"c\":true}";
    assert_true(valid(text, sizeof(text) - 1));
    for (size_t size = 0; size < sizeof(text) - 1; size++)
        assert_false(valid(text, size));
}

static bool nested(size_t depth, const char *open, const char *inside, char close)
{
    size_t width = strlen(open), size = depth * (width + 1) + strlen(inside);
    char *text = malloc(size + 1), *at = text;
    assert_non_null(text);
    for (size_t i = 0; i < depth; i++, at += width)
        memcpy(at, open, width);
    memcpy(at, inside, strlen(inside));
    memset(at + strlen(inside), close, depth);
    bool result = valid(text, size);
    free(text);
    return result;
}

static void values_are_nested_up_to_the_depth_and_no_deeper(void **state)
{
    (void)state;
    assert_true(nested(JSON_VALID_DEPTH, "[", "", ']'));
    assert_true(nested(JSON_VALID_DEPTH, "[", "1", ']'));
    assert_true(nested(JSON_VALID_DEPTH, "{\"a\":", "1", '}'));
    assert_false(nested(JSON_VALID_DEPTH + 1, "[", "", ']'));
    assert_false(nested(JSON_VALID_DEPTH + 1, "[", "1", ']'));
    assert_false(nested(JSON_VALID_DEPTH + 1, "{\"a\":", "1", '}'));
    assert_false(nested(JSON_VALID_DEPTH, "[", "{}", ']'));
    assert_false(nested(1000000, "[", "", ']'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(halves_of_surrogate_pairs_are_mended_and_nothing_else),
        cmocka_unit_test(json_is_valid),
        cmocka_unit_test(anything_else_is_not),
        cmocka_unit_test(no_part_of_an_object_is_valid),
        cmocka_unit_test(values_are_nested_up_to_the_depth_and_no_deeper),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
