/* Token buckets, by a clock of the test's own. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "serve/http/rate.h"

#define SECOND INT64_C(1000000)
#define NOW (1000 * SECOND)

static int set_up(void **state)
{
    *state = calloc(1, rates_size());
    rates_begin(*state);
    return 0;
}

static int tear_down(void **state)
{
    free(*state);
    return 0;
}

static void the_burst_goes_through_and_the_next_waits_its_time(void **state)
{
    struct rates *rates = *state;
    for (int i = 0; i < 5; i++)
        assert_int_equal(rates_take(rates, "a", 2, 5, NOW), 0);
    assert_int_equal(rates_take(rates, "a", 2, 5, NOW), 500);
    assert_int_equal(rates_take(rates, "a", 2, 5, NOW + SECOND / 4),
                     250); /* refused: not counted */
}

static void who_waits_as_told_goes_through_and_not_before(void **state)
{
    struct rates *rates = *state;
    int64_t now = NOW;
    assert_int_equal(rates_take(rates, "a", 4, 1, now), 0);
    for (int i = 0; i < 100; i++) {
        int64_t wait = rates_take(rates, "a", 4, 1, now);
        assert_int_equal(wait, 250);
        assert_true(rates_take(rates, "a", 4, 1, now + wait * 1000 - 1000) > 0);
        now += wait * 1000;
        assert_int_equal(rates_take(rates, "a", 4, 1, now), 0);
    }
}

static void a_rest_fills_the_bucket_and_no_more(void **state)
{
    struct rates *rates = *state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(rates_take(rates, "a", 1, 3, NOW), 0);
    assert_true(rates_take(rates, "a", 1, 3, NOW) > 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(rates_take(rates, "a", 1, 3, NOW + 3600 * SECOND), 0);
    assert_true(rates_take(rates, "a", 1, 3, NOW + 3600 * SECOND) > 0);
}

static void clients_do_not_take_from_each_other(void **state)
{
    struct rates *rates = *state;
    char key[32];
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof(key), "10.0.%d.%d", i / 256, i % 256);
        assert_int_equal(rates_take(rates, key, 1, 1, NOW), 0);
    }
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof(key), "10.0.%d.%d", i / 256, i % 256);
        assert_int_equal(rates_take(rates, key, 1, 1, NOW), 1000);
    }
}

/* A million clients: the table stays as it is, and one that asks again and again is still held to
 * its rate while all the others come by. */
static void strangers_do_not_wash_a_busy_client_away(void **state)
{
    struct rates *rates = *state;
    char key[32];
    int64_t taken = 0;
    for (int i = 0; i < 1000000; i++) {
        snprintf(key, sizeof(key), "client %d", i);
        int64_t now = NOW + i;
        rates_take(rates, key, 10, 1, now);
        if (i % 10 == 0) /* 100,000 times within a second */
            taken += rates_take(rates, "busy", 10, 20, now) == 0;
    }
    assert_true(taken >= 29 && taken <= 60); /* 20 at once and 10 a second; races with eviction */
}

static void odd_rates_are_rates(void **state)
{
    struct rates *rates = *state;
    assert_int_equal(rates_take(rates, "slow", 0.001, 1, NOW), 0);
    assert_int_equal(rates_take(rates, "slow", 0.001, 1, NOW), 1000 * 1000);
    assert_int_equal(rates_take(rates, "fast", 1e6, 1, NOW), 0);
    assert_int_equal(rates_take(rates, "fast", 1e6, 1, NOW), 1);
    assert_int_equal(rates_take(rates, "fast", 1e6, 1, NOW + 1), 0);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(the_burst_goes_through_and_the_next_waits_its_time),
        EACH(who_waits_as_told_goes_through_and_not_before),
        EACH(a_rest_fills_the_bucket_and_no_more),
        EACH(clients_do_not_take_from_each_other),
        EACH(strangers_do_not_wash_a_busy_client_away),
        EACH(odd_rates_are_rates),
    };
    return cmocka_run_group_tests_name("rate", tests, NULL, NULL);
}
