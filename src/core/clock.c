/* How much of a job's time the host withheld from it. See clock.h.
 *
 * The clock advances from look to look. Between two looks the job's tasks may have waited for a
 * CPU; the kernel counts for how long. The host withheld this time as far as the job had less than
 * its share of the CPUs:
 *
 *     withheld = min(time its tasks waited, interval − CPU time it used / CPUs that it may use)
 *
 * A task that sleeps waits for no CPU. A job whose processes starve each other has used its share,
 * and so has a job that its own quota holds back: neither is given any time. Time waited in one
 * interval is no credit for the next.
 *
 * The kernel's count is exact but late: it counts a wait when the wait ends. It also goes away with
 * the task. So two kinds of waits are estimated from those that were seen: waits that have not
 * ended, and waits of tasks that came and went between two looks. */
#include "core/clock.h"

#include <stdlib.h>
#include <string.h>

#include "common/util.h"

/* The kernel gives out a quota once in this period (cgroup_v1.c, cgroup_v2.c); a job may use all of
 * it at once. */
#define QUOTA_PERIOD_US 100000

static int by_tid(const void *key, const void *task)
{
    int32_t a = *(const int32_t *)key, b = ((const struct clock_task *)task)->tid;
    return (a > b) - (a < b);
}

static const struct clock_task *find(const struct clock_task *tasks, size_t count, int32_t tid)
{
    return count == 0 ? NULL : bsearch(&tid, tasks, count, sizeof(*tasks), by_tid);
}

const struct clock_task *clock_task(const struct job_clock *clock, int32_t tid)
{
    return find(clock->tasks, clock->count, tid);
}

void clock_begin(struct job_clock *clock, int64_t started_us, int64_t used_us, int64_t millicpus)
{
    clock_free(clock);
    *clock = (struct job_clock){.millicpus = millicpus,
                                .started_us = started_us,
                                .looked_us = started_us,
                                .used_us = used_us,
                                .whole = true};
}

void clock_free(struct job_clock *clock)
{
    free(clock->tasks);
    clock->tasks = NULL;
    clock->count = 0;
}

int64_t clock_read(const struct job_clock *clock, int64_t now_us)
{
    return now_us - clock->started_us - clock->withheld_us;
}

int64_t clock_wait(const struct clock_task *task, const struct clock_task *last,
                   int64_t interval_us, int64_t age_us, int64_t usual_us)
{
    static const struct clock_task unborn = {0};
    if (last == NULL) {
        last = &unborn;
        interval_us = MIN(interval_us, age_us);
    }
    /* Still the same wait. If the task moved to another CPU meanwhile, a part of the wait is
     * counted already. */
    if (task->runs == last->runs && task->cpu_us == last->cpu_us)
        return MAX(last->waits_us + interval_us - (task->delay_us - last->delay_us), 0);
    int64_t ended_us = MAX(task->delay_us - last->delay_us - last->waits_us, 0);
    int64_t missing_us = MAX(interval_us - (task->cpu_us - last->cpu_us) - ended_us, 0);
    /* It may have slept for a part of that time. */
    return MIN(missing_us, 4 * usual_us);
}

/* What was seen of the job's tasks in an interval. */
struct seen {
    int64_t cpu_us, delay_us; /* of all of them */
    int64_t before_us;        /* the longest part of a wait that lay before the interval */
    int64_t usual_us;         /* the mean wait of the task whose waits were longest */
};

static void see_task(struct seen *seen, const struct job_clock *clock, struct clock_task *task,
                     int64_t interval_us)
{
    static const struct clock_task unborn = {0};
    const struct clock_task *last = clock_task(clock, task->tid);
    /* The kernel gives the tid of a dead task to a new one: this task was born after the last
     * look. */
    if (last != NULL && (task->cpu_us < last->cpu_us || task->delay_us < last->delay_us))
        last = NULL;
    if (last == NULL && !clock->whole)
        return; /* it may have been there already */
    bool known = last != NULL;
    last = known ? last : &unborn;
    int64_t cpu_us = task->cpu_us - last->cpu_us;
    int64_t delay_us = task->delay_us + task->waits_us - last->delay_us - last->waits_us;
    if (delay_us < 0) { /* the last look took too much for a wait */
        task->waits_us -= delay_us;
        delay_us = 0;
    }
    int64_t within_us = MIN(delay_us, MAX(interval_us - cpu_us, 0));
    seen->cpu_us += cpu_us;
    seen->delay_us += within_us;
    seen->usual_us =
        MAX(seen->usual_us, (task->delay_us - last->delay_us) / MAX(task->runs - last->runs, 1));
    if (known)
        seen->before_us = MAX(seen->before_us, delay_us - within_us);
}

static struct seen see(const struct job_clock *clock, const struct clock_look *look,
                       int64_t interval_us)
{
    struct seen seen = {.delay_us = MIN(look->held_up_us, interval_us)};
    seen.before_us = look->held_up_us - seen.delay_us;
    if (look->skipped)
        return seen;
    for (size_t i = 0; i < look->count; i++)
        see_task(&seen, clock, &look->tasks[i], interval_us);
    /* A task that waited at the last look and is gone got a CPU in the end, after about a usual
     * wait. */
    for (size_t i = 0; look->whole && i < clock->count; i++)
        if (clock->tasks[i].waits_us > 0 &&
            find(look->tasks, look->count, clock->tasks[i].tid) == NULL)
            seen.delay_us += MIN(clock->usual_us, interval_us);
    return seen;
}

/* Adds waits of tasks that came and went between two looks: for each µs of CPU time they waited as
 * long as the tasks that were seen. */
static int64_t add_unseen(struct job_clock *clock, const struct seen *seen, int64_t interval_us,
                          int64_t used_us)
{
    clock->delay_sum_us = clock->delay_sum_us / 2 + seen->delay_us;
    clock->cpu_sum_us = clock->cpu_sum_us / 2 + seen->cpu_us;
    double unseen_us = (double)MAX(used_us - seen->cpu_us, 0);
    double delay_us = unseen_us * (double)clock->delay_sum_us / (double)MAX(clock->cpu_sum_us, 1);
    return seen->delay_us + (int64_t)MIN(delay_us, (double)interval_us);
}

/* How much of the interval the job could still have used: the interval, less the CPU time that it
 * used divided by its CPUs. */
static int64_t room_in(struct job_clock *clock, int64_t interval_us, int64_t used_us)
{
    int64_t share_us = used_us * 1000 / clock->millicpus + clock->ahead_us;
    clock->ahead_us = MIN(MAX(share_us - interval_us, 0), QUOTA_PERIOD_US);
    return MAX(interval_us - share_us, 0);
}

static void remember(struct job_clock *clock, const struct clock_look *look)
{
    clock->looked_us = look->now_us;
    clock->used_us = look->used_us;
    if (look->skipped)
        return;
    clock_free(clock);
    clock->tasks = look->tasks;
    clock->count = look->count;
    clock->whole = look->whole;
    clock->asleep = look->asleep;
}

/* Withholds a part of `delay_us`, waited in the interval, and of seen->before_us, waited before it,
 * as far as there was room. */
static void withhold(struct job_clock *clock, const struct clock_look *look,
                     const struct seen *seen, int64_t delay_us, int64_t room_us)
{
    int64_t now_us = MIN(delay_us, room_us), late_us = MIN(seen->before_us, clock->room_us);
    clock->withheld_us += now_us + late_us;
    clock->room_us = room_us - now_us + (look->skipped ? clock->room_us : 0);
    if (seen->usual_us > 0)
        clock->usual_us = MAX(clock->usual_us * 3 / 4, seen->usual_us);
    /* The next look subtracts of these waits only what was withheld for them. */
    for (size_t i = 0; i < look->count; i++)
        look->tasks[i].waits_us = look->tasks[i].waits_us * (now_us + 1) / (delay_us + 1);
}

void clock_advance(struct job_clock *clock, const struct clock_look *look)
{
    int64_t interval_us = look->now_us - clock->looked_us;
    int64_t used_us = MAX(look->used_us - clock->used_us, 0);
    if (interval_us > 0) {
        struct seen seen = see(clock, look, interval_us);
        int64_t delay_us = add_unseen(clock, &seen, interval_us, used_us);
        withhold(clock, look, &seen, delay_us, room_in(clock, interval_us, used_us));
        clock->demand = MIN((used_us + delay_us) * 1000 / interval_us, clock->millicpus);
    }
    remember(clock, look);
}
