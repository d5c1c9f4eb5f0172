/* Lines of /etc/subuid and /etc/subgid: which is a user's, and which range it gives. */
#include "unit.h"

#include "common/util.h"
#include "core/subids.h"

static const struct {
    const char *line;
    uint32_t first, count; /* 0: it gives the user "alice", uid 1001, none */
} cases[] = {
    {"alice:100000:65536\n", 100000, 65536},
    {"alice:100000:65536", 100000, 65536},
    {"1001:100000:65536\n", 100000, 65536},
    {"alice:1:4294967294\n", 1, 4294967294},
    /* Another's. */
    {"alicia:100000:65536\n", 0, 0},
    {"alic:100000:65536\n", 0, 0},
    {"10010:100000:65536\n", 0, 0},
    {"01001:100000:65536\n", 0, 0},
    {"# alice:100000:65536\n", 0, 0},
    /* Ranges with the host's root, with (uid_t)-1, that wrap, that are none. */
    {"alice:0:65536\n", 0, 0},
    {"alice:4294967295:1\n", 0, 0},
    {"alice:4294967290:6\n", 0, 0},
    {"alice:4294967290:5\n", 4294967290, 5},
    {"alice:2:4294967295\n", 0, 0},
    {"alice:4294967297:65536\n", 0, 0},
    {"alice:99999999999999999999999:65536\n", 0, 0},
    {"alice:100000:0\n", 0, 0},
    {"alice:-1:65536\n", 0, 0},
    {"alice:+1:65536\n", 0, 0},
    {"alice: 100000:65536\n", 0, 0},
    {"alice:100000:65536 \n", 0, 0},
    {"alice:100000:65536:1\n", 0, 0},
    {"alice:0x100:65536\n", 0, 0},
    {"alice:100000\n", 0, 0},
    {"alice:100000:\n", 0, 0},
    {"alice::65536\n", 0, 0},
    {"alice:\n", 0, 0},
    {"alice\n", 0, 0},
    {"alice", 0, 0},
    {":100000:65536\n", 0, 0},
    {"\n", 0, 0},
    {"", 0, 0},
};

static void a_line_gives_a_range_or_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint32_t first = 0, count = 0;
        bool given = subids_line(cases[i].line, "alice", 1001, &first, &count);
        if (given != (cases[i].count > 0) ||
            (given && (first != cases[i].first || count != cases[i].count)))
            fail_msg("\"%s\": %d %u %u", cases[i].line, given, first, count);
    }
}

/* A user that no file of users has is known by number alone. */
static void who_has_no_name_is_not_everybody(void **state)
{
    (void)state;
    uint32_t first, count;
    assert_false(subids_line(":100000:65536\n", "", 1001, &first, &count));
    assert_true(subids_line("1001:100000:65536\n", "", 1001, &first, &count));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_line_gives_a_range_or_none),
                                       cmocka_unit_test(who_has_no_name_is_not_everybody)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
