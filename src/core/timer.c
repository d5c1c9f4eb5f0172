/* See timer.h. Each look finds whether a time has run out, and when to look again. */
#include "core/timer.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>

#include "common/util.h"
#include "core/schedstat.h"
#include "core/sources.h"

/* The shortest pause between two looks at the CPU time. */
#define CHECK_MIN_US 5000
/* The most CPUs that a job without a cpu controller is expected to use when the next look is
 * planned. */
#define UNHELD_CPUS 256
/* A job is looked at about LOOKS times in its time, at least LOOKS_MIN times however short that is,
 * and never in its first moments, as most jobs have no more. */
#define LOOKS 20
#define LOOKS_MIN 4
#define LOOK_MIN_US 50000
#define LOOK_MAX_US 200000
/* About half of what a pipe holds. */
#define MUCH_BYTES (32 << 10)
/* An idle job is looked at less and less often, up to this pause. */
#define LOOK_IDLE_MAX_US 2000000
/* The shortest pause before another look at a job whose time is nearly over. */
#define LOOK_AGAIN_MIN_US 1000
/* A job gets all of its time if the host gives it at least 1/REAL_TIME_TIMES of the CPUs that it
 * could use. With less it is ended at last, so that nothing runs for ever. The service starts at
 * most twice as many computing jobs as there are CPUs: for them the host may be fifty times too
 * busy with other work. A shell may start a hundred jobs for each CPU. */
#define REAL_TIME_TIMES 100

int timer_make(struct sb_run *run)
{
    int *timer = &run->process.fd[SOURCE_TIMER];
    if (*timer < 0)
        *timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    return *timer < 0 ? -1 : source_watch(run, SOURCE_TIMER, EPOLLIN);
}

void timer_arm(struct sb_run *run, int64_t in_us)
{
    struct itimerspec when = {
        .it_value = {.tv_sec = in_us / 1000000, .tv_nsec = in_us % 1000000 * 1000}};
    timerfd_settime(run->process.fd[SOURCE_TIMER], 0, &when, NULL);
}

static bool has_quota(const struct sb_run *run)
{
    return run->sandbox->cgroup.controllers & CGROUP_CPU;
}

/* How many CPUs the job can use at once; its budget of CPU time lasts at least budget / this. */
static int64_t parallelism(const struct sb_run *run)
{
    return has_quota(run) ? (run->asked.limits.value[SB_MILLICPUS] + 999) / 1000 : UNHELD_CPUS;
}

static int64_t wall_limit_us(const struct sb_run *run)
{
    return run->asked.limits.value[SB_WALL_TIME_MS] * 1000;
}

static int64_t first_look_us(const struct sb_run *run)
{
    return MIN(wall_limit_us(run) / LOOKS_MIN, LOOK_MIN_US);
}

static int64_t usual_look_us(const struct sb_run *run)
{
    return MIN(MAX(wall_limit_us(run) / LOOKS, first_look_us(run)), LOOK_MAX_US);
}

void timer_begin(struct sb_run *run)
{
    int64_t millicpus = run->sandbox->millicpus;
    if (has_quota(run))
        millicpus = MIN(millicpus, run->asked.limits.value[SB_MILLICPUS]);
    clock_begin(&run->clock, run->evidence.started_us, run->evidence.cpu_time_before_us, millicpus);
    run->own = run->sandbox->own;
    run->moved_bytes = 0;
    /* Without a cgroup there is nothing to read before the wall time ends. */
    run->look_us = run->sandbox->cgroup.backend != NULL ? first_look_us(run) : wall_limit_us(run);
}

/* How long a job that moves much data may have waited for us, its pipe full or empty: while we had
 * no CPU, or were busy with the pipes of other jobs. */
static int64_t held_up(struct sb_run *run)
{
    struct own_times *own = &run->sandbox->own, before = run->own;
    if (run->moved_bytes < MUCH_BYTES)
        return 0;
    schedstat_own(own);
    double ours = (double)run->moved_bytes / (double)(own->moved_bytes - before.moved_bytes);
    run->own = *own;
    run->moved_bytes = 0;
    return own->delay_us - before.delay_us +
           (int64_t)((double)(own->cpu_us - before.cpu_us) * (1 - ours));
}

static void look(struct sb_run *run, bool surely)
{
    schedstat_look(&run->clock, &run->sandbox->cgroup, &run->process.cgroup, held_up(run), surely);
    run->look_us = run->clock.asleep ? MIN(2 * run->look_us, LOOK_IDLE_MAX_US) : usual_look_us(run);
}

bool timer_is_decisive(const struct sb_run *run, int64_t now_us)
{
    return run->phase >= RUN_LET_IN && clock_read(&run->clock, now_us) >= wall_limit_us(run);
}

/* The wall time that is left. Looks at the job when a look is due, and closely when the job's end
 * depends on it. */
static int64_t wall_left(struct sb_run *run, int64_t now_us)
{
    if (run->phase < RUN_LET_IN)
        return INT64_MAX;
    int64_t left_us = wall_limit_us(run) - clock_read(&run->clock, now_us);
    bool surely = timer_is_decisive(run, now_us);
    if (run->sandbox->cgroup.backend == NULL ||
        (!surely && now_us < run->clock.looked_us + run->look_us))
        return left_us;
    look(run, surely);
    left_us = wall_limit_us(run) - clock_read(&run->clock, run->clock.looked_us);
    return surely && left_us > 0 ? MAX(left_us, LOOK_AGAIN_MIN_US) : left_us;
}

/* The shortest time in which the job can use up its CPU time. */
static int64_t cpu_left(const struct sb_run *run, int64_t now_us)
{
    int64_t used_us = run->clock.used_us;
    if (run->clock.looked_us < now_us)
        used_us = cgroup_number(&run->sandbox->cgroup, &run->process.cgroup, CGROUP_CPU_TIME_US);
    if (used_us < 0)
        return INT64_MAX;
    int64_t left_us = run->asked.limits.value[SB_CPU_TIME_MS] * 1000 -
                      (used_us - run->evidence.cpu_time_before_us);
    return left_us <= 0 ? left_us : MAX(left_us / parallelism(run), CHECK_MIN_US);
}

enum cause timer_check(struct sb_run *run, int64_t now_us)
{
    const int64_t left_us[] = {
        wall_left(run, now_us),
        cpu_left(run, now_us),
        run->evidence.started_us + REAL_TIME_TIMES * wall_limit_us(run) - now_us,
    };
    static const enum cause causes[] = {CAUSE_WALL_TIME, CAUSE_CPU_TIME, CAUSE_STARVED};
    int64_t next_us = MAX(run->clock.looked_us + run->look_us - now_us, LOOK_AGAIN_MIN_US);
    for (size_t i = 0; i < ARRAY_LEN(left_us); i++) {
        if (left_us[i] <= 0)
            return causes[i];
        next_us = MIN(next_us, left_us[i]);
    }
    timer_arm(run, MIN(next_us, denied_left(run, now_us)));
    floor_watch(run->sandbox);
    return CAUSE_NONE;
}
