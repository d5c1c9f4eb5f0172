/* How much of a job's time the host withheld: for each story what was seen of the job, look by
 * look, and what its clock makes of it. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "core/clock.h"

#define MS INT64_C(1000)
#define LOOKS_MAX 6
#define TASKS_MAX 4

/* A look: how long after the one before, what the whole job used meanwhile, and its tasks, whose
 * numbers are since their birth. All times in milliseconds. */
struct seen {
    int64_t interval, used;
    struct {
        int32_t tid;
        int64_t cpu, delay, waits;
    } tasks[TASKS_MAX];
    bool cut, skipped;
    int64_t held_up;
    int64_t withheld; /* expected of this interval */
};

struct story {
    const char *name;
    int64_t millicpus;
    struct seen looks[LOOKS_MAX];
};

static const struct story stories[] = {
    {"one that computes alone has all its time counted",
     1000,
     {{100, 100, {{7, 100, 0, 0}}, .withheld = 0}, {100, 99, {{7, 199, 1, 0}}, .withheld = 1}}},
    {"one that sleeps has all its time counted",
     1000,
     {{100, 1, {{7, 1, 0, 0}}, .withheld = 0}, {100, 0, .skipped = true, .withheld = 0}}},
    {"one that gets a sixth of a CPU gets five sixths of its time back",
     1000,
     {{60, 10, {{7, 10, 50, 0}}, .withheld = 50}, {60, 10, {{7, 20, 100, 0}}, .withheld = 50}}},
    {"what it waits for between sleeps is given back, and no more",
     1000,
     {{100, 2, {{7, 2, 30, 0}}, .withheld = 30}, {100, 2, {{7, 4, 31, 0}}, .withheld = 1}}},
    {"processes that starve each other get nothing: they use all that the job may",
     1000,
     {{100,
       100,
       {{7, 25, 75, 0}, {8, 25, 75, 0}, {9, 25, 75, 0}, {10, 25, 75, 0}},
       .withheld = 0}}},
    {"of two CPUs, too",
     2000,
     {{100,
       200,
       {{7, 50, 50, 0}, {8, 50, 50, 0}, {9, 50, 50, 0}, {10, 50, 50, 0}},
       .withheld = 0}}},
    {"on a busy host they get back what the job did not have",
     1000,
     {{100, 20, {{7, 5, 95, 0}, {8, 5, 95, 0}, {9, 5, 95, 0}, {10, 5, 95, 0}}, .withheld = 80}}},
    {"one that its own quota holds back gets nothing",
     500,
     {{100, 50, {{7, 50, 50, 0}}, .withheld = 0}, {100, 50, {{7, 100, 100, 0}}, .withheld = 0}}},
    {"however the looks fall into the quota's period",
     500,
     {{50, 50, {{7, 50, 0, 0}}, .withheld = 0},
      {50, 0, .skipped = true, .withheld = 0},
      {50, 50, {{7, 100, 50, 0}}, .withheld = 0},
      {50, 0, .skipped = true, .withheld = 0},
      {50, 50, {{7, 150, 100, 0}}, .withheld = 0}}},
    {"with a quota on a busy host it gets back what the quota would have given",
     500,
     {{100, 10, {{7, 10, 90, 0}}, .withheld = 80}}},
    {"one thread where two CPUs are allowed gets back no more than it waited",
     2000,
     {{60, 10, {{7, 10, 50, 0}}, .withheld = 50}, {100, 100, {{7, 110, 50, 0}}, .withheld = 0}}},
    {"two that share one of two CPUs by their own choice gain half of their time",
     2000,
     {{100, 100, {{7, 50, 50, 0}, {8, 50, 50, 0}}, .withheld = 50}}},
    {"a wait that began while nobody looked is counted for that time, too",
     1000,
     {{50, 10, {{7, 10, 0, 0}}, .withheld = 0},
      {50, 0, .skipped = true, .withheld = 0},
      {50, 5, {{7, 15, 80, 0}}, .withheld = 80}}},
    {"and for no more",
     1000,
     {{50, 10, {{7, 10, 0, 0}}, .withheld = 0},
      {50, 0, .skipped = true, .withheld = 0},
      {50, 5, {{7, 15, 130, 0}}, .withheld = 45 + 85},
      {50, 5, {{7, 20, 230, 0}}, .withheld = 45}}},
    {"waits that lie across looks are neither lost nor counted twice",
     1000,
     {{50, 4, {{7, 4, 26, 20}}, .withheld = 46},
      {50, 4, {{7, 8, 72, 20}}, .withheld = 46},
      {50, 4, {{7, 12, 138, 0}}, .withheld = 46}}},
    {"what has not been waited for is not given back for what was waited earlier",
     1000,
     {{100, 100, {{7, 50, 50, 0}, {8, 50, 50, 0}}, .withheld = 0},
      {100, 1, {{7, 51, 50, 0}, {8, 50, 50, 0}}, .withheld = 0},
      {100, 0, .skipped = true, .withheld = 0}}},
    {"tasks that came and went are taken to have waited as the others did",
     1000,
     {{100, 5, {{7, 5, 45, 0}}, .withheld = 45},
      {100, 10, {{7, 7, 63, 0}}, .withheld = 90},   /* 2 of 10 were seen, and waited for 18 */
      {100, 10, {{7, 7, 63, 0}}, .withheld = 90}}}, /* none was */
    {"one that waited and is gone has waited as long as usual",
     1000,
     {{50, 5, {{7, 1, 0, 0}, {8, 4, 40, 6}}, .withheld = 45},
      {50, 2, {{7, 3, 0, 0}}, .withheld = 40},
      {50, 2, {{7, 5, 0, 0}}, .withheld = 0}}},
    {"tasks that came and went on an idle host have not waited",
     1000,
     {{100, 60, {{7, 10, 0, 0}}, .withheld = 0}, {100, 60, {{7, 20, 0, 0}}, .withheld = 0}}},
    {"a task with the number of one that is gone has been born since",
     1000,
     {{100, 50, {{7, 50, 50, 0}}, .withheld = 50}, {100, 20, {{7, 20, 30, 0}}, .withheld = 30}}},
    {"what a task did before it was looked at does not count where not all were",
     1000,
     {{100, 10, {{7, 10, 90, 0}}, .cut = true, .withheld = 90},
      {100, 5, {{8, 500, 900, 0}}, .cut = true, .withheld = 45}}},
    {"a wait that has not ended counts, once",
     1000,
     {{50, 5, {{7, 5, 45, 0}}, .withheld = 45},
      {50, 0, {{7, 5, 45, 50}}, .withheld = 50},
      {50, 0, {{7, 5, 45, 100}}, .withheld = 50},
      {50, 5, {{7, 10, 190, 0}}, .withheld = 45}}},
    {"what was wrongly taken for a wait is taken off the next",
     1000,
     {{50, 5, {{7, 5, 45, 0}}, .withheld = 45},
      {50, 5, {{7, 10, 45, 45}}, .withheld = 45},
      {50, 5, {{7, 15, 60, 0}}, .withheld = 0},
      {50, 5, {{7, 20, 100, 0}}, .withheld = 10}}},
    {"one that waits for its supervisor to read what it wrote gets back what that was kept",
     1000,
     {{100, 30, {{7, 30, 0, 0}}, .held_up = 40, .withheld = 40},
      {100, 30, {{7, 60, 0, 0}}, .held_up = 300, .withheld = 70 + 30},
      {100, 100, {{7, 160, 0, 0}}, .held_up = 300, .withheld = 0}}},
    {"a supervisor that comes late misses nothing",
     1000,
     {{5000, 1000, {{7, 1000, 4000, 0}}, .withheld = 4000}}},
};

static struct clock_look look_of(const struct seen *seen, int64_t now_us, int64_t used_us)
{
    struct clock_look look = {.now_us = now_us,
                              .used_us = used_us,
                              .skipped = seen->skipped,
                              .held_up_us = seen->held_up * MS,
                              .whole = !seen->cut};
    if (seen->skipped)
        return look;
    look.tasks = calloc(TASKS_MAX, sizeof(*look.tasks));
    assert_non_null(look.tasks);
    for (; look.count < TASKS_MAX && seen->tasks[look.count].tid != 0; look.count++)
        look.tasks[look.count] = (struct clock_task){
            .tid = seen->tasks[look.count].tid,
            .cpu_us = seen->tasks[look.count].cpu * MS,
            .delay_us = seen->tasks[look.count].delay * MS,
            .waits_us = seen->tasks[look.count].waits * MS,
        };
    return look;
}

static void tell(const struct story *story)
{
    const int64_t started_us = 77 * MS, used_before_us = 3 * MS;
    struct job_clock clock = {0};
    clock_begin(&clock, started_us, used_before_us, story->millicpus);
    int64_t now_us = started_us, used_us = used_before_us, withheld = 0;
    for (size_t i = 0; i < LOOKS_MAX && story->looks[i].interval > 0; i++) {
        const struct seen *seen = &story->looks[i];
        now_us += seen->interval * MS;
        used_us += seen->used * MS;
        withheld += seen->withheld;
        struct clock_look look = look_of(seen, now_us, used_us);
        clock_advance(&clock, &look);
        if (clock.withheld_us != withheld * MS)
            fail_msg("%s: %lld us withheld after look %zu, not %lld", story->name,
                     (long long)clock.withheld_us, i + 1, (long long)(withheld * MS));
        assert_int_equal(clock_read(&clock, now_us), now_us - started_us - withheld * MS);
    }
    clock_free(&clock);
}

static void the_host_withholds_what_a_job_waits_for_of_its_share(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(stories); i++)
        tell(&stories[i]);
}

static void
a_wait_that_goes_on_is_as_long_as_a_task_has_neither_had_a_cpu_nor_waited_before(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct clock_task task, last;
        int64_t interval, age, usual, waits;
    } rows[] = {
        {"nothing has changed: still the same wait",
         {7, 5, 9, 3, 0},
         {7, 5, 9, 3, 0},
         50,
         900,
         20,
         50},
        {"nor before that", {7, 5, 9, 3, 0}, {7, 5, 9, 3, 40}, 50, 900, 20, 90},
        {"it has a CPU all the time", {7, 55, 9, 3, 0}, {7, 5, 9, 3, 0}, 50, 900, 20, 0},
        {"it had one, and waits again", {7, 15, 60, 4, 0}, {7, 5, 40, 3, 0}, 50, 900, 20, 20},
        {"what ended began before", {7, 15, 80, 4, 0}, {7, 5, 30, 3, 40}, 50, 900, 20, 30},
        {"it must have slept: it does not wait for so long",
         {7, 6, 8, 8, 0},
         {7, 5, 7, 7, 0},
         50,
         900,
         1,
         4},
        {"just born", {7, 0, 0, 0, 0}, {0}, 50, 8, 20, 8},
        {"born before anybody looked", {7, 0, 0, 0, 0}, {0}, 50, 900, 20, 50},
        {"born, with a CPU by now", {7, 3, 20, 1, 0}, {0}, 50, 30, 20, 7},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct clock_task *last = rows[i].last.tid != 0 ? &rows[i].last : NULL;
        int64_t waits =
            clock_wait(&rows[i].task, last, rows[i].interval, rows[i].age, rows[i].usual);
        if (waits != rows[i].waits)
            fail_msg("%s: %lld, not %lld", rows[i].name, (long long)waits,
                     (long long)rows[i].waits);
    }
}

static void never_more_is_withheld_than_time_goes_by_whatever_is_seen(void **state)
{
    (void)state;
    struct job_clock clock = {0};
    int64_t now_us = 0, used_us = 0, cpu_us = 0, delay_us = 0;
    srand(1);
    clock_begin(&clock, 0, 0, 700);
    for (int i = 0; i < 100000; i++) {
        struct clock_look look = {.whole = i % 3 != 0, .skipped = i % 7 == 0};
        look.now_us = now_us += rand() % 100000;
        look.used_us = used_us += rand() % 100000;
        if (!look.skipped) {
            look.tasks = calloc(1, sizeof(*look.tasks));
            assert_non_null(look.tasks);
            look.count = 1;
            look.tasks[0] = (struct clock_task){.tid = 1 + rand() % 2,
                                                .cpu_us = cpu_us += rand() % 100000,
                                                .delay_us = delay_us += rand() % 1000000,
                                                .waits_us = rand() % 100000};
        }
        int64_t before_us = clock.withheld_us;
        clock_advance(&clock, &look);
        assert_true(clock.withheld_us >= before_us);
        assert_true(clock_read(&clock, now_us) >= 0);
        assert_in_range(clock.demand, 0, 700);
    }
    clock_free(&clock);
}

static void demand_is_what_a_job_has_and_what_it_waits_for(void **state)
{
    (void)state;
    static const struct {
        struct seen seen;
        int64_t millicpus, demand;
    } rows[] = {
        {{100, 100, {{7, 100, 0, 0}}, .withheld = 0}, 1000, 1000},
        {{100, 50, {{7, 50, 50, 0}}, .withheld = 0}, 1000, 1000},
        {{100, 10, {{7, 10, 90, 0}}, .withheld = 0}, 1000, 1000},
        {{100, 10, {{7, 10, 10, 0}}, .withheld = 0}, 1000, 200},
        {{100, 0, .skipped = true}, 1000, 0},
        {{100, 100, {{7, 50, 50, 0}, {8, 50, 50, 0}}, .withheld = 0}, 1000, 1000},
        {{100, 100, {{7, 50, 50, 0}, {8, 50, 50, 0}}, .withheld = 0}, 2000, 2000},
        {{100, 50, {{7, 50, 50, 0}}, .withheld = 0}, 500, 500},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct job_clock clock = {0};
        clock_begin(&clock, 0, 0, rows[i].millicpus);
        assert_int_equal(clock.demand, 0);
        struct clock_look look = look_of(&rows[i].seen, 100 * MS, rows[i].seen.used * MS);
        clock_advance(&clock, &look);
        assert_int_equal(clock.demand, rows[i].demand);
        clock_free(&clock);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_host_withholds_what_a_job_waits_for_of_its_share),
        cmocka_unit_test(
            a_wait_that_goes_on_is_as_long_as_a_task_has_neither_had_a_cpu_nor_waited_before),
        cmocka_unit_test(never_more_is_withheld_than_time_goes_by_whatever_is_seen),
        cmocka_unit_test(demand_is_what_a_job_has_and_what_it_waits_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
