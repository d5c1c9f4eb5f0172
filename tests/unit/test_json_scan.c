/* json_scan: which tokens a text has, and where and how one that is not JSON is at fault. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/json_scan.h"
#include "common/util.h"

/* A letter for each token; the last is '.' for the end, '!' for a fault. */
static const char letters[] = {
    [JSON_FAULT] = '!',  [JSON_END] = '.',    [JSON_OBJECT] = 'O',
    [JSON_ARRAY] = 'A',  [JSON_CLOSE] = 'c',  [JSON_KEY] = 'k',
    [JSON_STRING] = 's', [JSON_NUMBER] = 'n', [JSON_WORD] = 'w',
};

/* Scans to the end. *place, unless NULL, is where the fault is. */
static struct json_scan scan_all(const char *text, size_t size, size_t depth, char *said,
                                 size_t *place)
{
    /* A copy without a NUL behind it: the sanitizer sees a read beyond its end. */
    char *copy = malloc(size > 0 ? size : 1);
    assert_non_null(copy);
    memcpy(copy, text, size);
    struct json_scan scan;
    json_scan_begin(&scan, copy, size, depth);
    enum json_token token;
    do {
        token = json_scan_next(&scan);
        *said++ = letters[token];
    } while (token != JSON_END && token != JSON_FAULT);
    *said = '\0';
    if (place != NULL)
        *place = (size_t)(scan.place - copy);
    free(copy);
    return scan;
}

static void a_text_has_these_tokens(void **state)
{
    (void)state;
    static const char *const texts[][2] = {
        {"1", "n."},
        {" \"a\" ", "s."},
        {"[]", "Ac."},
        {" { } ", "Oc."},
        {"[null,true,false]", "Awwwc."},
        {"[[],{},[1]]", "AAcOcAncc."},
        {"{\"a\":[1,\"b\"],\"c\" : {\"d\":null}}", "OkAnsckOkwcc."},
        /* Whether it makes sense is another's matter. */
        {"{\"a\":1,\"a\":2}", "Oknknc."},
        {"[123456789012345678901234567890,-0.5e-999999,1E+2]", "Annnc."},
        {"\"\\ud83d\\ude00\\u0000\"", "s."},
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        char said[64];
        scan_all(texts[i][0], strlen(texts[i][0]), 8, said, NULL);
        if (strcmp(said, texts[i][1]) != 0)
            fail_msg("%s: %s", texts[i][0], said, NULL);
    }
}

static void a_token_is_where_it_stands(void **state)
{
    (void)state;
    static const char text[] = " { \"key\" : [ 12 , \"a\\\"b\" ] }";
    static const char *const tokens[] = {"{", "\"key\"", "[", "12", "\"a\\\"b\"", "]", "}"};
    static const size_t depths[] = {1, 1, 2, 2, 2, 1, 0};
    struct json_scan scan;
    json_scan_begin(&scan, text, strlen(text), 8);
    for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
        assert_int_not_equal(json_scan_next(&scan), JSON_FAULT);
        assert_int_equal(scan.at - scan.start, strlen(tokens[i]));
        assert_memory_equal(scan.start, tokens[i], strlen(tokens[i]));
        assert_int_equal(scan.depth, depths[i]);
    }
    assert_int_equal(json_scan_next(&scan), JSON_END);
}

static void a_fault_has_a_kind_and_a_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum json_fault fault;
        size_t place;
    } rows[] = {
        {"", JSON_CUT, 0},
        {" ", JSON_CUT, 1},
        {"[1,", JSON_CUT, 3},
        {"{\"a\"", JSON_CUT, 4},
        {"\"a\\", JSON_CUT, 2},
        {"[1,]", JSON_NO_VALUE, 3},
        {"nul", JSON_NO_VALUE, 0},
        {"[-]", JSON_NO_VALUE, 1},
        {"[1e+]", JSON_NO_VALUE, 1},
        {"{\"a\":}", JSON_NO_VALUE, 5},
        {"{,}", JSON_NO_KEY, 1},
        {"{\"a\":1,}", JSON_NO_KEY, 7},
        {"{\"a\",1}", JSON_NO_COLON, 4},
        {"[1 2]", JSON_NO_COMMA, 3},
        {"[01]", JSON_NO_COMMA, 2},
        {"[1}", JSON_NO_COMMA, 2},
        {"{\"a\":1]", JSON_NO_COMMA, 6},
        {"1 2", JSON_MORE_TEXT, 2},
        {"{}}", JSON_MORE_TEXT, 2},
        {"\"ab\xff\"", JSON_BAD_UTF8, 3},
        {"\"\xed\xa0\x80\"", JSON_BAD_UTF8, 1},
        {"\"a\n\"", JSON_CONTROL, 2},
        {"\"\\x\"", JSON_ESCAPE, 1},
        {"\"\\u12g4\"", JSON_ESCAPE, 1},
        {"\"a\\ud800\"", JSON_SURROGATE, 2},
        {"\"\\udc00\\ud800\"", JSON_SURROGATE, 1},
        {"\"\\ud800\\ud800\\udc00\"", JSON_SURROGATE, 1},
        {"[[[[[[[[[", JSON_DEPTH, 9},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char said[64];
        size_t place;
        struct json_scan scan = scan_all(rows[i].text, strlen(rows[i].text), 8, said, &place);
        if (strchr(said, '!') == NULL || scan.fault != rows[i].fault || place != rows[i].place)
            fail_msg("%s: %s, fault %d at %zu", rows[i].text, said, (int)scan.fault, place);
    }
}

static void a_text_cut_anywhere_is_at_fault(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":[1.5e3,\"\\u00e9\\ud83d\\ude00\",{\"b\":null}],"
                               "\"\xf0\x9f\x98\x80\":[true,{}]} ";
    char whole[64], said[64];
    scan_all(text, sizeof(text) - 1, 8, whole, NULL);
    assert_string_equal(whole, "OkAnsOkwcckAwOccc.");
    for (size_t size = 0; size < sizeof(text) - 2; size++) {
        scan_all(text, size, 8, said, NULL);
        size_t tokens = strlen(said) - 1;
        assert_int_equal(said[tokens], '!');
        /* Up to there they are the same. */
        assert_memory_equal(said, whole, tokens);
    }
}

static void brackets_are_counted_up_to_the_depth(void **state)
{
    (void)state;
    enum { SIZE = JSON_SCAN_DEPTH + 1 };
    static char text[SIZE], said[2 * SIZE];
    memset(text, '[', sizeof(text));
    struct json_scan scan = scan_all(text, SIZE, SIZE, said, NULL);
    assert_int_equal(scan.fault, JSON_DEPTH);
    assert_int_equal(scan.depth, JSON_SCAN_DEPTH);
    scan = scan_all(text, SIZE - 1, SIZE, said, NULL);
    assert_int_equal(scan.fault, JSON_CUT);
    scan = scan_all("[{}]", 4, 1, said, NULL);
    assert_int_equal(scan.fault, JSON_DEPTH);
    scan = scan_all("[]", 2, 0, said, NULL);
    assert_int_equal(scan.fault, JSON_DEPTH);
    scan_all("1", 1, 0, said, NULL);
    assert_string_equal(said, "n.");
}

static void an_escape_is_a_character(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t size;
        uint32_t code;
    } rows[] = {
        {"\\u0000", 6, 0},
        {"\\u20aC", 6, 0x20ac},
        {"\\uffffx", 6, 0xffff},
        {"\\ud800\\udc00", 12, 0x10000},
        {"\\uDBFF\\uDFFF", 12, 0x10ffff},
        {"\\ud800", 0, 0xd800},
        {"\\ud800\\u0041", 0, 0xd800},
        {"\\ud800\\ud800", 0, 0xd800},
        {"\\udfff\\ud800", 0, 0xdfff},
        {"\\u123", 0, 0},
        {"\\n", 0, 0},
        {"u0041", 0, 0},
        {"", 0, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint32_t code = 1;
        const char *end = rows[i].text + strlen(rows[i].text);
        assert_int_equal(json_unicode_escape(rows[i].text, end, &code), rows[i].size);
        assert_int_equal(code, rows[i].code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_has_these_tokens),
        cmocka_unit_test(a_token_is_where_it_stands),
        cmocka_unit_test(a_fault_has_a_kind_and_a_place),
        cmocka_unit_test(a_text_cut_anywhere_is_at_fault),
        cmocka_unit_test(brackets_are_counted_up_to_the_depth),
        cmocka_unit_test(an_escape_is_a_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
