/* The clock that wall_time_ms limits: it runs like a wall clock, but leaves out the time in which
 * the host withheld the CPU from the job. So a verdict does not depend on what else the host has to
 * do.
 *
 * Arithmetic only: schedstat.c looks at a job's tasks and passes on what it saw. Times are
 * microseconds of CLOCK_MONOTONIC. */
#ifndef SB_CLOCK_H
#define SB_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A thread of the job. Since its birth it had the CPU for cpu_us, in `runs` turns, and waited for a
 * CPU, runnable, for delay_us. The kernel counts a wait when it ends; waits_us is the length so far
 * of a wait that has not ended. */
struct clock_task {
    int32_t tid;
    int64_t cpu_us, delay_us, runs, waits_us;
};

/* A look: what is seen of a job at one moment. */
struct clock_look {
    int64_t now_us;
    int64_t used_us;          /* CPU time of the whole job so far */
    struct clock_task *tasks; /* sorted by tid, from malloc; the clock takes them over */
    size_t count;
    bool whole;         /* `tasks` has all tasks of the job */
    bool asleep;        /* no task has a CPU or wants one */
    bool skipped;       /* the tasks were not read: the job was asleep, and has had no CPU since */
    int64_t held_up_us; /* how long, since the last look at its pipes, the job may have waited for
                           us to read or fill them: we had no CPU, or were busy with other jobs */
};

struct job_clock {
    int64_t millicpus; /* CPUs that the job may use at once, in thousandths */
    int64_t started_us;
    int64_t withheld_us; /* so far */
    int64_t demand;      /* CPUs that it had or waited for in the last interval, in thousandths */
    /* As of the last look: */
    int64_t looked_us, used_us;
    struct clock_task *tasks;
    size_t count;
    bool whole, asleep;
    int64_t room_us;  /* unused time just before the last look: a wait counted later may claim it */
    int64_t usual_us; /* how long a wait of this job usually takes */
    int64_t ahead_us; /* time that it is ahead of its share, having used its quota early */
    int64_t delay_sum_us, cpu_sum_us; /* sums over tasks that were seen; the latest count most */
};

/* Starts the clock at started_us, when the job's processes had used used_us of CPU time. */
void clock_begin(struct job_clock *clock, int64_t started_us, int64_t used_us, int64_t millicpus);
void clock_free(struct job_clock *clock);

/* Advances the clock by what was seen now. */
void clock_advance(struct job_clock *clock, const struct clock_look *look);

/* What the clock shows, if nothing has been withheld since the last look. */
int64_t clock_read(const struct job_clock *clock, int64_t now_us);

/* A task as of the last look; NULL: it was not seen then. */
const struct clock_task *clock_task(const struct job_clock *clock, int32_t tid);

/* Estimates how long a runnable task has waited by now: the kernel does not tell whether it is on a
 * CPU or waits for one. It was last seen interval_us ago as `last`; where that is NULL, it is
 * age_us old. A wait of the job usually takes usual_us. */
int64_t clock_wait(const struct clock_task *task, const struct clock_task *last,
                   int64_t interval_us, int64_t age_us, int64_t usual_us);

#endif
