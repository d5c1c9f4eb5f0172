/* A floor under the host's memory. See floor.h.
 *
 * A look reads /proc/meminfo, which takes 6 µs. It is taken once a second while much is left, and
 * more often the less is left. Only near the floor are jobs looked at one by one, to find which of
 * them grew. A part of a job's memory is counted in its cgroup. Nobody counts what the host lost
 * beyond that: it is divided among the jobs by the time that each spent in the kernel, as such
 * memory can only be taken there. */
#include "core/floor.h"

#include <stdio.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "common/util.h"
#include "core/meminfo.h"
#include "core/run.h"

#define MIB (INT64_C(1) << 20)
/* The time from one look to the next. */
#define LOOK_MIN_US INT64_C(100000)
#define LOOK_MAX_US INT64_C(1000000)
/* The most memory that a CPU can take in a microsecond. */
#define TAKEN_BYTES 2048
/* The floor is near when less than this many times the floor is left. */
#define NEAR_TIMES 2
/* Less does not count as growth. */
#define GREW_BYTES MIB
/* Ending a job that holds less than this helps nobody. Uncounted, the kernel can hold no more for
 * it than it took in the time that the job spent in the kernel: about 200 bytes a call. */
#define WORTH_BYTES (16 * MIB)
#define KERNEL_BYTES 256 /* for each microsecond in the kernel */
/* The time that the memory of an ended job may take to come back. */
#define SETTLE_US INT64_C(300000)
/* How long to wait if none of our jobs grows: other programs took the memory, and may give it
 * back. */
#define PATIENCE_US INT64_C(1000000)

static int64_t standard_floor(void)
{
    int64_t total = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
    int64_t bytes = total / 40 > 64 * MIB ? total / 40 : 64 * MIB;
    return bytes < total / 8 ? bytes : total / 8;
}

void floor_open(struct sb_sandbox *sandbox, int64_t bytes)
{
    sandbox->floor = (struct floor){
        .bytes = bytes > 0 ? bytes : standard_floor(), .meminfo = -1, .timer = -1, .available = -1};
    /* Opens the file now, when callers expect files to be opened. The first look is still due. */
    sandbox->floor.available = meminfo_available(&sandbox->floor.meminfo);
    sandbox->floor_source = (struct source){.kind = SOURCE_FLOOR, .spent = -1};
}

void floor_close(struct sb_sandbox *sandbox)
{
    close_fd(&sandbox->floor.meminfo);
    close_fd(&sandbox->floor.timer);
}

/* ── What is left ──────────────────────────────────────────────────────────────────────────── */

static bool is_low(const struct floor *floor)
{
    return floor->available >= 0 && floor->available < floor->bytes;
}

/* The next look must come before what is left above the floor can be gone. */
static int64_t pause_us(const struct sb_sandbox *sandbox)
{
    const struct floor *floor = &sandbox->floor;
    int64_t cpus = (sandbox->millicpus + 999) / 1000;
    int64_t us = (floor->available - floor->bytes) / (TAKEN_BYTES * (cpus > 0 ? cpus : 1));
    return us < LOOK_MIN_US ? LOOK_MIN_US : us > LOOK_MAX_US ? LOOK_MAX_US : us;
}

/* ── Who took it ───────────────────────────────────────────────────────────────────────────── */

/* A job that began after the last look has taken all that it has since then. Of other jobs that the
 * last look skipped, nothing is known. */
static void measure(struct sb_run *run, int64_t near_us, int64_t now_us)
{
    const struct cgroup_host *host = &run->sandbox->cgroup;
    struct growth *growth = &run->growth;
    int64_t memory = cgroup_number(host, &run->process.cgroup, CGROUP_MEMORY_NOW);
    int64_t system_us = cgroup_number(host, &run->process.cgroup, CGROUP_SYSTEM_TIME_US);
    bool known = growth->looked_us > 0 && growth->looked_us == near_us;
    if (!known && (near_us == 0 || run->evidence.started_us < near_us)) {
        growth->memory = memory;
        growth->system_us = system_us;
    } else if (!known) { /* its cgroup may have been another job's before */
        int64_t before_us = run->evidence.cpu_time_before_us;
        growth->system_us = system_us < before_us ? system_us : before_us;
    }
    growth->more = memory - growth->memory;
    growth->more_system_us = system_us - growth->system_us;
    growth->memory = memory;
    growth->system_us = system_us;
    growth->looked_us = now_us;
}

static bool is_running(const struct sb_run *run)
{
    return run->phase < RUN_DEAD && run->evidence.end != SCRIPT_EXITED && run->warm_job == NULL &&
           run->evidence.cause == CAUSE_NONE;
}

/* A job's share of what the host lost uncounted: by its part of the time that all jobs spent in the
 * kernel. */
static int64_t share(const struct sb_run *run, int64_t uncounted, int64_t system_us)
{
    int64_t own_us = run->growth.more_system_us;
    if (uncounted <= 0 || own_us <= 0)
        return 0;
    int64_t bytes = (int64_t)((double)uncounted * (double)own_us / (double)system_us);
    return bytes < TAKEN_BYTES * own_us ? bytes : TAKEN_BYTES * own_us;
}

static bool is_worth_it(const struct sb_run *run)
{
    return run->growth.memory + KERNEL_BYTES * run->growth.system_us >= WORTH_BYTES;
}

/* Notes which runs grew. Returns the run that grew most and holds enough, NULL: none. `lost`:
 * memory that the host lost, also to our own zygotes. */
static struct sb_run *find_growth(struct sb_sandbox *sandbox, int64_t lost, int64_t now_us)
{
    struct sb_run *run, *most = NULL;
    int64_t uncounted = lost, system_us = 0, most_bytes = GREW_BYTES - 1;
    LIST_FOREACH(run, &sandbox->runs, link)
    {
        if (!is_running(run))
            continue;
        measure(run, sandbox->floor.near_us, now_us);
        uncounted -= run->growth.more > 0 ? run->growth.more : 0;
        system_us += run->growth.more_system_us > 0 ? run->growth.more_system_us : 0;
    }
    LIST_FOREACH(run, &sandbox->runs, link)
    {
        if (!is_running(run))
            continue;
        int64_t bytes = run->growth.more + share(run, uncounted, system_us);
        if (bytes >= GREW_BYTES)
            run->growth.grew_us = now_us;
        if (bytes > most_bytes && is_worth_it(run)) {
            most = run;
            most_bytes = bytes;
        }
    }
    return most;
}

static int64_t grew_us(const struct sb_run *run)
{
    return run->growth.grew_us > 0 ? run->growth.grew_us : run->evidence.started_us;
}

static struct sb_run *find_last_grown(struct sb_sandbox *sandbox)
{
    struct sb_run *run, *last = NULL;
    LIST_FOREACH(run, &sandbox->runs, link)
    if (is_running(run) && is_worth_it(run) && (last == NULL || grew_us(run) > grew_us(last)))
        last = run;
    return last;
}

static void end_for_memory(struct sb_run *run)
{
    const struct floor *floor = &run->sandbox->floor;
    snprintf(run->evidence.reason, sizeof(run->evidence.reason),
             "the host was running out of memory: it had %lld MiB left, less than the floor of "
             "%lld MiB, and this job was the last to grow; run fewer jobs at once, or free memory, "
             "and try again",
             (long long)(floor->available / MIB), (long long)(floor->bytes / MIB));
    run_kill(run, CAUSE_HOST_MEMORY);
}

/* ── Looking ───────────────────────────────────────────────────────────────────────────────── */

static void defend(struct sb_sandbox *sandbox, int64_t lost, int64_t now_us)
{
    struct floor *floor = &sandbox->floor;
    struct sb_run *run = find_growth(sandbox, lost, now_us);
    floor->near_us = now_us;
    if (!is_low(floor) || now_us - floor->ended_us < SETTLE_US)
        return;
    int64_t since_us = floor->ended_us > floor->under_us ? floor->ended_us : floor->under_us;
    if (run == NULL && now_us - since_us >= PATIENCE_US)
        run = find_last_grown(sandbox);
    if (run == NULL)
        return;
    floor->ended_us = now_us;
    end_for_memory(run);
}

void floor_look(struct sb_sandbox *sandbox, int64_t now_us)
{
    struct floor *floor = &sandbox->floor;
    int64_t before = floor->available;
    if (floor->looked_us > 0 && now_us - floor->looked_us < pause_us(sandbox))
        return;
    floor->available = meminfo_available(&floor->meminfo);
    floor->looked_us = now_us;
    if (!is_low(floor))
        floor->under_us = 0;
    else if (floor->under_us == 0)
        floor->under_us = now_us;
    if (floor->available >= 0 && floor->available / NEAR_TIMES < floor->bytes)
        defend(sandbox, before >= 0 ? before - floor->available : 0, now_us);
    else
        floor->near_us = 0;
}

static void arm(struct sb_sandbox *sandbox)
{
    struct floor *floor = &sandbox->floor;
    int64_t in_us = floor->looked_us + pause_us(sandbox) - monotonic_us();
    in_us = in_us < LOOK_MIN_US ? LOOK_MIN_US : in_us;
    struct itimerspec when = {
        .it_value = {.tv_sec = in_us / 1000000, .tv_nsec = in_us % 1000000 * 1000}};
    floor->armed = timerfd_settime(sandbox->floor.timer, 0, &when, NULL) == 0;
}

/* Without a timer jobs run on: a look is still taken whenever a job ends. */
void floor_watch(struct sb_sandbox *sandbox)
{
    struct floor *floor = &sandbox->floor;
    if (floor->armed)
        return;
    if (floor->timer < 0) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &sandbox->floor_source};
        floor->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
        if (epoll_ctl(sandbox->epoll, EPOLL_CTL_ADD, floor->timer, &event) < 0)
            close_fd(&floor->timer);
    }
    if (floor->timer >= 0)
        arm(sandbox);
}

void floor_ready(struct sb_sandbox *sandbox)
{
    uint64_t count;
    ssize_t ignored = read(sandbox->floor.timer, &count, sizeof(count));
    (void)ignored;
    sandbox->floor.armed = false;
    floor_look(sandbox, monotonic_us());
    if (sandbox->running > 0)
        arm(sandbox);
}

struct sb_host_memory sb_host_memory(struct sb_sandbox *sandbox, bool look)
{
    if (sandbox == NULL)
        return (struct sb_host_memory){.available_bytes = -1};
    const struct floor *floor = &sandbox->floor;
    int64_t now_us = look ? monotonic_us() : 0;
    if (look && (floor->looked_us == 0 || now_us - floor->looked_us >= LOOK_MIN_US)) {
        sandbox->floor.looked_us = 0; /* due now, however much was left */
        floor_look(sandbox, now_us);
    }
    return (struct sb_host_memory){
        .available_bytes = floor->available, .floor_bytes = floor->bytes, .low = is_low(floor)};
}
