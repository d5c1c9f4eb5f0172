/* json_text_parse: what it refuses, what it names, and that hostile texts cost no more than their
 * size. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/json_text.h"
#include "common/util.h"

static const struct json_bounds bounds = {
    .size = 8 << 20, .depth = 8, .values = 1000, .name_field = true};

static struct json_object *parse(const char *text, size_t size, struct sb_error *err)
{
    *err = (struct sb_error){0};
    return json_text_parse(text, size, &bounds, "the body", "request", err);
}

static void what_is_json_is_taken(void **state)
{
    (void)state;
    static const char *const good[] = {
        "{}",
        " \t\r\n{ \"a\" : 1 } \n",
        "{\"a\":[[[[[[[1]]]]]]]}",
        "{\"a\":-0.5e-3,\"b\":1E+2,\"c\":123456789012345678901234567890,\"d\":1e999}",
        "{\"a\":\"\\u0000\",\"b\":\"\\ud83d\\ude00\",\"c\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}",
        "{\"\":{\"\":{\"\":1}}}",
        "{\"a\":{\"x\":1},\"b\":{\"x\":1},\"x\":1}",
        "{\"donn\\u00e9es.csv\":1,\"donne\xcc\x81"
        "es.csv\":2}",
        "{\"ab\":1,\"abc\":2,\"a\":3}",
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct sb_error err;
        struct json_object *object = parse(good[i], strlen(good[i]), &err);
        if (object == NULL)
            fail_msg("%s: %s", good[i], err.message);
        json_object_put(object);
    }
}

static void strings_and_keys_say_what_their_escapes_mean(void **state)
{
    (void)state;
    static const char text[] = "{\"donn\\u00e9es\\ud83d\\ude00\\n\\/\":\"a\\u0000b\"}";
    struct sb_error err;
    struct json_object *object = parse(text, strlen(text), &err), *value = NULL;
    assert_non_null(object);
    assert_true(json_object_object_get_ex(object,
                                          "donn\xc3\xa9"
                                          "es\xf0\x9f\x98\x80\n/",
                                          &value));
    assert_int_equal(json_object_get_string_len(value), 3);
    assert_memory_equal(json_object_get_string(value), "a\0b", 3);
    json_object_put(object);
}

/* A text with a large string of this part, again and again. The caller frees it. */
static char *text_of(const char *part)
{
    char *text = malloc(3 * (size_t)JSON_STAY + 64);
    assert_non_null(text);
    strcpy(text, "{\"k\":[1.50,null,\"s\",");
    char *at = text + strlen(text);
    *at++ = '"';
    while ((size_t)(at - text) < (size_t)2 * JSON_STAY)
        at = stpcpy(at, part);
    strcpy(at, "\",true,-2]}");
    return text;
}

static void a_string_that_stays_in_its_text_is_read_and_printed_as_one_that_is_copied(void **state)
{
    (void)state;
    static const char *const parts[] = {"plain ", "a\\nb\\\\", "\\u0000\\\"", "\\ud83d\\ude00",
                                        "donn\xc3\xa9"
                                        "es\\/"};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        struct sb_error err = {0};
        _cleanup_free_ char *text = text_of(parts[i]);
        size_t length = strlen(text), size, taken_size;
        struct json_object *copied = parse(text, length, &err);
        struct json_object *taken = json_text_take(text, length, &bounds, "x", "request", &err);
        assert_non_null(copied);
        assert_non_null(taken);
        struct json_object *again = parse(json_object_to_json_string(taken),
                                          strlen(json_object_to_json_string(taken)), &err);
        assert_true(json_object_equal(copied, again)); /* printed before it was read */
        json_object_put(again);
        struct json_object *string =
            json_object_array_get_idx(json_object_object_get(copied, "k"), 3);
        struct json_object *staying =
            json_object_array_get_idx(json_object_object_get(taken, "k"), 3);
        for (int times = 0; times < 2; times++) {
            const char *bytes = json_tree_string(staying, &taken_size);
            assert_true(bytes > text && bytes < text + length);
            assert_memory_equal(bytes, json_tree_string(string, &size), taken_size + 1);
            assert_int_equal(taken_size, size);
        }
        again = parse(json_object_to_json_string(taken), strlen(json_object_to_json_string(taken)),
                      &err);
        assert_true(json_object_equal(copied, again)); /* and after */
        json_object_put(again);
        json_object_put(copied);
        json_object_put(taken);
    }
}

static void a_fault_behind_a_large_string_is_named_by_its_line(void **state)
{
    (void)state;
    struct sb_error err = {0};
    _cleanup_free_ char *text = text_of("a\\n");
    strcpy(strrchr(text, 't'), "\nnothing");
    assert_null(json_text_take(text, strlen(text), &bounds, "x", "request", &err));
    assert_says(&err, "line 2");
}

static const struct {
    const char *text;
    size_t size; /* 0: strlen */
    const char *field, *says;
} bad[] = {
    {"", 0, "", "ends"},
    {"[]", 0, "", "JSON object"},
    {"\"a\"", 0, "", "JSON object"},
    {"nul", 0, "", "JSON object"},
    {"{", 0, "", "ends"},
    {"{\"a\"", 0, "a", "ends"},
    {"{\"a\":", 0, "a", "ends"},
    {"{\"a\":\"b", 0, "a", "ends"},
    {"{\"a\":\"\\", 0, "a", "ends"},
    {"{\"a\":\"\\\"}", 0, "a", "ends"},
    {"{\"a\":[1", 0, "a", "ends"},
    {"{\"a\":1,}", 0, "", "key in double quotes"},
    {"{a:1}", 0, "", "key in double quotes"},
    {"{1:1}", 0, "", "key in double quotes"},
    {"{\"a\" 1}", 0, "a", "colon"},
    {"{\"a\":1 \"b\":2}", 0, "a", "comma or }"},
    {"{\"a\":[1 2]}", 0, "a", "comma or ]"},
    {"{\"a\":[1}}", 0, "a", "comma or ]"},
    {"{\"a\":[1,]}", 0, "a", "value"},
    {"{} {}", 0, "", "more text"},
    {"{\"a\":1} // b", 0, "", "more text"},
    {"{\"a\":1}\0", 8, "", "NUL"},
    {"{\"a\":\"\0\"}", 9, "", "NUL"},
    {"{\"a\":NaN}", 0, "a", "NaN"},
    {"{\"a\":-Infinity}", 0, "a", "Infinity"},
    {"{\"a\":True}", 0, "a", "value"},
    {"{\"a\":nulll}", 0, "a", "comma"},
    {"{\"a\":01}", 0, "a", "comma"},
    {"{\"a\":1.}", 0, "a", "value"},
    {"{\"a\":.5}", 0, "a", "value"},
    {"{\"a\":+1}", 0, "a", "value"},
    {"{\"a\":1e}", 0, "a", "value"},
    {"{\"a\":'b'}", 0, "a", "double quotes"},
    {"{\"a\":\"\n\"}", 0, "a", "control character"},
    {"{\"a\":\"\\x41\"}", 0, "a", "backslash"},
    {"{\"a\":\"\\u12g4\"}", 0, "a", "backslash"},
    {"{\"a\":\"\\u12", 0, "a", "backslash"},
    {"{\"a\":\"\\ud83d\"}", 0, "a", "half of a character"},
    {"{\"a\":\"\\ude00\\ud83d\"}", 0, "a", "half of a character"},
    {"{\"a\":\"\\ud83dx\"}", 0, "a", "half of a character"},
    {"{\"a\":\"\\ud83d\\n\"}", 0, "a", "half of a character"},
    {"{\"a\":\"\\ud83d\\u0041\"}", 0, "a", "half of a character"},
    {"{\"\\ud83d\":1}", 0, "", "half of a character"},
    {"{\"a\":\"\xff\"}", 0, "a", "UTF-8"},
    {"{\"a\":\"\xed\xa0\x80\"}", 0, "a", "UTF-8"},
    {"{\"a\":\"\xe2\x82\"}", 0, "a", "UTF-8"},
    {"{\"\xc0\xaf\":1}", 0, "", "UTF-8"},
    {"\xef\xbb\xbf{}", 0, "", "JSON object"},
    {"{\"a\\u0000b\":1}", 0, "a", "NUL"},
    {"{\"b\":{\"a\\u0000\":1}}", 0, "b", "NUL"},
    {"{\"a\":1,\"b\":2,\"a\":3}", 0, "a", "\"a\" stands twice"},
    {"{\"a\":1,\"\\u0061\":3}", 0, "a", "\"\\u0061\" stands twice"},
    {"{\"\\u0061\":1,\"a\":3}", 0, "a", "\"a\" stands twice"},
    {"{\"\xf0\x9f\x98\x80\":1,\"\\uD83D\\uDE00\":3}", 0, "\xf0\x9f\x98\x80", "twice"},
    {"{\"e\":{\"x\":1,\"y\":[{\"x\":1}],\"x\":2}}", 0, "e", "\"x\" stands twice"},
    {"{\"e\":[{},{\"x\":1,\"x\":2}]}", 0, "e", "\"x\" stands twice"},
    {"{\"\":1,\"\":2}", 0, "", "twice"},
    {"{\"a\":[[[[[[[[1]]]]]]]]}", 0, "a", "deep"},
    {"{\"a\":[[[[[[[[]]]]]]]]}", 0, "a", "deep"},
    {"{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}}}", 0, "a", "deep"},
};

static void what_is_not_is_refused_with_the_field_that_it_lies_in(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct sb_error err;
        size_t size = bad[i].size > 0 ? bad[i].size : strlen(bad[i].text);
        if (parse(bad[i].text, size, &err) != NULL)
            fail_msg("this was taken: %s", bad[i].text);
        if (strcmp(err.field, bad[i].field) != 0)
            fail_msg("%s: the field is \"%s\"", bad[i].text, err.field);
        assert_string_equal(err.step, "request");
        assert_says(&err, "the body, line 1: ");
        assert_says(&err, bad[i].says);
        assert_sentence(&err);
    }
}

static void a_fault_is_named_by_its_line(void **state)
{
    (void)state;
    static const char text[] = "{\n\"a\": 1,\n\n\"b\": x}";
    struct sb_error err;
    assert_null(parse(text, strlen(text), &err));
    assert_says(&err, "line 4");
}

static void bounds_hold(void **state)
{
    (void)state;
    struct sb_error err = {0};
    char text[4096] = "{\"a\":[";
    for (int i = 0; i < 997; i++)
        strcat(text, "1,");
    strcat(text, "1]}");
    struct json_object *object = parse(text, strlen(text), &err);
    assert_non_null(object); /* 998 and the two that hold them */
    json_object_put(object);
    memcpy(text + strlen(text) - 2, ",1]}", 5);
    assert_null(parse(text, strlen(text), &err));
    assert_says(&err, "more than 1000 values");
    assert_string_equal(err.field, "a");

    const struct json_bounds small = {.size = 1024, .depth = 1, .values = 9};
    assert_null(json_text_parse(text, 1025, &small, "the file", "policy", &err));
    assert_says(&err, "the file is larger than 1 KiB");
    assert_null(json_text_parse("{\"a\":{}}", 8, &small, "the file", "policy", &err));
    assert_says(&err, "deep");
    assert_string_equal(err.field, ""); /* not asked for */
}

static void keys_are_plain_where_that_is_asked_for(void **state)
{
    (void)state;
    const struct json_bounds plain = {.size = 1024, .depth = 4, .values = 9, .plain_keys = true};
    struct sb_error err = {0};
    assert_null(json_text_parse("{\"\\u0061\":1}", 12, &plain, "x", "policy", &err));
    assert_says(&err, "without backslashes");
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Fills `text` with `size` bytes of a part repeated, as "k<number>" where it has a %. */
static size_t fill(char *text, size_t size, const char *before, const char *part)
{
    size_t at = (size_t)sprintf(text, "%s", before);
    for (unsigned i = 0; at + 32 < size; i++) {
        /* NOLINTNEXTLINE(clang-diagnostic-format-nonliteral) */
        at += strchr(part, '%') != NULL ? (size_t)sprintf(text + at, "\"k%07u\":%u,", i, i)
                                        : (size_t)sprintf(text + at, "%s", part);
    }
    return at;
}

static void hostile_texts_take_time_in_proportion(void **state)
{
    (void)state;
    static const struct {
        const char *before, *part;
    } hostile[] = {
        {"{\"a\":[", "{},"},
        {"{\"a\":", "["},
        {"{", "%"},
        {"{\"", "\\u0061"},
        {"{\"a\":\"", "\\"},
        {"{\"a\":", "1"},
        {"{\"a\":\"", "\xf0\x9f\x98\x80"},
    };
    enum { SIZE = 2 << 20 };
    const struct json_bounds many = {.size = SIZE, .depth = 64, .values = SIZE};
    char *text = malloc(SIZE);
    assert_non_null(text);
    for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
        struct sb_error err = {0};
        size_t size = fill(text, SIZE, hostile[i].before, hostile[i].part);
        double began = seconds();
        assert_null(json_text_parse(text, size, &many, "the body", "request", &err));
        if (seconds() - began > 2) /* a quadratic check would take minutes */
            fail_msg("%s %s takes %.1f s", hostile[i].before, hostile[i].part, seconds() - began);
    }
    /* And whole, so that the keys are compared. */
    size_t size = fill(text, SIZE, "{", "%");
    memcpy(text + size - 1, ",\"k0000000\":1}", 14);
    struct sb_error err = {0};
    double began = seconds();
    assert_null(json_text_parse(text, size + 13, &many, "the body", "request", &err));
    assert_says(&err, "\"k0000000\" stands twice");
    assert_true(seconds() - began < 2);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_json_is_taken),
        cmocka_unit_test(strings_and_keys_say_what_their_escapes_mean),
        cmocka_unit_test(a_string_that_stays_in_its_text_is_read_and_printed_as_one_that_is_copied),
        cmocka_unit_test(a_fault_behind_a_large_string_is_named_by_its_line),
        cmocka_unit_test(what_is_not_is_refused_with_the_field_that_it_lies_in),
        cmocka_unit_test(a_fault_is_named_by_its_line),
        cmocka_unit_test(bounds_hold),
        cmocka_unit_test(keys_are_plain_where_that_is_asked_for),
        cmocka_unit_test(hostile_texts_take_time_in_proportion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
