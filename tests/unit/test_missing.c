/* Names of what a job may do without. */
#include "unit.h"

#include <string.h>

#include "common/util.h"
#include "policy/missing.h"

static void each_bit_has_a_name_that_is_read_back(void **state)
{
    (void)state;
    unsigned all = 0, read;
    for (unsigned bit = 1; bit <= SB_MISSING_ALL; bit <<= 1) {
        assert_non_null(missing_name(bit));
        assert_int_equal(sb_missing_parse(missing_name(bit), &read, NULL), 0);
        assert_int_equal(read, bit);
        all |= bit;
    }
    assert_int_equal(all, SB_MISSING_ALL);
    char names[MISSING_NAMES_SIZE];
    assert_int_equal(sb_missing_parse(missing_names(names), &read, NULL), 0);
    assert_int_equal(read, SB_MISSING_ALL);
    assert_null(missing_name(0));
    assert_null(missing_name(SB_MISSING_MEMORY | SB_MISSING_PROC));
}

static void lists_have_commas(void **state)
{
    (void)state;
    unsigned read;
    assert_int_equal(sb_missing_parse("memory,proc", &read, NULL), 0);
    assert_int_equal(read, SB_MISSING_MEMORY | SB_MISSING_PROC);
    assert_int_equal(sb_missing_parse(" memory , proc,memory ", &read, NULL), 0);
    assert_int_equal(read, SB_MISSING_MEMORY | SB_MISSING_PROC);
}

static void what_is_no_name_is_refused_with_all_names(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",       ",",          "memor",       "memoryy",
                                        "Memory", "memory,",    ",memory",     "memory,all",
                                        "all",    "namespaces", "memory proc", "memory;proc"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        unsigned read = SB_MISSING_ALL;
        struct sb_error err;
        if (sb_missing_parse(wrong[i], &read, &err) == 0 || read != 0)
            fail_msg("\"%s\" is taken", wrong[i]);
        assert_string_equal(err.field, "allow-missing");
        if (strstr(err.message, "commas") == NULL && strstr(err.message, "cpu_time") == NULL)
            fail_msg("%s", err.message);
    }
    struct sb_error err;
    unsigned read;
    assert_int_equal(sb_missing_parse(NULL, &read, &err), -1);
    assert_int_equal(sb_missing_parse("memory", NULL, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_bit_has_a_name_that_is_read_back),
        cmocka_unit_test(lists_have_commas),
        cmocka_unit_test(what_is_no_name_is_refused_with_all_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
