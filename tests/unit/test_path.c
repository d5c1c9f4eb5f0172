/* Paths of files below a directory: each has one spelling, or is refused for what is wrong with it.
 */
#include "unit.h"

#include <stdlib.h>

#include "common/path.h"
#include "common/util.h"

#define N50 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
#define N255 N50 N50 N50 N50 N50 "nnnnn"

static const struct {
    const char *path;
    const char *normal; /* NULL: refused */
    enum path_fault fault;
} cases[] = {
    {"a", "a", PATH_FINE},
    {"a/b/c.txt", "a/b/c.txt", PATH_FINE},
    {"./a", "a", PATH_FINE},
    {"././a", "a", PATH_FINE},
    {"a/./b", "a/b", PATH_FINE},
    {"a//b", "a/b", PATH_FINE},
    {"a///.//b", "a/b", PATH_FINE},
    {"a/../b", "b", PATH_FINE},
    {"a/b/../../c", "c", PATH_FINE},
    {"a/b/../c", "a/c", PATH_FINE},
    {"./a/../b/./c/../d", "b/d", PATH_FINE},
    {"a/../a/../a", "a", PATH_FINE},
    /* Names that only look like something else. */
    {"...", "...", PATH_FINE},
    {".hidden", ".hidden", PATH_FINE},
    {"..a", "..a", PATH_FINE},
    {"a..", "a..", PATH_FINE},
    {"a/.../b", "a/.../b", PATH_FINE},
    {" ", " ", PATH_FINE},
    {"~", "~", PATH_FINE},
    {"C:", "C:", PATH_FINE},
    {"a\\b", "a\\b", PATH_FINE},
    {"..\\a", "..\\a", PATH_FINE},
    {"a\\..\\..\\b", "a\\..\\..\\b", PATH_FINE},
    {"%2e%2e/a", "%2e%2e/a", PATH_FINE},
    {"donn\u00e9es.csv", "donn\u00e9es.csv", PATH_FINE},
    {"\u2024\u2024/a", "\u2024\u2024/a", PATH_FINE}, /* leaders, not dots */
    {"\xff\xfe", "\xff\xfe", PATH_FINE},
    {"\xc0\xae\xc0\xae/a", "\xc0\xae\xc0\xae/a", PATH_FINE}, /* dots in two bytes each are none */
    {"a\nb", "a\nb", PATH_FINE},
    {"-rf", "-rf", PATH_FINE},
    {N255, N255, PATH_FINE},
    {"d/" N255, "d/" N255, PATH_FINE},
    {"", NULL, PATH_EMPTY},
    {"/", NULL, PATH_ABSOLUTE},
    {"/a", NULL, PATH_ABSOLUTE},
    {"//a", NULL, PATH_ABSOLUTE},
    {"/work/a", NULL, PATH_ABSOLUTE},
    {"..", NULL, PATH_OUTSIDE},
    {"../a", NULL, PATH_OUTSIDE},
    {"./../a", NULL, PATH_OUTSIDE},
    {".//../a", NULL, PATH_OUTSIDE},
    {"a/../../b", NULL, PATH_OUTSIDE},
    {"a/../../work/b", NULL, PATH_OUTSIDE},
    {"a/b/../../../c", NULL, PATH_OUTSIDE},
    {".", NULL, PATH_DIRECTORY},
    {"./", NULL, PATH_DIRECTORY},
    {"a/", NULL, PATH_DIRECTORY},
    {"a//", NULL, PATH_DIRECTORY},
    {"a/.", NULL, PATH_DIRECTORY},
    {"a/..", NULL, PATH_DIRECTORY},
    {"a/b/..", NULL, PATH_DIRECTORY},
    {N255 "n", NULL, PATH_TOO_LONG},
    {N255 "n/a", NULL, PATH_TOO_LONG},
    {N255 "n/../a", NULL, PATH_TOO_LONG},
};

static void each_path_has_one_spelling(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *normal = malloc(strlen(cases[i].path) + 1); /* no more room than is promised */
        enum path_fault fault = path_normalise(normal, cases[i].path);
        if (fault != cases[i].fault)
            fail_msg("'%s' is %d, not %d", cases[i].path, fault, cases[i].fault);
        if (cases[i].normal != NULL)
            assert_string_equal(normal, cases[i].normal);
        free(normal);
    }
}

static void one_spelling_stays_as_it_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char again[1024];
        if (cases[i].normal == NULL)
            continue;
        assert_int_equal(path_normalise(again, cases[i].normal), PATH_FINE);
        assert_string_equal(again, cases[i].normal);
    }
}

static void each_fault_is_told(void **state)
{
    (void)state;
    for (enum path_fault fault = PATH_EMPTY; fault <= PATH_TOO_LONG; fault++)
        assert_in_range(strlen(path_fault_text(fault)), 20, 100);
}

/* The bound is of what is left, and takes no longer for what is not. */
static void a_path_may_have_1024_bytes_once_it_is_short(void **state)
{
    (void)state;
    static char path[1 << 20], normal[1 << 20];
    for (size_t i = 0; i < sizeof(path); i++)
        path[i] = i % 2 ? '/' : '.';
    memcpy(path + sizeof(path) - 2, "a", 2);
    assert_int_equal(path_normalise(normal, path), PATH_FINE);
    assert_string_equal(normal, "a");
    for (size_t i = 0; i < sizeof(path); i++)
        path[i] = i % 2 ? '/' : 'a';
    path[1025] = '\0';
    assert_int_equal(path_normalise(normal, path), PATH_TOO_LONG);
    path[1023] = '\0';
    assert_int_equal(path_normalise(normal, path), PATH_FINE);
    assert_int_equal(strlen(normal), 1023);
}

static const struct {
    const char *path, *shown;
} sights[] = {
    {"", ""},
    {"plain name", "plain name"},
    {"donn\u00e9es", "donn\u00e9es"},
    {"two\nlines", "two\ufffdlines"},
    {"\x1b[2J", "\ufffd[2J"},
    {"\xc2\x9b"
     "2J",
     "\ufffd2J"}, /* a control character of two bytes */
    {"\xc2\xa0", "\xc2\xa0"},
    {"\xff", "\ufffd"},
    {N255, N50 N50 "nnnnnnnnnnnnnnnnnnnnnnnn"
                   "…"},
};

static void a_path_is_shown_in_one_line_of_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sights); i++) {
        char shown[PATH_SHOWN_BYTES];
        path_show(shown, sights[i].path);
        assert_string_equal(shown, sights[i].shown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_path_has_one_spelling),
        cmocka_unit_test(one_spelling_stays_as_it_is),
        cmocka_unit_test(each_fault_is_told),
        cmocka_unit_test(a_path_may_have_1024_bytes_once_it_is_short),
        cmocka_unit_test(a_path_is_shown_in_one_line_of_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
