/* Displays of a notebook cell: what is one, and how they are taken from bytes that a hostile script
 * wrote, in pieces of any size. */
#include "unit.h"

#include <stdlib.h>

#include "common/util.h"
#include "core/displays.h"

#define PLAIN "\"text/plain\":\"1\""

static void only_bundles_of_mime_types_are_displays(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        bool valid;
    } rows[] = {
        {"{" PLAIN "}", true},
        {"{" PLAIN ",\"text/html\":\"<script>alert(1)</script>\"}", true},
        {"{\"image/svg+xml\":\"<svg onload='x'/>\"," PLAIN "}", true},
        {"{\"image/png\":\"iVBORw0KGgo=\"," PLAIN "}", true},
        {"{\"application/vnd.vegalite.v5+json\":{\"a\":[1,{}]}," PLAIN "}", true},
        {"{\"application/json\":null," PLAIN "}", true},
        {"", false},
        {"1", false},
        {"[]", false},
        {"[{" PLAIN "}]", false},
        {"{}", false}, /* text/plain is missing, here and below */
        {"{\"text/html\":\"x\"}", false},
        {"{\"text/plain\":1}", false},
        {"{\"text/plain\":{}}", false},
        {"{" PLAIN "," PLAIN "}", false},
        {"{" PLAIN ",\"text\\/plain\":\"2\"}", false},
        {"{" PLAIN "}{}", false},
        {"{" PLAIN, false},
        {"{" PLAIN ",\"text/html\\n\":\"x\"}", false},
        {"{" PLAIN ",\"text/ht\nml\":\"x\"}", false},
        {"{" PLAIN ",\"text/html\\u000a\":\"x\"}", false},
        {"{" PLAIN ",\"text/html; charset=x\":\"x\"}", false},
        {"{" PLAIN ",\"text/\":\"x\"}", false},
        {"{" PLAIN ",\"/html\":\"x\"}", false},
        {"{" PLAIN ",\"html\":\"x\"}", false},
        {"{" PLAIN ",\"a/b/c\":\"x\"}", false},
        {"{" PLAIN ",\"Image/png\":\"<\"}", false},
        {"{" PLAIN ",\"TEXT/HTML\":{}}", false},
        {"{" PLAIN ",\"\":\"x\"}", false},
        {"{" PLAIN ",\"text/html\":[\"x\"]}", false},
        {"{" PLAIN ",\"image/png\":{}}", false},
        {"{" PLAIN ",\"image/png\":\"\\\" onerror=alert(1)\"}", false},
        {"{" PLAIN ",\"image/png\":\"data:text/html,x\"}", false},
        {"{" PLAIN ",\"application/json\":NaN}", false},
        {"{" PLAIN ",\"application/json\":\"\xff\"}", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (display_valid(rows[i].json, strlen(rows[i].json)) != rows[i].valid)
            fail_msg("%s: not %d", rows[i].json, rows[i].valid);
}

static void a_display_is_not_nested_without_end(void **state)
{
    (void)state;
    static const size_t depths[] = {90, 110, 100000};
    for (size_t i = 0; i < ARRAY_LEN(depths); i++) {
        static const char head[] = "{" PLAIN ",\"application/json\":";
        size_t size = sizeof(head) - 1;
        char *json = malloc(size + 2 * depths[i] + 1);
        memcpy(json, head, size);
        memset(json + size, '[', depths[i]);
        memset(json + size + depths[i], ']', depths[i]);
        size += 2 * depths[i];
        json[size++] = '}';
        assert_int_equal(display_valid(json, size), depths[i] < 100);
        free(json);
    }
}

/* Takes the bytes in pieces. Returns how many were taken. */
static size_t take(struct displays *displays, const char *data, size_t size, size_t piece,
                   struct displays_limits limits)
{
    size_t taken = 0;
    for (size_t at = 0; at < size; at += piece) {
        size_t part = MIN(piece, size - at);
        ssize_t n = displays_take(displays, &limits, data + at, part, NULL, NULL);
        assert_true(n >= 0 && (size_t)n <= part);
        taken += (size_t)n;
        if ((size_t)n < part)
            break;
    }
    return taken;
}

#define ONE "D0000000000000012{" PLAIN "}"
#define BAD "D000000000000000221"

static void messages_are_taken_in_pieces_of_any_size(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        struct displays_limits limits;
        const char *text;
        int64_t left_out;
        size_t taken;
    } rows[] = {
        {"", {9, 99}, "[]", 0, 0},
        {"ENameError", {9, 99}, "[]", 0, 0},
        {"R1", {9, 99}, "[]", 0, 0},
        {ONE "R1", {9, 99}, "[{" PLAIN "}]", 0, 35},
        {ONE ONE, {9, 99}, "[{" PLAIN "},{" PLAIN "}]", 0, 70},
        {ONE ONE ONE "E", {2, 99}, "[{" PLAIN "},{" PLAIN "}]", 1, 105},
        {ONE ONE "R", {9, 18}, "[{" PLAIN "}]", 1, 70},
        {ONE ONE "R", {9, 17}, "[]", 2, 70},
        {BAD ONE "R", {9, 99}, "[{" PLAIN "}]", 1, 54},
        {ONE "D00000000000", {9, 99}, "[{" PLAIN "}]", 1, 47},
        {ONE "D0000000000000012{\"te", {9, 99}, "[{" PLAIN "}]", 1, 56},
        {"D7fffffffffffffff{}", {9, 99}, "[]", 1, 19},
        {"Dffffffffffffffff{}", {9, 99}, "[]", 1, 17},
        {"D0000000000000000" ONE, {9, 99}, "[]", 1, 17},
        {"D-000000000000012" ONE, {9, 99}, "[]", 1, 17},
        {"garbage" ONE, {9, 99}, "[]", 0, 0},
        {ONE "\n" ONE, {9, 99}, "[{" PLAIN "}]", 0, 35},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (size_t piece = 1; piece < 120; piece++) {
            struct displays displays = {0};
            size_t size = strlen(rows[i].bytes);
            size_t taken = take(&displays, rows[i].bytes, size, piece, rows[i].limits);
            const char *text = displays_end(&displays);
            if (strcmp(text, rows[i].text) != 0 || displays.left_out != rows[i].left_out ||
                taken != rows[i].taken)
                fail_msg("row %zu in pieces of %zu: %s, %lld left out, %zu taken", i, piece, text,
                         (long long)displays.left_out, taken);
            displays_free(&displays);
        }
}

static void collect(void *user, const char *json, size_t size)
{
    char *all = user;
    assert_true(strlen(all) + size < 100);
    strncat(all, json, size);
}

static void each_kept_display_is_handed_over(void **state)
{
    (void)state;
    static const char bytes[] = ONE BAD ONE ONE "R";
    char all[100] = "";
    struct displays displays = {0};
    const struct displays_limits limits = {2, 99};
    displays_take(&displays, &limits, bytes, sizeof(bytes) - 1, collect, all);
    assert_string_equal(all, "{" PLAIN "}{" PLAIN "}");
    displays_free(&displays);
}

static void halves_of_pairs_are_mended(void **state)
{
    (void)state;
    static const char bytes[] = "D0000000000000017{\"text/plain\":\"\\ud800\"}";
    struct displays displays = {0};
    take(&displays, bytes, sizeof(bytes) - 1, 7, (struct displays_limits){9, 99});
    assert_string_equal(displays_end(&displays), "[{\"text/plain\":\"\\ufffd\"}]");
    displays_free(&displays);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_bundles_of_mime_types_are_displays),
        cmocka_unit_test(a_display_is_not_nested_without_end),
        cmocka_unit_test(messages_are_taken_in_pieces_of_any_size),
        cmocka_unit_test(each_kept_display_is_handed_over),
        cmocka_unit_test(halves_of_pairs_are_mended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
