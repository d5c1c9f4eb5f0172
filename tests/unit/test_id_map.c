/* The range of host ids for jobs in user namespaces that have only some ids. */
#include "unit.h"

#include "common/util.h"
#include "core/id_map.h"

#define HOST "         0          0 4294967295\n"
#define ROOTLESS "         0       1000          1\n         1     100000      65536\n"

static void a_range_lies_in_one_line_or_not(void **state)
{
    (void)state;
    static const struct {
        const char *map;
        struct id_range range;
        bool has;
    } rows[] = {
        {HOST, {0, 1}, true},
        {HOST, {1879048192, 65536}, true},
        {HOST, {4294967294, 1}, true},
        {HOST, {4294967294, 2}, false},
        {ROOTLESS, {0, 1}, true},
        {ROOTLESS, {0, 2}, false},
        {ROOTLESS, {1, 65536}, true},
        {ROOTLESS, {1, 65537}, false},
        {ROOTLESS, {1879048192, 1}, false},
        {"", {0, 1}, false},
        {"no map", {0, 1}, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (id_map_has(rows[i].map, rows[i].range) != rows[i].has)
            fail_msg("%s: %u:%u", rows[i].map, rows[i].range.first, rows[i].range.count);
}

static void the_range_keeps_off_users_and_nobody(void **state)
{
    (void)state;
    static const struct {
        const char *map;
        struct id_range chosen;
        uint32_t own;
    } rows[] = {
        {"0 1000 60000\n", {30500, 29500}, 0},
        {"0 2000000 65536\n", {33267, 32267}, 0}, /* a pod with hostUsers: false */
        {ROOTLESS, {33267, 32267}, 0},
        {"0 100000 1000000\n", {934464, 65536}, 0},
        {"0 2000000 65536\n", {33267, 30733}, 64000}, /* and off our own id */
        {"0 2000000 65536\n", {34001, 31533}, 34000},
        {"0 2000000 65536\n", {33267, 32267}, 1000},
        {"0 5 1\n", {0, 0}, 0},
        {"0 100000 1000\n", {0, 0}, 0}, /* these are the system's users */
        {"0 100000 2000\n", {0, 0}, 0}, /* too few to be worth it */
        {"", {0, 0}, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct id_range chosen = id_map_choose(rows[i].map, rows[i].own, 65536);
        if (chosen.count != rows[i].chosen.count || chosen.first != rows[i].chosen.first)
            fail_msg("%s: %u:%u", rows[i].map, chosen.first, chosen.count);
        if (chosen.count > 0)
            assert_true(id_map_has(rows[i].map, chosen));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_range_lies_in_one_line_or_not),
        cmocka_unit_test(the_range_keeps_off_users_and_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
