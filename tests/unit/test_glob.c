/* Patterns of paths: what each matches, and that none takes long. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/glob.h"
#include "common/util.h"

#define PLENTY (INT64_C(1) << 26)

static const struct {
    const char *glob, *path;
    bool matches;
    bool below; /* paths below can match */
} cases[] = {
    {"a", "a", true, false},
    {"a", "b", false, false},
    {"a", "aa", false, false},
    {"*", "a.txt", true, false},
    {"*", "a/b", false, false},
    {"*.png", "plot.png", true, false},
    {"*.png", "plot.svg", false, false},
    {"*.png", "out/plot.png", false, false},
    {"*.png", ".png", false, false}, /* a hidden name */
    {"p*t*.png", "plot-1.png", true, false},
    {"p*t*.png", "plo.png", false, false},
    {"*a*b*", "xxaxxbxx", true, false},
    {"**", "a", true, true},
    {"**", "a/b/c", true, true},
    {"**", ".a", false, false},
    {"**", "a/.b/c", false, false},
    {"**", "/tmp/a", false, false},
    {"*/tmp/a", "/tmp/a", false, false},
    {"out/**", "out", false, true},
    {"out/**", "out/a", true, true},
    {"out/**", "out/a/b", true, true},
    {"out/**", "other/a", false, false},
    {"**/*.csv", "a.csv", true, true},
    {"**/*.csv", "a/b/c.csv", true, true},
    {"**/*.csv", "a/b/c.txt", false, true},
    {"**/a/**/b", "a/b", true, true},
    {"**/a/**/b", "x/a/y/a/z/b", true, true},
    {"**/a/**/b", "x/a/y/c", false, true},
    {"a/*/c", "a/b/c", true, false},
    {"a/*/c", "a/b", false, true},
    {"a/*/c", "a", false, true},
    {"a/*/c", "a/c", false, true},
    {".*", ".a", true, false},
    {".*", "a", false, false},
    {".config/**", ".config/a", true, true},
    {".config/**", ".config/.a", false, false},
    {"/tmp/**", "/tmp/a/b", true, true},
    {"/tmp/*.csv", "/tmp/a.csv", true, false},
    {"/tmp/*.csv", "/tmp", false, true},
    {"/tmp/*", "tmp/a", false, false},
    {"tmp/*", "/tmp/a", false, false},
    {"?", "a", true, false},
    {"?", "é", true, false},
    {"?", "ab", false, false},
    {"??", "é", false, false},
    {"[abc]", "b", true, false},
    {"[abc]", "d", false, false},
    {"[a-c].[0-9]", "b.5", true, false},
    {"[!a-c]", "d", true, false},
    {"[!a-c]", "b", false, false},
    {"[à-ü]", "é", true, false},
    {"[]]", "]", true, false},
    {"[!]]", "]", false, false},
    {"[-a]", "-", true, false},
    {"[*]", "*", true, false},
    {"[*]", "a", false, false},
    {"[a", "[a", true, false}, /* no class */
    {"[", "[", true, false},
    {"[!", "[!", true, false},
    {"[]", "[]", true, false},
    {"[a/b]", "[a/b]", true, false}, /* a slash ends a part */
    {"a**b", "axxb", true, false},   /* two stars that are not a part by themselves */
    {"a**b", "a/b", false, false},
    {"*", "\xff\xfe", true, false}, /* names may be any bytes */
    {"?", "\xff", true, false},
    {"a\nb", "a\nb", true, false},
    {"a\\*", "a\\b", true, false}, /* a backslash stands for itself */
};

static void each_pattern_matches_what_it_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t steps = PLENTY;
        if (glob_match(cases[i].glob, cases[i].path, false, &steps) != cases[i].matches)
            fail_msg("'%s' and '%s': %d", cases[i].glob, cases[i].path, !cases[i].matches);
        if (glob_match(cases[i].glob, cases[i].path, true, &steps) != cases[i].below)
            fail_msg("'%s' below '%s': %d", cases[i].glob, cases[i].path, !cases[i].below);
    }
}

/* Fills a text with one that repeats. The caller frees it. */
static char *repeat(const char *text, size_t times)
{
    size_t size = strlen(text);
    char *all = malloc(size * times + 1);
    for (size_t i = 0; i < times; i++)
        memcpy(all + i * size, text, size + 1);
    return all;
}

/* Patterns that take other matchers exponential time. */
static void hostile_patterns_take_few_steps(void **state)
{
    (void)state;
    static const struct {
        const char *glob, *end, *path;
    } pairs[] = {{"*a", "b", "a"}, {"**/a/", "b", "a/"}, {"**/*a*", "/b", "aa/"}};
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        char glob[1024];
        _cleanup_free_ char *many = repeat(pairs[i].glob, 40), *path = repeat(pairs[i].path, 120);
        snprintf(glob, sizeof(glob), "%s%s", many, pairs[i].end);
        int64_t steps = PLENTY;
        assert_false(glob_match(glob, path, false, &steps));
        assert_in_range(PLENTY - steps, 1, 1000000);
    }
}

/* A class takes as long as it is: its steps are counted so. */
static void a_long_class_takes_many_steps(void **state)
{
    (void)state;
    char glob[300], path[201];
    memset(path, 'a', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    for (int closed = 0; closed < 2; closed++) {
        memset(glob, 'x', sizeof(glob) - 1);
        glob[0] = '*';
        glob[1] = '[';
        glob[sizeof(glob) - 2] = closed ? ']' : 'x';
        glob[sizeof(glob) - 1] = '\0';
        int64_t steps = PLENTY;
        assert_false(glob_match(glob, path, false, &steps));
        assert_in_range(PLENTY - steps, 200 * 290, 200 * 310);
    }
}

static void without_steps_nothing_matches(void **state)
{
    (void)state;
    int64_t steps = 2;
    assert_false(glob_match("*", "a-long-name", false, &steps));
    assert_true(steps < 0);
    assert_false(glob_match("a", "a", false, &steps));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_pattern_matches_what_it_says),
        cmocka_unit_test(hostile_patterns_take_few_steps),
        cmocka_unit_test(a_long_class_takes_many_steps),
        cmocka_unit_test(without_steps_nothing_matches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
