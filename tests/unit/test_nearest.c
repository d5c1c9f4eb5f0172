/* What is said of an option that is misspelt. */
#include "unit.h"

#include "common/nearest.h"
#include "common/util.h"

static const char *const names[] = {
    "memory",       "memory-floor",
    "meta",         "merge-stderr",
    "timeout",      "cpus",
    "json",         "policy",
    "print-policy", "a-name-that-is-longer-than-thirty-two-letters"};

static void a_misspelt_name_is_recognized(void **state)
{
    (void)state;
    static const struct {
        const char *word, *meant;
    } rows[] = {
        {"tiemout", "timeout"},
        {"timeuot", "timeout"},
        {"time-out", "timeout"},
        {"timeou", "timeout"},
        {"memroy", "memory"},
        {"memory-flor", "memory-floor"},
        {"jsno", "json"},
        {"jason", "json"},
        {"polcy", "policy"},
        {"cpu", "cpus"},
        {"", NULL},
        {"x", NULL},
        {"nonsense", NULL},
        {"wall-time", NULL},
        {"help", NULL},
        {"a-name-that-is-longer-than-thirty-two-letter", NULL},
        {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *found = nearest_name(rows[i].word, names, ARRAY_LEN(names));
        if ((found == NULL) != (rows[i].meant == NULL) ||
            (found != NULL && strcmp(found, rows[i].meant) != 0))
            fail_msg("'%s': %s", rows[i].word, found != NULL ? found : "nothing");
    }
}

static void an_option_is_told_apart_from_one_that_is_too_short(void **state)
{
    (void)state;
    static const struct {
        const char *option, *said;
    } rows[] = {
        {"--tiemout", "there is no option --tiemout, but there is --timeout"},
        {"--tiemout=3", "there is no option --tiemout, but there is --timeout"},
        {"--nonsense", "there is no option --nonsense"},
        {"--", "there is no option --"},
        {"--=x", "there is no option --"},
        {"--me", "--me is short for --memory, --memory-floor, --meta, --merge-stderr: write out "
                 "the one that you mean"},
        {"--p=x", "--p is short for --policy, --print-policy: write out the one that you mean"},
    };
    char text[NEAREST_TEXT_SIZE];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_string_equal(nearest_option(text, rows[i].option, names, ARRAY_LEN(names)),
                            rows[i].said);
}

static void a_long_option_is_cut(void **state)
{
    (void)state;
    char option[1000] = "--", text[NEAREST_TEXT_SIZE];
    memset(option + 2, 'x', sizeof(option) - 3);
    option[sizeof(option) - 1] = '\0';
    assert_true(strlen(nearest_option(text, option, names, ARRAY_LEN(names))) < 120);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_misspelt_name_is_recognized),
        cmocka_unit_test(an_option_is_told_apart_from_one_that_is_too_short),
        cmocka_unit_test(a_long_option_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
