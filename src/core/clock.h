/* The clock that wall_time_ms limits: time, except for time in which the host withheld the CPU from
 * the job. So a verdict does not depend on what else the host has to do.
 *
 * Arithmetic alone: whoever looks at a job's tasks (schedstat.c) tells what was seen, and learns
 * how much was withheld. Times are microseconds of CLOCK_MONOTONIC. */
#ifndef SB_CLOCK_H
#define SB_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A thread of the job: since its birth it had the CPU for cpu_us, `runs` times, and waited for it,
 * runnable, for delay_us. The kernel counts a wait when it ends; waits_us is what one takes so far
 * that has not. */
struct clock_task {
    int32_t tid;
    int64_t cpu_us, delay_us, runs, waits_us;
};

/* What is seen of a job at one moment. */
struct clock_look {
    int64_t now_us;
    int64_t used_us;          /* CPU time of the whole job so far */
    struct clock_task *tasks; /* sorted by tid, from malloc; the clock takes them over */
    size_t count;
    bool whole;         /* all its tasks are there */
    bool asleep;        /* none of them has a CPU or wants one */
    bool skipped;       /* nobody looked at them: the job was asleep, and has had no CPU since */
    int64_t held_up_us; /* for so long, since its output was last read, it may have waited for that
                           because we had no CPU, or were busy with others */
};

struct job_clock {
    int64_t millicpus; /* that the job may use at once */
    int64_t started_us;
    int64_t withheld_us; /* so far */
    int64_t demand;      /* in the last interval: CPUs that it had or waited for, in thousandths */
    /* As of the last look: */
    int64_t looked_us, used_us;
    struct clock_task *tasks;
    size_t count;
    bool whole, asleep;
    int64_t room_us;  /* time just before it that a wait may explain which is counted later */
    int64_t usual_us; /* how long a wait takes */
    int64_t ahead_us; /* CPU time of its quota that it had before its time */
    int64_t delay_sum_us, cpu_sum_us; /* of tasks that were seen, the latest counting most */
};

/* Time runs from started_us, when the job's processes had had used_us of CPU time. */
void clock_begin(struct job_clock *clock, int64_t started_us, int64_t used_us, int64_t millicpus);
void clock_free(struct job_clock *clock);

/* Takes what is seen now into account. */
void clock_advance(struct job_clock *clock, const struct clock_look *look);

/* What the clock shows, if nothing has been withheld since the last look. */
int64_t clock_read(const struct job_clock *clock, int64_t now_us);

/* What the last look knew of a task; NULL: nothing. */
const struct clock_task *clock_task(const struct job_clock *clock, int32_t tid);

/* How long a task has waited by now that is runnable, on a CPU or waiting for one: nobody tells
 * which. It was last seen interval_us ago as `last`, or is age_us old; waits of the job take about
 * usual_us. */
int64_t clock_wait(const struct clock_task *task, const struct clock_task *last,
                   int64_t interval_us, int64_t age_us, int64_t usual_us);

#endif
