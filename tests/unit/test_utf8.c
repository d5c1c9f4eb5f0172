/* UTF-8: what is repaired is what Python's bytes.decode(errors="replace") gives. The expected texts
 * come from Python 3.11. */
#include "unit.h"

#include <stdlib.h>

#include "common/utf8.h"
#include "common/util.h"

#define R UTF8_REPLACEMENT
#define TEXT(literal) literal, sizeof(literal) - 1

static const struct {
    const char *text;
    size_t size;
    const char *repaired;
    size_t repaired_size;
    int64_t count; /* of the text as it is: −1 when it is not valid */
} cases[] = {
    {TEXT(""), TEXT(""), 0},
    {TEXT("plain"), TEXT("plain"), 5},
    {TEXT("a longer text of plain letters\n"), TEXT("a longer text of plain letters\n"), 31},
    {TEXT("a\0b"), TEXT("a\0b"), 3},
    {TEXT("\x7f"), TEXT("\x7f"), 1},
    {TEXT("\u00e9"), TEXT("\u00e9"), 1},
    {TEXT("\u20ac"), TEXT("\u20ac"), 1},
    {TEXT("\U0001f600"), TEXT("\U0001f600"), 1},
    {TEXT("\xf4\x8f\xbf\xbf"), TEXT("\xf4\x8f\xbf\xbf"), 1}, /* U+10FFFF, the last */
    {TEXT("12345678\u00e912345678\u20ac"), TEXT("12345678\u00e912345678\u20ac"), 18},
    {TEXT("\x80"), TEXT(R), -1},
    {TEXT("\xff\xfe"), TEXT(R R), -1},
    {TEXT("\xc3"), TEXT(R), -1},
    {TEXT("\xc3("), TEXT(R "("), -1},
    {TEXT("\xc0\xaf"), TEXT(R R), -1}, /* "/" in two bytes */
    {TEXT("\xc1\xbf"), TEXT(R R), -1},
    {TEXT("\xe0\x80\xaf"), TEXT(R R R), -1}, /* "/" in three */
    {TEXT("\xf0\x80\x80\xaf"), TEXT(R R R R), -1},
    {TEXT("\xe0\xa0"), TEXT(R), -1},
    {TEXT("\xe2\x82"), TEXT(R), -1}, /* the euro sign breaks off */
    {TEXT("\xe2\x82z"), TEXT(R "z"), -1},
    {TEXT("\xe2\x82\xe2\x82\xac"), TEXT(R "\u20ac"), -1},
    {TEXT("\xed\xa0\x80"), TEXT(R R R), -1}, /* a surrogate */
    {TEXT("\xed\x9f\xbf"), TEXT("\xed\x9f\xbf"), 1},
    {TEXT("\xf0\x9f\x98"), TEXT(R), -1},
    {TEXT("\xf0\x9f\x98\xf0\x9f\x98\x80"), TEXT(R "\U0001f600"), -1},
    {TEXT("\xf4\x90\x80\x80"), TEXT(R R R R), -1}, /* U+110000 */
    {TEXT("\xf5\x80\x80\x80"), TEXT(R R R R), -1},
    {TEXT("12345678\xff"
          "12345678"),
     TEXT("12345678" R "12345678"), -1},
};

static void a_character_that_the_end_cuts_off_is_no_part_of_the_whole(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t size, whole;
    } ends[] = {
        {TEXT(""), 0},
        {TEXT("a"), 1},
        {TEXT("a\xc3"), 1},
        {TEXT("a\u00e9"), 3},
        {TEXT("a\xe2"), 1},
        {TEXT("a\xe2\x82"), 1},
        {TEXT("a\u20ac"), 4},
        {TEXT("a\xf0\x9f\x98"), 1},
        {TEXT("\xf0\x9f\x98"), 0},
        {TEXT("a\U0001f600"), 5},
        {TEXT("a\xff"), 2}, /* these are no beginning of a character */
        {TEXT("a\xc0"), 2},
        {TEXT("a\x80"), 2},
        {TEXT("\x80\x80\x80\x80\x80"), 5},
        {TEXT("a\xe0\x80"), 3},
        {TEXT("a\xed\xa0"), 3},
        {TEXT("a\u00e9\x80"), 4},
    };
    for (size_t i = 0; i < ARRAY_LEN(ends); i++)
        if (utf8_whole(ends[i].text, ends[i].size) != ends[i].whole)
            fail_msg("row %zu: %zu", i, utf8_whole(ends[i].text, ends[i].size));
}

static void invalid_bytes_become_what_python_makes_of_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t size;
        char *repaired = utf8_repair(cases[i].text, cases[i].size, &size);
        assert_non_null(repaired);
        if (size != cases[i].repaired_size || memcmp(repaired, cases[i].repaired, size) != 0)
            fail_msg("case %zu became \"%s\"", i, repaired);
        assert_int_equal(repaired[size], '\0');
        free(repaired);
    }
}

static void what_was_repaired_is_valid(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t size;
        char *repaired = utf8_repair(cases[i].text, cases[i].size, &size);
        assert_true(utf8_count(repaired, size) >= 0);
        free(repaired);
    }
}

static void characters_are_counted_and_invalid_texts_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (utf8_count(cases[i].text, cases[i].size) != cases[i].count)
            fail_msg("case %zu has %lld characters", i,
                     (long long)utf8_count(cases[i].text, cases[i].size));
}

/* Sizes around the eight bytes that are looked at together. */
static void a_text_of_any_size_is_read_to_its_last_byte_and_no_further(void **state)
{
    (void)state;
    for (size_t size = 0; size < 40; size++) {
        char *text = malloc(size > 0 ? size : 1); /* no more: the sanitizer sees a read beyond */
        assert_non_null(text);
        memset(text, 'x', size);
        assert_int_equal(utf8_count(text, size), size);
        if (size > 0) {
            text[size - 1] = '\xe2';
            assert_int_equal(utf8_count(text, size), -1);
        }
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_character_that_the_end_cuts_off_is_no_part_of_the_whole),
        cmocka_unit_test(invalid_bytes_become_what_python_makes_of_them),
        cmocka_unit_test(what_was_repaired_is_valid),
        cmocka_unit_test(characters_are_counted_and_invalid_texts_told),
        cmocka_unit_test(a_text_of_any_size_is_read_to_its_last_byte_and_no_further),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
