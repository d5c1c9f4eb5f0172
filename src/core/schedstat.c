/* Reads /proc/TID/schedstat of a job's tasks: time on a CPU and time spent waiting for one, in
 * nanoseconds, and the number of turns on a CPU. See the kernel's
 * Documentation/scheduler/sched-stats.rst and schedstat.h. */
#include "core/schedstat.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/small_file.h"
#include "common/util.h"

/* If a job has more tasks, this many are read and stand for all: each takes some µs. */
#define TASKS_MAX 256
/* Values read within this time count as values of one moment. */
#define MOMENT_US 1000
#define MOMENT_TRIES 5
/* Our own thread is read again only after this time. */
#define OWN_US 5000

static bool read_file(const char *path, struct clock_task *task)
{
    char text[96];
    uint64_t cpu_ns, delay_ns, runs;
    if (small_file_read(AT_FDCWD, path, text, sizeof(text)) <= 0 ||
        sscanf(text, "%" SCNu64 " %" SCNu64 " %" SCNu64, &cpu_ns, &delay_ns, &runs) != 3)
        return false;
    *task = (struct clock_task){.cpu_us = (int64_t)(cpu_ns / 1000),
                                .delay_us = (int64_t)(delay_ns / 1000),
                                .runs = (int64_t)runs};
    return true;
}

static bool read_task(int32_t tid, struct clock_task *task)
{
    char path[40];
    snprintf(path, sizeof(path), "/proc/%" PRId32 "/schedstat", tid);
    bool there = read_file(path, task);
    task->tid = tid;
    return there;
}

void schedstat_own(struct own_times *own)
{
    struct clock_task task;
    int64_t now_us = monotonic_us();
    if (now_us - own->looked_us < OWN_US || !read_file("/proc/thread-self/schedstat", &task))
        return;
    own->looked_us = now_us;
    own->cpu_us = task.cpu_us;
    own->delay_us = task.delay_us;
}

bool schedstat_available(void)
{
    struct clock_task task;
    return read_file("/proc/thread-self/schedstat", &task) && task.cpu_us > 0;
}

/* The age of a runnable task, on a CPU or waiting for one; −1: it is not runnable. See proc(5). */
static int64_t age_of_runnable(int32_t tid)
{
    char path[40], text[1024];
    uint64_t ticks;
    snprintf(path, sizeof(path), "/proc/%" PRId32 "/stat", tid);
    if (small_file_read(AT_FDCWD, path, text, sizeof(text)) <= 0)
        return -1;
    const char *at = strrchr(text, ')'); /* the name may contain anything, also ")" */
    if (at == NULL || strncmp(at, ") R ", 4) != 0)
        return -1;
    for (int field = 2; field < 22 && at != NULL; field++)
        at = strchr(at + 1, ' ');
    if (at == NULL || sscanf(at, "%" SCNu64, &ticks) != 1)
        return -1;
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    int64_t tick_us = 1000000 / sysconf(_SC_CLK_TCK);
    int64_t born_us = (int64_t)ticks * tick_us + tick_us / 2;
    int64_t now_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
    return MAX(now_us - born_us, 0);
}

static void add_wait(struct clock_look *look, struct clock_task *task,
                     const struct job_clock *clock)
{
    int64_t age_us = age_of_runnable(task->tid);
    if (age_us < 0)
        return;
    look->asleep = false;
    task->waits_us = clock_wait(task, clock_task(clock, task->tid),
                                monotonic_us() - clock->looked_us, age_us, clock->usual_us);
}

static int compare_tasks(const void *a, const void *b)
{
    int32_t left = ((const struct clock_task *)a)->tid, right = ((const struct clock_task *)b)->tid;
    return (left > right) - (left < right);
}

static void read_tasks(struct clock_look *look, const struct job_clock *clock,
                       const struct cgroup_job *job)
{
    char text[TASKS_MAX * 8], *state = NULL;
    look->tasks = calloc(TASKS_MAX, sizeof(*look->tasks));
    if (look->tasks == NULL ||
        small_file_read(job->dir[0], "cgroup.threads", text, sizeof(text)) < 0)
        return;
    char *end = strrchr(text, '\n');
    if (end == NULL)
        return;
    look->whole = look->asleep = strlen(text) < sizeof(text) - 1;
    end[1] = '\0'; /* the last number may be cut off */
    for (char *tid = strtok_r(text, "\n", &state); tid; tid = strtok_r(NULL, "\n", &state)) {
        struct clock_task *task = &look->tasks[look->count];
        if (look->count == TASKS_MAX)
            look->whole = look->asleep = false;
        else if (read_task(atoi(tid), task)) {
            add_wait(look, task, clock);
            look->count++;
        }
    }
    qsort(look->tasks, look->count, sizeof(*look->tasks), compare_tasks);
    struct clock_task *fitting = reallocarray(look->tasks, look->count + 1, sizeof(*fitting));
    look->tasks = fitting != NULL ? fitting : look->tasks;
}

/* Reads the whole job as of one moment: on a busy host we may lose the CPU half-way, and then read
 * again. */
static void read_job(struct clock_look *look, const struct job_clock *clock,
                     const struct cgroup_host *host, const struct cgroup_job *job, bool surely)
{
    int64_t began_us;
    int tries = 0;
    do {
        free(look->tasks);
        began_us = monotonic_us();
        *look = (struct clock_look){
            .used_us = cgroup_number(host, job, CGROUP_CPU_TIME_US),
        };
        look->skipped = !surely && clock->asleep && look->used_us == clock->used_us;
        if (!look->skipped)
            read_tasks(look, clock, job);
        look->now_us = monotonic_us();
    } while (look->now_us - began_us > MOMENT_US && ++tries < MOMENT_TRIES);
}

void schedstat_look(struct job_clock *clock, const struct cgroup_host *host,
                    const struct cgroup_job *job, int64_t held_up_us, bool surely)
{
    struct clock_look look = {.now_us = 0};
    read_job(&look, clock, host, job, surely);
    look.held_up_us = held_up_us;
    clock_advance(clock, &look);
}
