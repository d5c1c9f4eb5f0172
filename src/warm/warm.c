/* Warm starts, for the core (struct warm_operations) and for callers (sandbox.h): which job gets a
 * child, and how many children are parked. See pool.h for the children, zygote_pair.h for their
 * zygotes. */
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "common/error.h"
#include "common/util.h"
#include "core/sources.h"
#include "core/start.h"
#include "core/supervise.h"
#include "warm/warm_job.h"
#include "warm/zygote_pair.h"

/* The memory that a parked child takes, about: pages that it has written, page tables, kernel
 * memory. */
#define CHILD_BYTES (3 << 20)
/* Children are parked for the jobs that will arrive within this time, about what making one child
 * takes when all cores are busy; a few more are parked for bursts. */
#define AHEAD_US 20000
#define PARKED_MIN 4
/* A parked child is replaced after this time. */
#define PARKED_US (10 * 60 * INT64_C(1000000))
/* Deferred work runs REST_US after the last job ended, or every REST_BESIDE_JOBS_US while jobs run,
 * so that it does not slow short jobs down; children are cloned at once when few are left. */
#define REST_US 300
#define REST_BESIDE_JOBS_US 2000
/* The most children that a zygote owes at a time: the kernel limits the descriptors in flight. */
#define SPAWNING_MAX 32
/* The pause after a child could not be asked for. */
#define REFILL_RETRY_US 100000

struct warm {
    struct sb_warm_options options;
    struct pool *pools;
    struct pool *gone;            /* forgotten pools; events of this turn may still name them */
    struct source upkeep, rest;   /* the sources of these timers: */
    int upkeep_timer, rest_timer; /* each second; for deferred work (REST_US) */
    bool resting;                 /* rest_timer is set */
    bool rested;                  /* rest_timer expired in this turn */
};

/* ── Pools ─────────────────────────────────────────────────────────────────────────────── */

static struct pool *pool_of(const struct sb_sandbox *sandbox, const struct sb_policy *policy)
{
    struct pool *pool = sandbox->warm->pools;
    while (pool != NULL && pool->policy != policy)
        pool = pool->next;
    return pool;
}

/* Zygotes start one after the other, so that a service that has just started has CPU for its
 * jobs. */
static void keep_zygotes(struct warm *warm)
{
    bool starting = false;
    for (struct pool *pool = warm->pools; pool != NULL; pool = pool->next)
        starting |= zygote_pair_starting(pool);
    for (struct pool *pool = warm->pools; pool != NULL; pool = pool->next) {
        zygote_pair_keep(pool, &warm->options, !starting);
        starting |= zygote_pair_starting(pool);
    }
}

/* ── How many are parked ───────────────────────────────────────────────────────────────────── */

static void note_arrival(struct pool *pool)
{
    int64_t now = monotonic_us();
    double interval = (double)(now - pool->arrived_us);
    pool->interval_us = pool->arrived_us == 0 ? interval : pool->interval_us * 0.9 + interval * 0.1;
    pool->arrived_us = now;
}

static size_t wanted(const struct pool *pool)
{
    const struct warm *warm = pool->sandbox->warm;
    size_t pools = 0;
    for (struct pool *other = warm->pools; other != NULL; other = other->next)
        pools++;
    size_t most = MIN(warm->options.parked_max,
                      (size_t)(warm->options.memory_bytes / CHILD_BYTES) / MAX(pools, 1));
    /* The second value grows when no more jobs come. */
    double interval = MAX(pool->interval_us, (double)(monotonic_us() - pool->arrived_us) / 10);
    size_t expected = pool->interval_us > 0 ? (size_t)(AHEAD_US / MAX(interval, 1)) : 0;
    return MIN(PARKED_MIN + expected, MAX(most, 1));
}

/* Parked children and those asked for, less the jobs that wait for one. */
static ptrdiff_t coming(const struct pool *pool)
{
    return (ptrdiff_t)(pool->parked.count + pool_spawning(pool)) - (ptrdiff_t)pool->waiting_count;
}

static bool can_ask(struct pool *pool)
{
    return zygote_pair_serving(pool)->ready && pool_spawning(pool) < SPAWNING_MAX &&
           monotonic_us() >= pool->refill_us;
}

/* Asks for one child at a time: requests that came meanwhile go first. */
static void refill(struct pool *pool)
{
    struct sb_error err;
    if (!can_ask(pool) || coming(pool) >= (ptrdiff_t)wanted(pool) || pool_spawn(pool, &err) == 0)
        return;
    snprintf(pool->reason, sizeof(pool->reason), "%s", err.message);
    pool->refill_us = monotonic_us() + REFILL_RETRY_US;
    pool_start_rest_cold(pool);
}

/* Plans deferred work. Never at once: callers that wait for a verdict of this turn are answered
 * first. */
static void plan_rest(struct sb_sandbox *sandbox, bool beside_jobs)
{
    struct warm *warm = sandbox->warm;
    bool any = sandbox->untended, few = false;
    for (struct pool *pool = warm->pools; pool != NULL; pool = pool->next) {
        if (!can_ask(pool))
            continue;
        ptrdiff_t goal = (ptrdiff_t)wanted(pool);
        any |= coming(pool) < goal;
        few |= coming(pool) < goal / 2;
    }
    if (!any || (warm->resting && beside_jobs && !few))
        return;
    int64_t rest_us = beside_jobs ? REST_BESIDE_JOBS_US : REST_US;
    struct itimerspec when = {{0}, {.tv_nsec = few ? 1 : rest_us * 1000}};
    timerfd_settime(warm->rest_timer, 0, &when, NULL);
    warm->resting = true;
}

static void plan(struct sb_sandbox *sandbox)
{
    plan_rest(sandbox, true);
}

static void replace_old(struct pool *pool)
{
    int64_t now = monotonic_us();
    for (const struct child *first;
         (first = TAILQ_FIRST(&pool->parked.list)) != NULL &&
         (now - first->born_us > PARKED_US || pool->parked.count > 2 * wanted(pool));)
        pool_kill(pool, pool_take_parked(pool));
}

static void free_gone(struct warm *warm)
{
    for (struct pool **at = &warm->gone; *at != NULL;) {
        struct pool *pool = *at;
        pool_free_dead(pool);
        if (pool->dead.count > 0) {
            at = &pool->next;
        } else {
            *at = pool->next;
            free(pool);
        }
    }
}

static void turned(struct sb_sandbox *sandbox)
{
    struct warm *warm = sandbox->warm;
    if (warm->rested) {
        warm->rested = warm->resting = false;
        runs_tend(sandbox); /* first, so that dead jobs' cgroups serve the next children */
        for (struct pool *pool = warm->pools; pool != NULL; pool = pool->next)
            refill(pool);
    }
    for (struct pool *pool = warm->pools; pool != NULL; pool = pool->next)
        pool_free_dead(pool);
    keep_zygotes(warm);
    plan_rest(sandbox, sandbox->running > 0);
    free_gone(warm);
}

static void on_timer(struct warm *warm, bool rest)
{
    uint64_t count;
    ssize_t ignored = read(rest ? warm->rest_timer : warm->upkeep_timer, &count, sizeof(count));
    (void)ignored;
    if (rest) {
        warm->rested = true;
        return;
    }
    for (struct pool *pool = warm->pools; pool != NULL; pool = pool->next) {
        replace_old(pool);
        pool_release_cgroups(pool);
    }
}

/* ── What the core asks ────────────────────────────────────────────────────────────────────── */

/* Whether a zygote's child can have as many open files as the run asks for: no more than we may
 * have, unless the policy gives more. */
static bool has_files(const struct sb_run *run, const struct pool *pool)
{
    struct rlimit ours;
    int64_t asked = run->asked.limits.value[SB_OPEN_FILES];
    return asked <= pool->policy->limits.value[SB_OPEN_FILES] ||
           (getrlimit(RLIMIT_NOFILE, &ours) == 0 && (rlim_t)asked <= ours.rlim_max);
}

/* Whether a parked child suits a run: its tmpfs has the size that the policy says, and its
 * processes are counted by its cgroup. */
static bool fits(const struct sb_run *run, const struct pool *pool, unsigned may_lack)
{
    static const enum sb_limit fixed[] = {SB_TMP_BYTES, SB_TMP_FILES};
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
        if (run->asked.limits.value[fixed[i]] != pool->policy->limits.value[fixed[i]])
            return false;
    if (pool->sandbox->cgroup.backend == NULL && /* the child has RLIMIT_CPU instead */
        run->asked.limits.value[SB_CPU_TIME_MS] != pool->policy->limits.value[SB_CPU_TIME_MS])
        return false;
    return has_files(run, pool) && may_lack == lack_allowed(pool->sandbox, pool->policy);
}

static int start(struct sb_sandbox *sandbox, struct sb_run *run, const struct sb_job *job,
                 unsigned may_lack)
{
    if (!job->policy->warm)
        return 0;
    sb_warm_prepare(sandbox, job->policy);
    struct pool *pool = pool_of(sandbox, job->policy);
    if (pool == NULL || !fits(run, pool, may_lack) ||
        (!zygote_pair_serving(pool)->ready && pool->parked.count == 0))
        return 0;
    run->warm_job = warm_job_copy(run, job, may_lack);
    if (run->warm_job == NULL)
        return 0;
    note_arrival(pool);
    struct child *child = pool_take_parked(pool);
    struct sb_error err;
    size_t spawning = pool_spawning(pool);
    bool ask = child == NULL && spawning <= pool->waiting_count && spawning < SPAWNING_MAX;
    if (ask && pool_spawn(pool, &err) < 0) {
        warm_job_free(steal_ptr(run->warm_job));
        return 0;
    }
    if (child != NULL) {
        pool_hand_over(pool, child, run);
        plan_rest(sandbox, true);
        return 1;
    }
    pool_wait(pool, run);
    return 1;
}

/* Reads the child's next report. False: there is none now, or none to come. */
static bool hear(struct sb_run *run, struct report *report)
{
    int listener;
    bool take = !run->evidence.alone; /* otherwise no process is left whose calls could wait */
    ssize_t n =
        message_receive(run->process.fd[SOURCE_CHANNEL], report, sizeof(*report), take, &listener);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n != sizeof(*report)) {
        source_close(run, SOURCE_CHANNEL);
        return false; /* the child ends; its pidfd tells so */
    }
    if (report->kind == REPORT_LISTENER)
        denied_begin(run, listener);
    return true;
}

/* The child has taken its job, or could not, and its report says why. */
static void on_channel(struct sb_run *run)
{
    struct report report = {0};
    do
        if (!hear(run, &report))
            return;
    while (report.kind == REPORT_LISTENER);
    source_close(run, SOURCE_CHANNEL);
    if (run->asked.policy->report_denied && run->process.listener == LISTENER_AWAITED)
        denied_begin(run, -1);
    struct pool *pool = pool_of(run->sandbox, run->asked.policy);
    if (pool != NULL)
        pool->failures = 0;
    if (report.step >= 0) {
        run->evidence.end = SCRIPT_FAILED;
        run->evidence.failure = report;
    }
    warm_job_free(steal_ptr(run->warm_job));
    run_let_in(run, report.at_us);
    struct sb_error err;
    if (stdin_next(run, &err) < 0)
        run_fail(run, err.message);
}

static void ready(struct sb_sandbox *sandbox, struct source *source)
{
    if (source->kind == SOURCE_CHANNEL) {
        on_channel(source->run);
        return;
    }
    if (source == &sandbox->warm->upkeep || source == &sandbox->warm->rest) {
        on_timer(sandbox->warm, source == &sandbox->warm->rest);
        return;
    }
    for (struct pool *pool = sandbox->warm->pools; pool != NULL; pool = pool->next) {
        struct report report;
        if (zygote_pair_heard(pool, source))
            return;
        if (pool_died(pool, source, &report)) {
            if (report.kind == REPORT_FAILED)
                zygote_pair_child_failed(pool, &report);
            return;
        }
    }
}

static void cancel(struct sb_run *run)
{
    struct pool *pool = pool_of(run->sandbox, run->asked.policy);
    if (pool != NULL)
        pool_cancel(pool, run);
}

static void release(struct sb_run *run)
{
    struct pool *pool = pool_of(run->sandbox, run->asked.policy);
    if (pool != NULL)
        pool_release_network(pool, &run->process);
}

static bool keep(struct sb_run *run)
{
    struct pool *pool = pool_of(run->sandbox, run->asked.policy);
    return pool != NULL && pool_keep_cgroup(pool, run);
}

/* Nothing of the job has run: releases what the child had, and starts a fresh python in its
 * place. */
static bool again(struct sb_run *run)
{
    struct pool *pool = pool_of(run->sandbox, run->asked.policy);
    if (run->evidence.end == SCRIPT_FAILED && pool != NULL)
        zygote_pair_child_failed(pool, &run->evidence.failure);
    sources_close(run);
    process_release_namespaces(&run->process);
    if (cgroup_remove(&run->sandbox->cgroup, &run->process.cgroup) == 0)
        release(run);
    process_release(&run->process); /* the next start clears a cgroup that is left */
    evidence_free(&run->evidence);
    run->listened = false;
    run->phase = RUN_WAITING;
    warm_job_start_cold(run);
    return true;
}

static void free_job(struct sb_run *run)
{
    warm_job_free(steal_ptr(run->warm_job));
}

static void close_pool(struct sb_sandbox *sandbox, struct pool *pool)
{
    struct pool **at = &sandbox->warm->pools;
    while (*at != pool)
        at = &(*at)->next;
    *at = pool->next;
    pool->next = sandbox->warm->gone;
    sandbox->warm->gone = pool;
    zygote_pair_close(pool);
    pool_release_cgroups(pool);
    for (struct child *child; (child = pool_take_parked(pool)) != NULL;)
        pool_kill(pool, child);
    if (!sandbox->turning)
        free_gone(sandbox->warm);
}

static void close_all(struct sb_sandbox *sandbox)
{
    struct warm *warm = sandbox->warm;
    while (warm->pools != NULL)
        close_pool(sandbox, warm->pools);
    /* The next start clears what is left after that. */
    for (int tries = 0; warm->gone != NULL && tries < 1000; tries++) {
        usleep(1000);
        free_gone(warm);
    }
    close_fd(&warm->upkeep_timer);
    close_fd(&warm->rest_timer);
    free(steal_ptr(sandbox->warm));
    sandbox->warm_operations = NULL;
}

/* ── For callers ───────────────────────────────────────────────────────────────────────────── */

static int open_timer(struct sb_sandbox *sandbox, struct source *source, int *timer)
{
    *source = (struct source){.kind = SOURCE_WARM, .spent = -1};
    *timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};
    return *timer < 0 ? -1 : epoll_ctl(sandbox->epoll, EPOLL_CTL_ADD, *timer, &event);
}

static int may_enable(const struct sb_sandbox *sandbox, struct sb_error *err)
{
    if (sandbox == NULL)
        return sb_fail_null(err, "sandbox", "one of sb_open");
    if (sandbox->warm != NULL)
        return sb_fail(err, "warm", 0,
                       "warm starts are enabled already: enable them once for each sandbox");
    if (sandbox->turning || sandbox->running > 0)
        return sb_fail(err, "warm", 0,
                       "warm starts can't be enabled while jobs run: do it after sb_open");
    return 0;
}

int sb_warm_enable(struct sb_sandbox *sandbox, const struct sb_warm_options *options,
                   struct sb_error *err)
{
    static const struct warm_operations operations = {
        .start = start,
        .ready = ready,
        .cancel = cancel,
        .again = again,
        .release = release,
        .keep = keep,
        .free_job = free_job,
        .plan = plan,
        .turned = turned,
        .close = close_all,
    };
    static const struct sb_warm_options defaults;
    if (may_enable(sandbox, err) < 0)
        return -1;
    if (options == NULL)
        options = &defaults;
    struct warm *warm = calloc(1, sizeof(*warm));
    if (warm == NULL)
        return sb_fail(err, "warm", ENOMEM, "out of memory (warm starts)");
    warm->upkeep_timer = warm->rest_timer = -1;
    warm->options = (struct sb_warm_options){
        .parked_max = options->parked_max ? options->parked_max : 16,
        .memory_bytes = options->memory_bytes ? options->memory_bytes : INT64_C(256) << 20,
        .renew_jobs = options->renew_jobs ? options->renew_jobs : 10000,
        .renew_ms = options->renew_ms ? options->renew_ms : INT64_C(3600000),
    };
    struct itimerspec each_second = {{.tv_sec = 1}, {.tv_sec = 1}};
    if (open_timer(sandbox, &warm->upkeep, &warm->upkeep_timer) < 0 ||
        open_timer(sandbox, &warm->rest, &warm->rest_timer) < 0 ||
        timerfd_settime(warm->upkeep_timer, 0, &each_second, NULL) < 0) {
        close_fd(&warm->upkeep_timer);
        close_fd(&warm->rest_timer);
        free(warm);
        return sb_fail(err, "warm", errno, "cannot make a timer: %m; raise ulimit -n");
    }
    sandbox->warm = warm;
    sandbox->warm_operations = &operations;
    return 0;
}

void sb_warm_prepare(struct sb_sandbox *sandbox, const struct sb_policy *policy)
{
    if (sandbox == NULL || sandbox->warm == NULL || policy == NULL || !policy->warm ||
        pool_of(sandbox, policy) != NULL)
        return;
    struct pool *pool = calloc(1, sizeof(*pool));
    if (pool == NULL)
        return;
    pool_init(pool, sandbox, policy);
    pool->next = sandbox->warm->pools;
    sandbox->warm->pools = pool;
    zygote_pair_init(pool);
    keep_zygotes(sandbox->warm);
}

void sb_warm_forget(struct sb_sandbox *sandbox, const struct sb_policy *policy)
{
    struct pool *pool = sandbox != NULL && sandbox->warm != NULL ? pool_of(sandbox, policy) : NULL;
    if (pool != NULL)
        close_pool(sandbox, pool);
}

struct sb_warm_state sb_warm_state(const struct sb_sandbox *sandbox, const struct sb_policy *policy)
{
    struct pool *pool = sandbox != NULL && sandbox->warm != NULL ? pool_of(sandbox, policy) : NULL;
    if (pool == NULL)
        return (struct sb_warm_state){.reason = "no job has asked for it yet", .broken = ""};
    return (struct sb_warm_state){
        .ready = zygote_pair_serving(pool)->ready,
        .parked = pool->parked.count,
        .children = zygote_pair_serving(pool)->children,
        .zygote = zygote_pair_serving(pool)->process.pid,
        .failed = pool->failures,
        .reason = pool->reason,
        .broken = pool->broken,
    };
}
