/* The table of limits and sb_limit_parse. */
#include "unit.h"

#include "common/util.h"
#include "policy/limit.h"

#define KIB INT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

static void each_limit_has_a_name_an_option_and_a_default_in_its_range(void **state)
{
    (void)state;
    for (int i = 0; i < SB_LIMITS; i++) {
        enum sb_limit limit = (enum sb_limit)i;
        const struct sb_limit_info *info = sb_limit_info(limit);
        assert_non_null(info);
        assert_non_null(info->name);
        assert_non_null(info->option);
        assert_true(strlen(info->meaning) > 0);
        assert_true(info->min >= 1); /* 0 in a request means that it asks for nothing */
        assert_true(info->min <= limit_default(limit));
        assert_true(limit_default(limit) <= info->max);
        assert_int_equal(limit_from_name(info->name), i);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(info->option, sb_limit_info((enum sb_limit)j)->option);
    }
    assert_null(sb_limit_info(SB_LIMITS));
    assert_int_equal(limit_from_name("memory"), -1);
}

static void limits_that_are_unset_are_all_unset(void **state)
{
    (void)state;
    struct sb_limits limits = sb_limits_unset();
    for (int i = 0; i < SB_LIMITS; i++)
        assert_int_equal(limits.value[i], SB_UNSET);
}

static void the_list_of_names_holds_every_name(void **state)
{
    (void)state;
    char names[LIMIT_NAMES_SIZE];
    limit_names(names);
    for (int i = 0; i < SB_LIMITS; i++)
        assert_non_null(strstr(names, sb_limit_info((enum sb_limit)i)->name));
}

static const struct {
    enum sb_limit limit;
    const char *text;
    int64_t value;
} good[] = {
    {SB_WALL_TIME_MS, "10", 10000},
    {SB_WALL_TIME_MS, "1.5", 1500},
    {SB_WALL_TIME_MS, ".5", 500},
    {SB_WALL_TIME_MS, "10s", 10000},
    {SB_WALL_TIME_MS, "500ms", 500},
    {SB_WALL_TIME_MS, "1ms", 1},
    {SB_WALL_TIME_MS, "0.001", 1},
    {SB_WALL_TIME_MS, "0.0005", 1}, /* to the nearest */
    {SB_WALL_TIME_MS, "2m", 120000},
    {SB_WALL_TIME_MS, "0.5m", 30000},
    {SB_WALL_TIME_MS, "1h", 3600000},
    {SB_WALL_TIME_MS, "24h", 86400000},
    {SB_WALL_TIME_MS, "00010", 10000},
    {SB_WALL_TIME_MS, "1.50000000000000000000000000000000000000000001", 1500},
    {SB_CPU_TIME_MS, "86400", 86400000},
    {SB_MEMORY_BYTES, "128M", 128 * MIB},
    {SB_MEMORY_BYTES, "128m", 128 * MIB},
    {SB_MEMORY_BYTES, "128MiB", 128 * MIB},
    {SB_MEMORY_BYTES, "134217728", 128 * MIB},
    {SB_MEMORY_BYTES, "134217728B", 128 * MIB},
    {SB_MEMORY_BYTES, "1G", GIB},
    {SB_MEMORY_BYTES, "1.5G", GIB + 512 * MIB},
    {SB_MEMORY_BYTES, "1T", 1024 * GIB},
    {SB_MEMORY_BYTES, "1TiB", 1024 * GIB},
    {SB_MEMORY_BYTES, "8M", 8 * MIB},
    {SB_OUTPUT_BYTES, "1", 1},
    {SB_OUTPUT_BYTES, "64K", 64 * KIB},
    {SB_OUTPUT_BYTES, "0.3K", 307},
    {SB_TMP_BYTES, "64KiB", 64 * KIB},
    {SB_RESULT_BYTES, "1B", 1},
    {SB_MILLICPUS, "0.5", 500},
    {SB_MILLICPUS, "1", 1000},
    {SB_MILLICPUS, "0.01", 10},
    {SB_MILLICPUS, "1024", 1024000},
    {SB_PIDS, "1", 1},
    {SB_PIDS, "1000000", 1000000},
    {SB_CODE_CHARS, "5000", 5000},
};

static void what_a_person_writes_is_understood(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct sb_error err = {0};
        int64_t value = -7;
        if (sb_limit_parse(good[i].limit, good[i].text, &value, &err) < 0)
            fail_msg("\"%s\": %s", good[i].text, err.message);
        if (value != good[i].value)
            fail_msg("\"%s\" is %lld", good[i].text, (long long)value);
    }
}

static const struct {
    enum sb_limit limit;
    const char *text;
    const char *says[3];
} bad[] = {
    {SB_WALL_TIME_MS, "", {"--timeout", "500ms", "0.001 seconds to 86400 seconds"}},
    {SB_WALL_TIME_MS, " 10", {"--timeout", "\" 10\""}},
    {SB_WALL_TIME_MS, "10 ", {"--timeout"}},
    {SB_WALL_TIME_MS, "10 s", {"--timeout"}},
    {SB_WALL_TIME_MS, "ten", {"--timeout", "\"ten\""}},
    {SB_WALL_TIME_MS, "-1", {"--timeout", "\"-1\""}},
    {SB_WALL_TIME_MS, "+1", {"--timeout"}},
    {SB_WALL_TIME_MS, "1e3", {"--timeout"}},
    {SB_WALL_TIME_MS, "0x10", {"--timeout"}},
    {SB_WALL_TIME_MS, "nan", {"--timeout"}},
    {SB_WALL_TIME_MS, "inf", {"--timeout"}},
    {SB_WALL_TIME_MS, "1,5", {"--timeout"}},
    {SB_WALL_TIME_MS, "1.", {"--timeout"}},
    {SB_WALL_TIME_MS, ".", {"--timeout"}},
    {SB_WALL_TIME_MS, ".s", {"--timeout"}},
    {SB_WALL_TIME_MS, "s", {"--timeout"}},
    {SB_WALL_TIME_MS, "1.5.5", {"--timeout"}},
    {SB_WALL_TIME_MS, "0.5ms", {"--timeout"}},
    {SB_WALL_TIME_MS, "2M", {"--timeout", "s, m or h"}}, /* minutes or months? */
    {SB_WALL_TIME_MS, "1h30m", {"--timeout"}},
    {SB_WALL_TIME_MS, "1d", {"--timeout"}},
    {SB_WALL_TIME_MS, "0", {"--timeout can't be 0", "0.001 seconds", "86400 seconds"}},
    {SB_WALL_TIME_MS, "0.0001", {"--timeout", "0.001 seconds"}},
    {SB_WALL_TIME_MS, "25h", {"--timeout can't be 25h", "86400 seconds"}},
    {SB_WALL_TIME_MS,
     "99999999999999999999999999999999999999h",
     {"--timeout", "give a value from"}},
    {SB_WALL_TIME_MS, "9223372036854775807", {"--timeout", "give a value from"}},
    {SB_WALL_TIME_MS, "9223372036854775808", {"--timeout", "give a value from"}},
    {SB_WALL_TIME_MS, "18446744073709551617", {"--timeout", "give a value from"}}, /* 2^64 + 1 */
    {SB_CPU_TIME_MS, "x", {"--cpu-time"}},
    {SB_MEMORY_BYTES, "12Q", {"--memory", "K, M, G or T", "8 MiB to 1 TiB"}},
    {SB_MEMORY_BYTES, "128MB", {"--memory"}}, /* a million or a mebi? */
    {SB_MEMORY_BYTES, "1.5", {"--memory"}},
    {SB_MEMORY_BYTES, "M", {"--memory"}},
    {SB_MEMORY_BYTES, "128 M", {"--memory"}},
    {SB_MEMORY_BYTES, "8388607", {"--memory", "8 MiB"}},
    {SB_MEMORY_BYTES, "1.0001T", {"--memory", "1 TiB"}},
    {SB_MEMORY_BYTES, "16777216T", {"--memory", "1 TiB"}}, /* 2^64 bytes */
    {SB_MEMORY_BYTES, "18446744073709551615T", {"--memory", "1 TiB"}},
    {SB_MILLICPUS, "0.001", {"--cpus", "0.01 CPUs", "1024 CPUs"}},
    {SB_MILLICPUS, "1025", {"--cpus", "1024 CPUs"}},
    {SB_MILLICPUS, "50%", {"--cpus", "0.5"}},
    {SB_PIDS, "0", {"--pids", "from 1 to 1000000"}},
    {SB_PIDS, "1.5", {"--pids", "whole number"}},
    {SB_PIDS, "1.0", {"--pids", "whole number"}},
    {SB_PIDS, "1k", {"--pids", "whole number"}},
    {SB_OUTPUT_BYTES, "0", {"--output can't be 0", "from 1 byte", "1 GiB"}},
    {SB_OUTPUT_BYTES, "0.0001K", {"--output", "from 1 byte"}}, /* to the nearest: none */
    {SB_OUTPUT_BYTES, "2G", {"--output", "1 GiB"}},
    {SB_OPEN_FILES, "7", {"--open-files", "from 8"}},
    {SB_TMP_BYTES, "0", {"--tmp", "64 KiB"}}, /* "no limit" to tmpfs */
    {SB_TMP_FILES, "0", {"--tmp-files", "from 16"}},
    {SB_CODE_CHARS, "0", {"--code-chars", "1 character to 100000000 characters"}},
    {SB_RESULT_BYTES, "0", {"--result can't be 0", "from 1 byte", "64 MiB"}},
    {SB_RESULT_BYTES, "65M", {"--result", "64 MiB"}},
};

static void what_can_not_be_a_limit_is_refused_with_option_and_range(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct sb_error err = {0};
        int64_t value = -7;
        if (sb_limit_parse(bad[i].limit, bad[i].text, &value, &err) == 0)
            fail_msg("\"%s\" was taken as %lld", bad[i].text, (long long)value);
        assert_int_equal(value, -7);
        assert_sentence(&err);
        assert_true(strncmp(err.field, "--", 2) == 0);
        assert_string_equal(err.field + 2, sb_limit_info(bad[i].limit)->option);
        for (size_t j = 0; j < ARRAY_LEN(bad[i].says) && bad[i].says[j] != NULL; j++)
            assert_says(&err, bad[i].says[j]);
    }
}

static void a_missing_text_or_limit_is_an_error(void **state)
{
    (void)state;
    int64_t value;
    assert_int_equal(sb_limit_parse(SB_PIDS, NULL, &value, NULL), -1);
    assert_int_equal(sb_limit_parse(SB_LIMITS, "1", &value, NULL), -1);
}

static void a_long_text_does_not_crowd_out_what_is_allowed(void **state)
{
    (void)state;
    char text[4096];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    struct sb_error err = {0};
    int64_t value;
    assert_int_equal(sb_limit_parse(SB_MEMORY_BYTES, text, &value, &err), -1);
    assert_sentence(&err);
    assert_says(&err, "1 TiB");
}

static const struct {
    enum sb_limit limit;
    int64_t value;
    const char *text;
} said[] = {
    {SB_WALL_TIME_MS, 10000, "10 seconds"},
    {SB_WALL_TIME_MS, 1000, "1 second"},
    {SB_WALL_TIME_MS, 1500, "1.5 seconds"},
    {SB_WALL_TIME_MS, 1, "0.001 seconds"},
    {SB_WALL_TIME_MS, 0, "0 seconds"},
    {SB_MEMORY_BYTES, 128 * MIB, "128 MiB"},
    {SB_MEMORY_BYTES, 1536, "1536 bytes"},
    {SB_MEMORY_BYTES, 1024 * GIB, "1 TiB"},
    {SB_OUTPUT_BYTES, 0, "0 bytes"},
    {SB_OUTPUT_BYTES, 1, "1 byte"},
    {SB_MILLICPUS, 500, "0.5 CPUs"},
    {SB_MILLICPUS, 1000, "1 CPU"},
    {SB_MILLICPUS, 10000, "10 CPUs"},
    {SB_PIDS, 64, "64"},
    {SB_CODE_CHARS, 5000, "5000 characters"},
    {SB_WALL_TIME_MS, INT64_MAX, "9223372036854775.807 seconds"},
};

static void a_value_is_said_as_a_person_says_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(said); i++) {
        char text[LIMIT_TEXT_SIZE];
        assert_string_equal(limit_text(text, said[i].limit, said[i].value), said[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_limit_has_a_name_an_option_and_a_default_in_its_range),
        cmocka_unit_test(limits_that_are_unset_are_all_unset),
        cmocka_unit_test(the_list_of_names_holds_every_name),
        cmocka_unit_test(what_a_person_writes_is_understood),
        cmocka_unit_test(what_can_not_be_a_limit_is_refused_with_option_and_range),
        cmocka_unit_test(a_missing_text_or_limit_is_an_error),
        cmocka_unit_test(a_long_text_does_not_crowd_out_what_is_allowed),
        cmocka_unit_test(a_value_is_said_as_a_person_says_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
