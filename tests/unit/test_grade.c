/* Grading: which outputs and values are as expected, and where they first differ. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/grade.h"
#include "common/util.h"

/* A text with its size: it may hold NULs. */
#define TEXT(text) text, sizeof(text) - 1

static const struct {
    enum grade_compare compare;
    const char *expected;
    size_t expected_size;
    const char *text;
    size_t size;
    bool same;
} outputs[] = {
    {GRADE_LINES, TEXT("5\n"), TEXT("5\n"), true},
    {GRADE_LINES, TEXT("5"), TEXT("5\n"), true},
    {GRADE_LINES, TEXT("5\n"), TEXT("5"), true},
    {GRADE_LINES, TEXT("5"), TEXT("6"), false},
    {GRADE_LINES, TEXT("a\nb"), TEXT("a  \nb\t\n\n\n"), true},
    {GRADE_LINES, TEXT("a\nb\n"), TEXT("a\r\nb\r\n"), true},
    {GRADE_LINES, TEXT("a b"), TEXT("a  b"), false},
    {GRADE_LINES, TEXT("a"), TEXT(" a"), false},
    {GRADE_LINES, TEXT("a\n\nb"), TEXT("a\nb"), false},
    {GRADE_LINES, TEXT("a\n \nb"), TEXT("a\n\nb"), true},
    {GRADE_LINES, TEXT("\na"), TEXT("a"), false},
    {GRADE_LINES, TEXT(""), TEXT(""), true},
    {GRADE_LINES, TEXT(""), TEXT("\n \n\t\r\n"), true},
    {GRADE_LINES, TEXT(""), TEXT("a"), false},
    {GRADE_LINES, TEXT("a"), TEXT(""), false},
    {GRADE_LINES, TEXT("a\nb"), TEXT("a"), false},
    {GRADE_LINES, TEXT("a"), TEXT("a\nb"), false},
    {GRADE_LINES, TEXT("a\rb"), TEXT("a\nb"), false},
    {GRADE_LINES, TEXT("a"), TEXT("a\xc2\xa0"), false}, /* a no-break space is no white space */
    {GRADE_LINES, TEXT("\xc3\xa4"), TEXT("\xc3\xa4 \n"), true},
    {GRADE_LINES, TEXT("a\0b"), TEXT("a\0b\n"), true},
    {GRADE_LINES, TEXT("a\0b"), TEXT("a\0c\n"), false},
    {GRADE_LINES, TEXT("1.0"), TEXT("1.00"), false},
    {GRADE_EXACT, TEXT("5\n"), TEXT("5\n"), true},
    {GRADE_EXACT, TEXT("5\n"), TEXT("5"), false},
    {GRADE_EXACT, TEXT("5"), TEXT("5\n"), false},
    {GRADE_EXACT, TEXT("5\n"), TEXT("5\r\n"), false},
    {GRADE_EXACT, TEXT("a\n"), TEXT("a \n"), false},
    {GRADE_EXACT, TEXT(""), TEXT(""), true},
    {GRADE_EXACT, TEXT(""), TEXT("\n"), false},
    {GRADE_EXACT, TEXT("\0"), TEXT("\0"), true},
    {GRADE_EXACT, TEXT("\0"), TEXT(""), false},
    {GRADE_EXACT, TEXT("\xff\xfe"), TEXT("\xff\xfe"), true},
    {GRADE_TOKENS, TEXT("1 2 3"), TEXT("1\n2\n3\n"), true},
    {GRADE_TOKENS, TEXT("1 2 3"), TEXT("  1\t2 \v\f\r 3  "), true},
    {GRADE_TOKENS, TEXT("1 2 3"), TEXT("1 23"), false},
    {GRADE_TOKENS, TEXT("1 2"), TEXT("1 2 3"), false},
    {GRADE_TOKENS, TEXT("1 2 3"), TEXT("1 2"), false},
    {GRADE_TOKENS, TEXT(""), TEXT(" \n "), true},
    {GRADE_TOKENS, TEXT("a"), TEXT("A"), false},
    {GRADE_TOKENS, TEXT("a b"),
     TEXT("a\xe2\x80\x83"
          "b"),
     false}, /* nor is an em space */
    {GRADE_TOKENS, TEXT("1.0"), TEXT("1.00"), false},
    {GRADE_FLOAT, TEXT("1.0"), TEXT("1.00\n"), true},
    {GRADE_FLOAT, TEXT("0.3"), TEXT("0.30000000000000004"), true},
    {GRADE_FLOAT, TEXT("1"), TEXT("1.0000009"), true},
    {GRADE_FLOAT, TEXT("1"), TEXT("1.0000011"), false},
    {GRADE_FLOAT, TEXT("1000000"), TEXT("1000000.9"), true}, /* in proportion */
    {GRADE_FLOAT, TEXT("1000000"), TEXT("1000001.1"), false},
    {GRADE_FLOAT, TEXT("0.000001"), TEXT("1e-6"), true},
    {GRADE_FLOAT, TEXT("1e-6"), TEXT("0"), true}, /* at most the tolerance */
    {GRADE_FLOAT, TEXT("1e300"), TEXT("1.0000001e300"), true},
    {GRADE_FLOAT, TEXT("1e308"), TEXT("-1e308"), false},
    {GRADE_FLOAT, TEXT("1e999"), TEXT("inf"), true},
    {GRADE_FLOAT, TEXT("1e999"), TEXT("1e308"), false},
    {GRADE_FLOAT, TEXT("inf"), TEXT("-inf"), false},
    {GRADE_FLOAT, TEXT("Infinity"), TEXT("inf"), true},
    {GRADE_FLOAT, TEXT("nan"), TEXT("NaN"), true},
    {GRADE_FLOAT, TEXT("nan"), TEXT("0"), false},
    {GRADE_FLOAT, TEXT("0"), TEXT("nan"), false},
    {GRADE_FLOAT, TEXT("-0.0"), TEXT("0"), true},
    {GRADE_FLOAT, TEXT("+5"), TEXT("5"), true},
    {GRADE_FLOAT, TEXT("16"), TEXT("0x10"), false}, /* no number */
    {GRADE_FLOAT, TEXT("1"), TEXT("1_0"), false},
    {GRADE_FLOAT, TEXT("1"), TEXT("1."), true},
    {GRADE_FLOAT, TEXT("1"), TEXT("1e"), false},
    {GRADE_FLOAT, TEXT("1"), TEXT("1\0"), false},
    {GRADE_FLOAT, TEXT("x 1.5 y"), TEXT("x\n1.50 y"), true},
    {GRADE_FLOAT, TEXT("x 1.5 y"), TEXT("x 1.5 z"), false},
    {GRADE_FLOAT, TEXT(""), TEXT("0"), false},
};

static void each_output_is_judged_as_its_comparison_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(outputs); i++) {
        const struct grade_output expected = {outputs[i].compare, 1e-6, outputs[i].expected,
                                              outputs[i].expected_size};
        if (grade_output(&expected, outputs[i].text, outputs[i].size, NULL) != outputs[i].same)
            fail_msg("row %zu: '%s' against '%s' should be %s", i, outputs[i].text,
                     outputs[i].expected, outputs[i].same ? "the same" : "different");
    }
}

static void assert_difference(enum grade_compare compare, const char *expected, const char *text,
                              const char *shown)
{
    struct grade_difference difference;
    char found[128];
    const struct grade_output wanted = {compare, 1e-6, expected, strlen(expected)};
    assert_false(grade_output(&wanted, text, strlen(text), &difference));
    snprintf(found, sizeof(found), "%s %zu: %.*s|%.*s", difference.unit, difference.number,
             (int)difference.expected_size, difference.expected != NULL ? difference.expected : "",
             (int)difference.got_size, difference.got != NULL ? difference.got : "");
    assert_string_equal(found, shown);
}

static void the_first_difference_is_named(void **state)
{
    (void)state;
    assert_difference(GRADE_LINES, "1\n2\n3", "1\n2 \n4\n5", "line 3: 3|4");
    assert_difference(GRADE_LINES, "1\n2", "1", "line 2: 2|");
    assert_difference(GRADE_LINES, "1", "1\n2", "line 2: |2");
    assert_difference(GRADE_EXACT, "1\n", "1", "line 1: 1\n|1");
    assert_difference(GRADE_TOKENS, "a b c", "a\nb\nd", "token 3: c|d");
    assert_difference(GRADE_FLOAT, "1 2", "1.0 3", "token 2: 2|3");
}

static void a_long_token_is_compared_as_text(void **state)
{
    (void)state;
    char digits[2001], other[2001];
    memset(digits, '7', sizeof(digits) - 1);
    digits[sizeof(digits) - 1] = '\0';
    memcpy(other, digits, sizeof(other));
    const struct grade_output expected = {GRADE_FLOAT, 1e-6, digits, sizeof(digits) - 1};
    assert_true(grade_output(&expected, other, sizeof(other) - 1, NULL));
    other[1999] = '8';
    assert_false(grade_output(&expected, other, sizeof(other) - 1, NULL));
}

static const struct {
    const char *expected, *value;
    bool same;
} values[] = {
    {"1", "1", true},
    {"1", "2", false},
    {"1", "1.0", true},
    {"1", "10e-1", true},
    {"10", "1", false},
    {"100", "1e2", true},
    {"100.50", "1.005E+2", true},
    {"0.001", "1e-3", true},
    {"0.001", "0.0010", true},
    {"0", "-0.0", true},
    {"0", "0e99", true},
    {"1", "-1", false},
    {"1000000000000000000000000000000", "1000000000000000000000000000001", false},
    {"1000000000000000000000000000000", "1e30", true},
    {"0.3", "0.30000000000000004", false},
    {"1e400", "1e401", false},
    {"true", "1", false},
    {"true", "true", true},
    {"true", "false", false},
    {"null", "null", true},
    {"null", "false", false},
    {"\"a\"", "\"a\"", true},
    {"\"a\"", "\"\\u0061\"", true},
    {"\"\xc3\xa4\"", "\"\\u00e4\"", true},
    {"\"\xf0\x9f\x90\x8d\"", "\"\\ud83d\\udc0d\"", true},
    {"\"\xe2\x82\xac\"", "\"\\u20ac\"", true},
    {"\"/\"", "\"\\/\"", true},
    {"\"\\n\\t\\\"\\\\\"", "\"\\u000a\\u0009\\u0022\\u005c\"", true},
    {"\"\\u0000\"", "\"\"", false},
    {"\"a\"", "\"ab\"", false},
    {"\"1\"", "1", false},
    {"[]", "[]", true},
    {"[]", "{}", false},
    {"[1,2]", "[1, 2]", true},
    {"[1,2]", "[2,1]", false},
    {"[1,2]", "[1,[2]]", false},
    {"[[1],2]", "[[1,2]]", false},
    {"[[],[]]", "[[[]]]", false},
    {"[1,2]", "[1]", false},
    {"[1]", "[1,2]", false},
    {"{\"a\":1,\"b\":[2]}", "{\"b\": [2.0], \"a\": 1}", true},
    {"{\"a\":1,\"b\":2}", "{\"a\":2,\"b\":1}", false},
    {"{\"a\":1}", "{\"\\u0061\":1}", true},
    {"{\"a\":1}", "{\"b\":1}", false},
    {"{\"a\":1}", "{\"a\":1,\"a\":1}", false},
    {"{\"a\":{\"x\":1},\"b\":{\"y\":2}}", "{\"b\":{\"y\":2},\"a\":{\"x\":1}}", true},
    {"{\"a\":[1,2,3],\"b\":1}", "{\"a\":[1,2],\"b\":[1]}", false},
    {"1", "", false},
    {"1", "nonsense", false},
    {"1", "NaN", false},
    {"[1]", "[1", false},
};

static void each_value_is_judged_by_what_it_means(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        if (grade_value(values[i].expected, strlen(values[i].expected), values[i].value,
                        strlen(values[i].value), 0) != values[i].same)
            fail_msg("%s against %s should be %s", values[i].value, values[i].expected,
                     values[i].same ? "equal" : "different");
}

static bool is_near(const char *expected, const char *value)
{
    return grade_value(expected, strlen(expected), value, strlen(value), 1e-6);
}

static void a_tolerance_holds_for_all_numbers_of_a_value(void **state)
{
    (void)state;
    assert_true(is_near("{\"x\":[0.3,1]}", "{\"x\":[0.30000000000000004,1.0000001]}"));
    assert_false(is_near("{\"x\":[0.3]}", "{\"x\":[0.31]}"));
    assert_false(is_near("[\"0.3\"]", "[\"0.30000001\"]"));
}

/* If each level were scanned again, this would take minutes. */
static void deep_and_wide_values_take_time_by_their_size(void **state)
{
    (void)state;
    enum { DEEP = 1000, WIDE = 200000 };
    _cleanup_free_ char *deep = malloc(DEEP * 2 + WIDE * 2 + 1);
    size_t size = 0;
    memset(deep, '[', DEEP);
    size = DEEP;
    for (int i = 0; i < WIDE; i++) {
        deep[size++] = '1';
        deep[size++] = i + 1 < WIDE ? ',' : ']';
    }
    memset(deep + size, ']', DEEP - 1);
    size += DEEP - 1;
    assert_true(grade_value(deep, size, deep, size, 0));
    assert_false(grade_value("[[1]]", 5, deep, size, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_output_is_judged_as_its_comparison_says),
        cmocka_unit_test(the_first_difference_is_named),
        cmocka_unit_test(a_long_token_is_compared_as_text),
        cmocka_unit_test(each_value_is_judged_by_what_it_means),
        cmocka_unit_test(a_tolerance_holds_for_all_numbers_of_a_value),
        cmocka_unit_test(deep_and_wide_values_take_time_by_their_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
