/* Admission: bounds, turns, the memory that is promised, who is refused, and when to come again. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/util.h"
#include "serve/jobs/admit.h"

#define SECOND INT64_C(1000000)
#define MIB (INT64_C(1) << 20)

static const struct admit_bounds wide = {
    .jobs = 100,
    .millicpus = 100 * 1000,
    .memory_bytes = 1024 * MIB,
    .patience_us = SECOND / 4,
    .queue = 100,
    .queue_bytes = 1024 * MIB,
    .queue_time_us = 30 * SECOND,
};

static struct admit *open_with(struct admit_bounds bounds)
{
    struct admit *admit;
    assert_int_equal(admit_open(&admit, &bounds), 0);
    return admit;
}

static void enter(struct admit *admit, struct ticket *ticket, const char *client, int64_t now_us)
{
    if (ticket->memory_bytes == 0)
        ticket->memory_bytes = MIB;
    assert_int_equal(admit_enter(admit, ticket, client, 0, now_us), 0);
}

static void as_many_run_as_may(void **state)
{
    (void)state;
    struct admit_bounds bounds = wide;
    bounds.jobs = 2;
    struct admit *admit = open_with(bounds);
    struct ticket tickets[4] = {0};
    for (int i = 0; i < 4; i++)
        enter(admit, &tickets[i], "a", i);
    assert_ptr_equal(admit_next(admit, 10), &tickets[0]);
    assert_ptr_equal(admit_next(admit, 10), &tickets[1]);
    assert_null(admit_next(admit, 10));
    assert_int_equal(admit_counts(admit).running, 2);
    assert_int_equal(admit_counts(admit).waiting, 2);
    admit_leave(admit, &tickets[1], 20);
    assert_ptr_equal(admit_next(admit, 20), &tickets[2]);
    assert_null(admit_next(admit, 20));
    for (int i = 0; i < 4; i++)
        admit_leave(admit, &tickets[i], 30); /* one is outside already, one waits */
    assert_int_equal(admit_counts(admit).running, 0);
    assert_int_equal(admit_counts(admit).waiting, 0);
    assert_int_equal(admit_counts(admit).promised_bytes, 0);
    admit_close(admit);
}

/* In the order of the turns, whatever it is. */
static void a_ticket_knows_its_place(void **state)
{
    (void)state;
    struct admit_bounds bounds = wide;
    bounds.jobs = 1;
    struct admit *admit = open_with(bounds);
    static const char *const clients[] = {"a", "a", "a", "a", "b", "c", "c", "b", "a", "d"};
    struct ticket tickets[ARRAY_LEN(clients)] = {0}, *running;
    for (size_t i = 0; i < ARRAY_LEN(clients); i++)
        enter(admit, &tickets[i], clients[i], 1);
    for (size_t done = 0; done < ARRAY_LEN(clients); done++) {
        int64_t place[ARRAY_LEN(clients)], sum = 0;
        for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
            place[i] = tickets[i].state == TICKET_WAITING ? admit_position(admit, &tickets[i]) : 0;
            sum += place[i];
        }
        assert_int_equal(admit_positions(admit), 0);
        for (size_t i = 0; i < ARRAY_LEN(clients); i++)
            if (tickets[i].state == TICKET_WAITING)
                assert_int_equal(tickets[i].position, place[i]);
        int64_t left = (int64_t)(ARRAY_LEN(clients) - done);
        assert_int_equal(sum, left * (left + 1) / 2);
        running = admit_next(admit, 2);
        assert_non_null(running);
        assert_int_equal(place[running - tickets], 1);
        admit_leave(admit, running, 3);
    }
    assert_null(admit_next(admit, 4));
    admit_close(admit);
}

static void while_it_is_held_nobodys_turn_comes(void **state)
{
    (void)state;
    struct admit *admit = open_with(wide);
    struct ticket tickets[2] = {0};
    enter(admit, &tickets[0], "a", 1);
    admit_hold(admit, true);
    assert_null(admit_next(admit, 10));
    enter(admit, &tickets[1], "b", 1);
    assert_null(admit_next(admit, 20 * SECOND)); /* however patient */
    admit_hold(admit, false);
    assert_ptr_equal(admit_next(admit, 20 * SECOND), &tickets[0]);
    assert_ptr_equal(admit_next(admit, 20 * SECOND), &tickets[1]);
    admit_close(admit);
}

static void clients_take_turns_whoever_has_more(void **state)
{
    (void)state;
    struct admit_bounds bounds = wide;
    bounds.jobs = 1;
    struct admit *admit = open_with(bounds);
    struct ticket greedy[100] = {0}, modest[2] = {0}, third = {0};
    for (int i = 0; i < 100; i++)
        enter(admit, &greedy[i], "greedy", i);
    assert_ptr_equal(admit_next(admit, 100), &greedy[0]);
    enter(admit, &modest[0], "modest", 101);
    enter(admit, &modest[1], "modest", 102);
    enter(admit, &third, "third", 103);
    struct ticket *const expected[] = {&greedy[1], &modest[0], &third,    &greedy[2],
                                       &modest[1], &greedy[3], &greedy[4]};
    struct ticket *running = &greedy[0];
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        admit_leave(admit, running, 200);
        running = admit_next(admit, 200);
        assert_ptr_equal(running, expected[i]);
        assert_null(admit_next(admit, 200));
    }
    admit_close(admit);
}

static void a_client_has_no_more_jobs_than_it_may_and_holds_nobody_up(void **state)
{
    (void)state;
    struct admit *admit = open_with(wide);
    struct ticket mine[3] = {0}, other = {0};
    for (int i = 0; i < 3; i++) {
        mine[i].memory_bytes = MIB;
        assert_int_equal(admit_enter(admit, &mine[i], "token a", 2, i), 0);
    }
    enter(admit, &other, "b", 4);
    assert_ptr_equal(admit_next(admit, 5), &mine[0]);
    assert_ptr_equal(admit_next(admit, 5), &other);
    assert_ptr_equal(admit_next(admit, 5), &mine[1]);
    assert_null(admit_next(admit, 5));
    admit_leave(admit, &other, 6);
    assert_null(admit_next(admit, 6));
    admit_leave(admit, &mine[0], 7);
    assert_ptr_equal(admit_next(admit, 7), &mine[2]);
    admit_close(admit);
}

static void no_more_memory_is_promised_than_there_is(void **state)
{
    (void)state;
    struct admit_bounds bounds = wide;
    bounds.memory_bytes = 300 * MIB;
    struct admit *admit = open_with(bounds);
    struct ticket tickets[3] = {0};
    for (int i = 0; i < 3; i++) {
        tickets[i].memory_bytes = 128 * MIB;
        enter(admit, &tickets[i], "a", i);
    }
    assert_non_null(admit_next(admit, 5));
    assert_non_null(admit_next(admit, 5));
    assert_null(admit_next(admit, 5));
    assert_int_equal(admit_counts(admit).promised_bytes, 256 * MIB);
    admit_leave(admit, &tickets[0], 6);
    assert_ptr_equal(admit_next(admit, 6), &tickets[2]);
    admit_close(admit);
}

static void a_job_that_needs_all_memory_gets_it_though_small_ones_keep_coming(void **state)
{
    (void)state;
    struct admit_bounds bounds = wide;
    bounds.memory_bytes = 100 * MIB;
    struct admit *admit = open_with(bounds);
    struct ticket small[40] = {0}, large = {.memory_bytes = 100 * MIB};
    int next = 0;
    for (; next < 4; next++) {
        small[next].memory_bytes = 20 * MIB;
        enter(admit, &small[next], "small", next);
        assert_ptr_equal(admit_next(admit, 5), &small[next]);
    }
    enter(admit, &large, "large", 6);
    for (int ended = 0; ended < 4; ended++) {
        assert_null(admit_next(admit, 7));
        small[next].memory_bytes = 20 * MIB;
        enter(admit, &small[next++], "small", 7);
        admit_leave(admit, &small[ended], 8);
    }
    assert_ptr_equal(admit_next(admit, 9), &large);
    assert_null(admit_next(admit, 9));
    admit_leave(admit, &large, 10);
    for (int i = 0; i < 4; i++)
        assert_non_null(admit_next(admit, 11));
    admit_close(admit);
}

static void a_full_queue_takes_from_who_has_most_in_it(void **state)
{
    (void)state;
    struct admit_bounds bounds = wide;
    bounds.jobs = 1;
    bounds.queue = 4;
    struct admit *admit = open_with(bounds);
    struct ticket greedy[6] = {0}, modest = {0}, third = {0};
    for (int i = 0; i < 5; i++)
        enter(admit, &greedy[i], "greedy", i);
    assert_ptr_equal(admit_next(admit, 5), &greedy[0]);
    assert_null(admit_overflow(admit));

    enter(admit, &greedy[5], "greedy", 6); /* its own last */
    assert_ptr_equal(admit_overflow(admit), &greedy[5]);
    admit_leave(admit, &greedy[5], 6);
    assert_null(admit_overflow(admit));

    enter(admit, &modest, "modest", 7);
    assert_ptr_equal(admit_overflow(admit), &greedy[4]);
    admit_leave(admit, &greedy[4], 7);
    enter(admit, &third, "third", 8);
    assert_ptr_equal(admit_overflow(admit), &greedy[3]);
    admit_leave(admit, &greedy[3], 8);
    assert_null(admit_overflow(admit));
    assert_int_equal(admit_counts(admit).waiting, 4);
    admit_close(admit);
}

static void of_two_with_as_much_the_one_that_came_last_is_refused(void **state)
{
    (void)state;
    struct admit_bounds bounds = wide;
    bounds.jobs = 0;
    bounds.queue = 2;
    struct admit *admit = open_with(bounds);
    struct ticket tickets[3] = {0};
    static const char *const clients[] = {"a", "b", "c"};
    for (int i = 0; i < 3; i++)
        enter(admit, &tickets[i], clients[i], i);
    assert_ptr_equal(admit_overflow(admit), &tickets[2]);
    admit_close(admit);
}

static void no_queue_means_now_or_never(void **state)
{
    (void)state;
    struct admit_bounds bounds = wide;
    bounds.jobs = 1;
    bounds.queue = 0;
    struct admit *admit = open_with(bounds);
    struct ticket first = {0}, second = {0};
    enter(admit, &first, "a", 0);
    assert_ptr_equal(admit_next(admit, 0), &first);
    assert_null(admit_overflow(admit));
    enter(admit, &second, "b", 1);
    assert_null(admit_next(admit, 1));
    assert_ptr_equal(admit_overflow(admit), &second);
    admit_close(admit);
}

static void large_bodies_fill_a_queue_too(void **state)
{
    (void)state;
    struct admit_bounds bounds = wide;
    bounds.jobs = 0;
    bounds.queue_bytes = 10 * MIB;
    struct admit *admit = open_with(bounds);
    struct ticket large[2] = {{.size = 4 * MIB}, {.size = 4 * MIB}}, small[3] = {0};
    for (int i = 0; i < 3; i++) {
        small[i].size = MIB;
        enter(admit, &small[i], "small", i);
    }
    enter(admit, &large[0], "large", 3);
    assert_null(admit_overflow(admit));
    enter(admit, &large[1], "large", 4);
    assert_ptr_equal(admit_overflow(admit), &large[1]);
    admit_leave(admit, &large[1], 4);
    assert_null(admit_overflow(admit));
    admit_close(admit);
}

static void who_waits_too_long_is_told_oldest_first(void **state)
{
    (void)state;
    struct admit_bounds bounds = wide;
    bounds.jobs = 0;
    bounds.queue_time_us = SECOND;
    struct admit *admit = open_with(bounds);
    struct ticket tickets[2] = {0};
    assert_int_equal(admit_expiry_us(admit), -1);
    enter(admit, &tickets[0], "a", 5);
    enter(admit, &tickets[1], "b", 10);
    assert_int_equal(admit_expiry_us(admit), SECOND + 5);
    assert_null(admit_expired(admit, SECOND + 4));
    assert_ptr_equal(admit_expired(admit, SECOND + 5), &tickets[0]);
    admit_leave(admit, &tickets[0], SECOND + 5);
    assert_null(admit_expired(admit, SECOND + 5));
    assert_int_equal(admit_expiry_us(admit), SECOND + 10);
    admit_leave(admit, &tickets[1], SECOND + 6);
    assert_int_equal(admit_expiry_us(admit), -1);
    admit_close(admit);
}

/* ── Long jobs ─────────────────────────────────────────────────────────────────────────────── */

static void while_jobs_want_all_cpus_no_other_is_started(void **state)
{
    (void)state;
    struct admit_bounds bounds = wide;
    bounds.millicpus = 4000;
    struct admit *admit = open_with(bounds);
    struct ticket tickets[24] = {0};
    for (int i = 0; i < 24; i++) {
        tickets[i].millicpus = 250; /* nobody knows yet */
        enter(admit, &tickets[i], "a", i);
    }
    for (int i = 0; i < 16; i++)
        assert_ptr_equal(admit_next(admit, 30), &tickets[i]);
    assert_null(admit_next(admit, 30));
    assert_true(admit_is_busy(admit));
    for (int i = 0; i < 16; i++)
        admit_want(admit, &tickets[i], i < 4 ? 1000 : 0);
    assert_null(admit_next(admit, 30));
    admit_want(admit, &tickets[3], 900);
    assert_false(admit_is_busy(admit));
    assert_ptr_equal(admit_next(admit, 30), &tickets[16]);
    assert_null(admit_next(admit, 30));
    admit_leave(admit, &tickets[0], 40);
    assert_int_equal(admit_counts(admit).millicpus, 3150);
    assert_ptr_equal(admit_next(admit, 40), &tickets[17]);
    for (int i = 1; i < 24; i++)
        admit_leave(admit, &tickets[i], 50);
    assert_int_equal(admit_counts(admit).millicpus, 0);
    admit_close(admit);
}

static void
a_client_that_has_none_running_waits_for_those_of_others_so_long_and_no_longer(void **state)
{
    (void)state;
    for (int64_t jobs = 1; jobs <= 4; jobs += 3) {
        struct admit_bounds bounds = wide;
        bounds.jobs = jobs;
        bounds.extra_jobs = 1;
        struct admit *admit = open_with(bounds);
        struct ticket sleepers[10] = {0}, short_ones[3] = {0}, other = {0};
        for (int i = 0; i < 10; i++)
            enter(admit, &sleepers[i], "sleepers", 0);
        for (int i = 0; i < jobs; i++)
            assert_ptr_equal(admit_next(admit, 1), &sleepers[i]);
        assert_null(admit_next(admit, 10 * SECOND)); /* it has some running */
        assert_int_equal(admit_impatient_us(admit), -1);
        for (int i = 0; i < 3; i++)
            enter(admit, &short_ones[i], "short", 10 * SECOND);
        assert_int_equal(admit_impatient_us(admit), 10 * SECOND + SECOND / 4);
        assert_null(admit_next(admit, 10 * SECOND + SECOND / 4 - 1));
        assert_ptr_equal(admit_next(admit, 10 * SECOND + SECOND / 4), &short_ones[0]);
        assert_null(admit_next(admit, 11 * SECOND)); /* one at a time */
        assert_int_equal(admit_impatient_us(admit), -1);
        enter(admit, &other, "other", 11 * SECOND);
        assert_null(admit_next(admit, 12 * SECOND)); /* the place is taken */
        admit_leave(admit, &short_ones[0], 12 * SECOND);
        assert_ptr_equal(admit_next(admit, 12 * SECOND), &short_ones[1]);
        admit_leave(admit, &short_ones[1], 12 * SECOND);
        assert_ptr_equal(admit_next(admit, 12 * SECOND), &other);
        assert_int_equal(admit_counts(admit).running, jobs + 1);
        admit_close(admit);
    }
}

static void a_place_beside_the_others_becomes_one_of_them_when_one_of_them_ends(void **state)
{
    (void)state;
    struct admit_bounds bounds = wide;
    bounds.jobs = 2;
    bounds.extra_jobs = 1;
    struct admit *admit = open_with(bounds);
    struct ticket sleepers[3] = {0}, guests[2] = {0};
    for (int i = 0; i < 3; i++)
        enter(admit, &sleepers[i], "sleepers", 0);
    admit_next(admit, 0);
    admit_next(admit, 0);
    enter(admit, &guests[0], "b", 0);
    enter(admit, &guests[1], "c", 0);
    assert_ptr_equal(admit_next(admit, SECOND), &guests[0]);
    assert_null(admit_next(admit, SECOND));
    admit_leave(admit, &sleepers[0], SECOND);
    assert_ptr_equal(admit_next(admit, SECOND), &guests[1]);
    assert_int_equal(admit_counts(admit).running, 3);
    admit_leave(admit, &guests[0], SECOND);
    admit_leave(admit, &guests[1], SECOND);
    assert_ptr_equal(admit_next(admit, SECOND), &sleepers[2]);
    assert_int_equal(admit_counts(admit).running, 2);
    admit_close(admit);
}

static void cpus_that_others_want_do_not_shut_a_client_out(void **state)
{
    (void)state;
    struct admit_bounds bounds = wide;
    bounds.extra_jobs = 25;
    bounds.millicpus = 8000;
    struct admit *admit = open_with(bounds);
    struct ticket busy[8] = {0}, others[3] = {0};
    static const char *const clients[] = {"b", "c", "d"};
    for (int i = 0; i < 8; i++) {
        busy[i].millicpus = 1000;
        enter(admit, &busy[i], "busy", 0);
        assert_ptr_equal(admit_next(admit, 0), &busy[i]);
    }
    for (int i = 0; i < 3; i++)
        enter(admit, &others[i], clients[i], 0);
    assert_null(admit_next(admit, 0));
    /* A quarter more than there are CPUs. */
    assert_ptr_equal(admit_next(admit, SECOND), &others[0]);
    assert_ptr_equal(admit_next(admit, SECOND), &others[1]);
    assert_null(admit_next(admit, SECOND));
    admit_close(admit);
}

static void who_has_jobs_running_leaves_memory_to_those_who_have_none(void **state)
{
    (void)state;
    struct admit_bounds bounds = wide;
    bounds.memory_bytes = 1000 * MIB;
    bounds.reserve_bytes = 125 * MIB;
    struct admit *admit = open_with(bounds);
    struct ticket sleepers[10] = {0}, others[3] = {0};
    static const char *const clients[] = {"b", "c", "d"};
    for (int i = 0; i < 10; i++) {
        sleepers[i].memory_bytes = 100 * MIB;
        enter(admit, &sleepers[i], "sleepers", 0);
    }
    for (int i = 0; i < 8; i++)
        assert_ptr_equal(admit_next(admit, 0), &sleepers[i]);
    assert_null(admit_next(admit, SECOND));
    for (int i = 0; i < 3; i++) {
        others[i].memory_bytes = 60 * MIB;
        enter(admit, &others[i], clients[i], SECOND);
    }
    assert_null(admit_next(admit, SECOND)); /* those that are first hold their turn */
    assert_int_equal(admit_impatient_us(admit), SECOND + SECOND / 4);
    assert_ptr_equal(admit_next(admit, 2 * SECOND), &others[0]);
    assert_ptr_equal(admit_next(admit, 2 * SECOND), &others[1]);
    assert_null(admit_next(admit, 2 * SECOND)); /* the reserve is used up */
    admit_leave(admit, &others[0], 2 * SECOND);
    assert_ptr_equal(admit_next(admit, 2 * SECOND), &others[2]);
    /* What those have got is not taken from the others. */
    admit_leave(admit, &sleepers[0], 3 * SECOND);
    assert_ptr_equal(admit_next(admit, 3 * SECOND), &sleepers[8]);
    admit_close(admit);
}

static void a_client_alone_may_have_all_memory_for_one_job(void **state)
{
    (void)state;
    struct admit_bounds bounds = wide;
    bounds.memory_bytes = 1000 * MIB;
    bounds.reserve_bytes = 125 * MIB;
    struct admit *admit = open_with(bounds);
    struct ticket large[2] = {{.memory_bytes = 1000 * MIB}, {.memory_bytes = 1000 * MIB}};
    struct ticket small = {.memory_bytes = 60 * MIB};
    enter(admit, &large[0], "a", 0);
    enter(admit, &large[1], "a", 0);
    assert_ptr_equal(admit_next(admit, 0), &large[0]);
    enter(admit, &small, "b", 0);
    assert_null(admit_next(admit, SECOND));
    admit_leave(admit, &large[0], SECOND);
    assert_ptr_equal(admit_next(admit, SECOND), &large[1]);
    admit_close(admit);
}

static void a_job_that_needs_the_reserve_as_well_gets_it_though_small_ones_keep_coming(void **state)
{
    (void)state;
    struct admit_bounds bounds = wide;
    bounds.memory_bytes = 1000 * MIB;
    bounds.reserve_bytes = 125 * MIB;
    struct admit *admit = open_with(bounds);
    struct ticket first = {.memory_bytes = 60 * MIB}, large = {.memory_bytes = 950 * MIB};
    struct ticket small = {.memory_bytes = 60 * MIB};
    enter(admit, &first, "a", 0);
    assert_ptr_equal(admit_next(admit, 0), &first);
    enter(admit, &large, "b", 0);
    enter(admit, &small, "c", 0);
    assert_null(admit_next(admit, SECOND));
    admit_leave(admit, &first, SECOND);
    assert_ptr_equal(admit_next(admit, SECOND), &large);
    admit_close(admit);
}

static void when_to_come_again_is_what_jobs_take_times_what_waits(void **state)
{
    (void)state;
    struct admit_bounds bounds = wide;
    bounds.jobs = 2;
    struct admit *admit = open_with(bounds);
    struct ticket tickets[12] = {0};
    assert_int_equal(admit_retry_after(admit, 0), 1);
    for (int i = 0; i < 12; i++)
        enter(admit, &tickets[i], "a", 0);
    admit_next(admit, 0);
    admit_next(admit, 0);
    /* Nothing has ended yet: those that run take 3 seconds at least. 10 wait, 2 side by side. */
    assert_int_equal(admit_retry_after(admit, 3 * SECOND), 17);
    admit_leave(admit, &tickets[0], 4 * SECOND);
    admit_next(admit, 4 * SECOND);
    /* 4 seconds a job, 9 wait. */
    assert_int_equal(admit_retry_after(admit, 4 * SECOND), 20);
    for (int i = 3; i < 12; i++)
        admit_leave(admit, &tickets[i], 4 * SECOND);
    assert_int_equal(admit_retry_after(admit, 4 * SECOND), 2);
    assert_int_equal(admit_retry_after(admit, 40000 * SECOND), 30);
    admit_close(admit);
}

static void nobody_is_told_to_stay_away_longer_than_a_request_may_wait(void **state)
{
    (void)state;
    static const struct {
        int64_t queue_time_us, seconds;
    } rows[] = {{1, 1}, {SECOND / 2, 1}, {SECOND, 1}, {3 * SECOND / 2, 2}, {7 * SECOND, 7}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct admit_bounds bounds = wide;
        bounds.jobs = 1;
        bounds.queue_time_us = rows[i].queue_time_us;
        struct admit *admit = open_with(bounds);
        struct ticket tickets[3] = {0};
        for (int j = 0; j < 3; j++)
            enter(admit, &tickets[j], "a", 0);
        admit_next(admit, 0);
        assert_int_equal(admit_retry_after(admit, 600 * SECOND), rows[i].seconds);
        admit_close(admit);
    }
}

static void clients_come_and_go_in_any_number(void **state)
{
    (void)state;
    struct admit_bounds bounds = wide;
    bounds.queue = 2000;
    struct admit *admit = open_with(bounds);
    static struct ticket tickets[1000];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 1000; i++) {
            char key[16];
            snprintf(key, sizeof(key), "client %d", i % 700);
            tickets[i] = (struct ticket){0};
            enter(admit, &tickets[i], key, i);
        }
        while (admit_next(admit, 1000) != NULL)
            ;
        assert_int_equal(admit_counts(admit).running, 100);
        for (int i = 999; i >= 0; i--)
            admit_leave(admit, &tickets[i], 2000);
        assert_int_equal(admit_counts(admit).running + admit_counts(admit).waiting, 0);
    }
    admit_close(admit); /* the sanitizer finds a client that was left */
}

/* ── Cost ──────────────────────────────────────────────────────────────────────────────────── */

enum { MANY = 100000, FEW = 10, ROUNDS = 20000 };

/* What one admission takes while `count` tickets wait, of as many clients or of one: the first in
 * turn runs and ends, another one enters, the queue overflows, and a patient one is looked for. */
static double admission_ns(int count, bool one_client)
{
    struct admit_bounds bounds = wide;
    bounds.jobs = 1;
    bounds.extra_jobs = 1;
    bounds.queue = count;
    struct admit *admit = open_with(bounds);
    struct ticket *tickets = calloc((size_t)count + 1, sizeof(*tickets)), *running, *refused;
    struct ticket *outside = &tickets[count];
    struct timespec begin, end;
    char client[24] = "one";
    assert_non_null(tickets);
    for (int i = 0; i < count; i++) {
        if (!one_client)
            snprintf(client, sizeof(client), "client %d", i);
        enter(admit, &tickets[i], client, i);
    }
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (int i = 0; i < ROUNDS; i++) {
        int64_t now = MANY + i;
        running = admit_next(admit, now);
        assert_non_null(running);
        assert_null(admit_next(admit, now));
        if (!one_client)
            snprintf(client, sizeof(client), "new client %d", i);
        outside->memory_bytes = MIB;
        enter(admit, outside, client, now);
        admit_impatient_us(admit);
        admit_leave(admit, running, now);
        outside = running;
        while ((refused = admit_overflow(admit)) != NULL) {
            admit_leave(admit, refused, now);
            outside = refused;
        }
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    admit_close(admit);
    free(tickets);
    double took = (double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec);
    return took / ROUNDS;
}

/* With a scan of the tickets or of the clients, ten thousand times as many would take a thousand
 * times as long, or more; what is left is the logarithm, and memory that is not in the cache. */
static void with_ten_thousand_times_as_many_waiting_an_admission_takes_about_as_long(void **state)
{
    (void)state;
    for (int one_client = 0; one_client < 2; one_client++) {
        double few = admission_ns(FEW, one_client), some = admission_ns(1000, one_client);
        double many = admission_ns(MANY, one_client);
        print_message("# an admission with 10, 1,000, 100,000 requests waiting, %s: %.0f, %.0f, "
                      "%.0f ns\n",
                      one_client ? "all of one client" : "each of another client", few, some, many);
        assert_true(many < 100 * few);
    }
}

/* Whatever comes in whatever order, what is counted is what is there. */
static void after_any_steps_the_counts_and_orders_are_right(void **state)
{
    (void)state;
    enum { TICKETS = 60, STEPS = 20000 };
    struct admit_bounds bounds = wide;
    bounds.jobs = 6;
    bounds.extra_jobs = 2;
    bounds.memory_bytes = 40 * MIB;
    bounds.reserve_bytes = 5 * MIB;
    bounds.queue = 30;
    struct admit *admit = open_with(bounds);
    struct ticket tickets[TICKETS] = {0}, *ticket;
    unsigned seed = 1;
    for (int64_t now = 0; now < STEPS; now++) {
        ticket = &tickets[rand_r(&seed) % TICKETS];
        char client[8];
        snprintf(client, sizeof(client), "%d", rand_r(&seed) % 9);
        if (ticket->state == TICKET_OUTSIDE) {
            ticket->memory_bytes = (1 + rand_r(&seed) % 8) * MIB;
            ticket->size = rand_r(&seed) % 1000;
            assert_int_equal(admit_enter(admit, ticket, client, *client == '0' ? 2 : 0, now * 1000),
                             0);
        } else {
            admit_leave(admit, ticket, now * 1000);
        }
        while (admit_next(admit, now * 1000) != NULL)
            continue;
        while ((ticket = admit_overflow(admit)) != NULL)
            admit_leave(admit, ticket, now * 1000);
        struct admit_counts counted = admit_counts(admit), real = {0};
        for (int i = 0; i < TICKETS; i++) {
            real.waiting += tickets[i].state == TICKET_WAITING;
            real.running += tickets[i].state == TICKET_RUNNING;
            real.promised_bytes += tickets[i].state == TICKET_RUNNING ? tickets[i].memory_bytes : 0;
        }
        assert_int_equal(counted.waiting, real.waiting);
        assert_int_equal(counted.running, real.running);
        assert_int_equal(counted.promised_bytes, real.promised_bytes);
        assert_true(real.promised_bytes <= bounds.memory_bytes && real.waiting <= bounds.queue);
        assert_true(real.running <= bounds.jobs + bounds.extra_jobs);
        assert_int_equal(admit_positions(admit), 0);
        for (int i = 0; i < TICKETS; i++)
            if (tickets[i].state == TICKET_WAITING)
                assert_int_equal(tickets[i].position, admit_position(admit, &tickets[i]));
    }
    for (int i = 0; i < TICKETS; i++)
        admit_leave(admit, &tickets[i], STEPS * 1000);
    assert_int_equal(admit_counts(admit).waiting + admit_counts(admit).running, 0);
    admit_close(admit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_run_as_may),
        cmocka_unit_test(a_ticket_knows_its_place),
        cmocka_unit_test(while_it_is_held_nobodys_turn_comes),
        cmocka_unit_test(clients_take_turns_whoever_has_more),
        cmocka_unit_test(a_client_has_no_more_jobs_than_it_may_and_holds_nobody_up),
        cmocka_unit_test(no_more_memory_is_promised_than_there_is),
        cmocka_unit_test(a_job_that_needs_all_memory_gets_it_though_small_ones_keep_coming),
        cmocka_unit_test(a_full_queue_takes_from_who_has_most_in_it),
        cmocka_unit_test(of_two_with_as_much_the_one_that_came_last_is_refused),
        cmocka_unit_test(no_queue_means_now_or_never),
        cmocka_unit_test(large_bodies_fill_a_queue_too),
        cmocka_unit_test(who_waits_too_long_is_told_oldest_first),
        cmocka_unit_test(while_jobs_want_all_cpus_no_other_is_started),
        cmocka_unit_test(
            a_client_that_has_none_running_waits_for_those_of_others_so_long_and_no_longer),
        cmocka_unit_test(a_place_beside_the_others_becomes_one_of_them_when_one_of_them_ends),
        cmocka_unit_test(cpus_that_others_want_do_not_shut_a_client_out),
        cmocka_unit_test(who_has_jobs_running_leaves_memory_to_those_who_have_none),
        cmocka_unit_test(a_client_alone_may_have_all_memory_for_one_job),
        cmocka_unit_test(
            a_job_that_needs_the_reserve_as_well_gets_it_though_small_ones_keep_coming),
        cmocka_unit_test(when_to_come_again_is_what_jobs_take_times_what_waits),
        cmocka_unit_test(nobody_is_told_to_stay_away_longer_than_a_request_may_wait),
        cmocka_unit_test(clients_come_and_go_in_any_number),
        cmocka_unit_test(with_ten_thousand_times_as_many_waiting_an_admission_takes_about_as_long),
        cmocka_unit_test(after_any_steps_the_counts_and_orders_are_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
