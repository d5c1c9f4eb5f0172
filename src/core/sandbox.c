/* The public face: opens what the host offers, takes jobs in. The path of a job: sb_start checks
 * and prepares it (job.c, policy.c), launches it (launch.c, then inside.c in the child), and leaves
 * it to the loop (supervise.c), which gives the verdict (verdict.c). */
#include "sandbox.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>

#include "common/error.h"
#include "common/util.h"
#include "core/job.h"
#include "core/run.h"
#include "policy/policy.h"
#include "seccomp/seccomp.h"
#include "seccomp/seccomp_profile.h"

const char *sb_version(void)
{
    return SB_VERSION;
}

/* ── Opening and closing ───────────────────────────────────────────────────────────────────── */

/* Those that are open: a second sb_close finds that its sandbox is not, without looking into it.
 * Nothing else here is common to all threads. */
static LIST_HEAD(sandbox_list, sb_sandbox) sandboxes;
static pthread_mutex_t sandboxes_lock = PTHREAD_MUTEX_INITIALIZER;

static void enter(struct sb_sandbox *sandbox)
{
    pthread_mutex_lock(&sandboxes_lock);
    LIST_INSERT_HEAD(&sandboxes, sandbox, link);
    pthread_mutex_unlock(&sandboxes_lock);
}

/* False: it can't be closed. Where it is being turned, sb_turn is about to look at it again. */
static bool leave(const struct sb_sandbox *closed)
{
    struct sb_sandbox *sandbox;
    pthread_mutex_lock(&sandboxes_lock);
    LIST_FOREACH(sandbox, &sandboxes, link)
    {
        if (sandbox == closed)
            break;
    }
    bool may = sandbox != NULL && !sandbox->turning;
    if (may)
        LIST_REMOVE(sandbox, link);
    pthread_mutex_unlock(&sandboxes_lock);
    return may;
}

int sb_open(struct sb_sandbox **out, const struct sb_options *options, struct sb_error *err)
{
    static const struct sb_options defaults;
    if (out == NULL)
        return sb_fail_null(err, "sandbox", "the address of a pointer");
    *out = NULL;
    if (options == NULL)
        options = &defaults;
    struct sb_sandbox *sandbox = calloc(1, sizeof(*sandbox));
    if (sandbox == NULL)
        return sb_fail(err, "open", ENOMEM, "no memory for a sandbox");
    enter(sandbox);
    cgroup_host_init(&sandbox->cgroup);
    sandbox->best_effort = options->best_effort;
    sandbox->millicpus = sb_millicpus();
    floor_open(sandbox, options->memory_floor_bytes);
    sandbox->buffer = malloc(READ_SIZE);
    sandbox->epoll = epoll_create1(EPOLL_CLOEXEC);
    int result = uids_init(&sandbox->uids, options, err);
    if (result == 0 && options->uids != NULL)
        sandbox->uids = *options->uids;
    if (result == 0 && (sandbox->epoll < 0 || sandbox->buffer == NULL))
        result = sb_fail(err, "epoll", errno,
                         "cannot make an epoll descriptor: %m; raise the limit on open files "
                         "(ulimit -n)");
    if (result == 0)
        result = rootfs_open(&sandbox->rootfs, options->rootfs, options->python, err);
    if (result == 0 && sandbox->uids.way != SB_UIDS_SHARED)
        result = rootfs_check_modes(&sandbox->rootfs, err);
    if (result == 0)
        result = cgroup_open(&sandbox->cgroup, options->cgroup, options->best_effort, err);
    if (result < 0) {
        sb_close(sandbox);
        return -1;
    }
    *out = sandbox;
    return 0;
}

static void free_filter(struct filter *filter)
{
    if (filter->names != NULL)
        seccomp_profile_free(filter->names);
    free(filter->names);
    free(filter->program.filter);
    free(filter->profile);
    free(filter);
}

void sb_close(struct sb_sandbox *sandbox)
{
    if (!leave(sandbox))
        return;
    struct sb_run *run;
    LIST_FOREACH(run, &sandbox->runs, link)
    {
        run->on_done = NULL;
        run->on_output = NULL;
        sb_pause(run, SB_STDOUT, false);
        sb_pause(run, SB_STDERR, false);
        run_kill(run, CAUSE_CALLER);
    }
    struct sb_error ignored;
    while ((sandbox->running > 0 || !LIST_EMPTY(&sandbox->over)) &&
           sb_turn(sandbox, -1, &ignored) == 0)
        ;
    if (sandbox->warm_operations != NULL)
        sandbox->warm_operations->close(sandbox);
    for (struct filter *filter = sandbox->filters; filter != NULL;) {
        struct filter *next = filter->next;
        free_filter(filter);
        filter = next;
    }
    floor_close(sandbox);
    cgroup_close(&sandbox->cgroup);
    rootfs_close(&sandbox->rootfs);
    close_fd(&sandbox->epoll);
    free(sandbox->buffer);
    free(sandbox);
}

int sb_fd(const struct sb_sandbox *sandbox)
{
    return sandbox != NULL ? sandbox->epoll : -1;
}

size_t sb_running(const struct sb_sandbox *sandbox)
{
    return sandbox != NULL ? sandbox->running : 0;
}

int64_t sb_demand(const struct sb_run *run)
{
    return run != NULL && run->clock.looked_us > run->clock.started_us ? run->clock.demand : -1;
}

void sb_kill(struct sb_run *run, int signal, const char *reason)
{
    if (run == NULL)
        return;
    if (run->cause == CAUSE_NONE) {
        run->kill_signal = signal > 0 && signal < NSIG ? signal : SIGKILL;
        snprintf(run->reason, sizeof(run->reason), "%s",
                 reason != NULL ? reason : "the job was ended from outside");
    }
    run_kill(run, CAUSE_CALLER);
}

/* ── Starting a job ────────────────────────────────────────────────────────────────────────── */

static struct filter *find_filter(struct sb_sandbox *sandbox, const struct sb_policy *policy,
                                  bool report)
{
    struct filter *filter = sandbox->filters;
    while (filter != NULL && (filter->writable != policy->writable || filter->report != report ||
                              strcmp(filter->profile, policy->seccomp) != 0))
        filter = filter->next;
    return filter;
}

/* Compiled or read when it is first asked for. */
const struct sock_fprog *filter_of(struct sb_sandbox *sandbox, const struct sb_policy *policy,
                                   bool report, struct sb_error *err)
{
    const char *profile = policy->seccomp;
    struct filter *filter = find_filter(sandbox, policy, report);
    if (filter != NULL)
        return &filter->program;
    filter = calloc(1, sizeof(*filter));
    if (filter == NULL || (filter->profile = strdup(profile)) == NULL) {
        free(filter);
        sb_fail(err, "seccomp", ENOMEM, "no memory for a seccomp filter");
        return NULL;
    }
    filter->writable = policy->writable;
    filter->report = report;
    if (filter_load(&filter->program, profile, filter->report, err) < 0 ||
        (!policy->writable && filter_refuse_locks(&filter->program, err) < 0)) {
        free_filter(filter);
        return NULL;
    }
    filter->next = sandbox->filters;
    sandbox->filters = filter;
    return &filter->program;
}

/* The names are read when something is to be named: that takes a millisecond. Where the profile
 * can't be read any more, calls have their numbers. */
const struct filter *filter_reporting(struct sb_sandbox *sandbox, const struct sb_policy *policy)
{
    struct filter *filter = find_filter(sandbox, policy, true);
    if (filter == NULL || filter->names_read)
        return filter;
    struct sb_error ignored;
    filter->names_read = true;
    filter->names = calloc(1, sizeof(*filter->names));
    if (filter->names != NULL && filter_profile(filter->names, filter->profile, &ignored) < 0) {
        free(filter->names);
        filter->names = NULL;
    }
    return filter;
}

/* What the policy limits and this host has no controller for. Without best effort that is an error.
 */
static int check_enforcement(struct sb_run *run, bool best_effort, struct sb_error *err)
{
    static const struct {
        unsigned controller; /* 0: any back end tells it */
        const char *missing;
        const char *limit;
    } rows[] = {
        {CGROUP_MEMORY, "memory", "memory_bytes"},
        {CGROUP_CPU, "cpu", "cpus"},
        {CGROUP_PIDS, "pids", "pids"},
        /* Of each process it is: RLIMIT_CPU. */
        {0, "cpu_time (of all processes together)", "cpu_time_ms"},
    };
    const struct cgroup_host *host = &run->sandbox->cgroup;
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].controller ? (host->controllers & rows[i].controller) != 0
                               : host->backend != NULL)
            continue;
        if (!best_effort)
            return sb_fail_field(
                err, "cgroup", rows[i].limit,
                "%s cannot be enforced: this host offers no cgroup controller for it here; see "
                "sandbox-run --doctor, or accept it with --best-effort",
                rows[i].limit);
        run->missing[count++] = rows[i].missing;
    }
    return 0;
}

static void make_id(char *id, size_t size)
{
    uint64_t number = 0;
    while (getrandom(&number, sizeof(number), 0) < 0 && errno == EINTR)
        ;
    snprintf(id, size, "%016" PRIx64, number);
}

struct sb_run *run_new(struct sb_sandbox *sandbox)
{
    struct sb_run *run = calloc(1, sizeof(*run));
    if (run == NULL)
        return NULL;
    run->sandbox = sandbox;
    run->control = -1;
    for (size_t i = 0; i < HELD_NAMESPACES; i++)
        run->held[i] = -1;
    run->feed.source = -1;
    run->network = -1;
    run->times_us = run->memory_hits = run->oom_kills = run->cpu_time_us = run->memory_peak =
        run->pids_peak = -1;
    cgroup_job_init(&run->cgroup);
    for (int kind = 0; kind < SOURCES; kind++)
        run->source[kind] =
            (struct source){.run = run, .kind = (enum source_kind)kind, .fd = -1, .spent = -1};
    return run;
}

bool is_best_effort(const struct sb_sandbox *sandbox, const struct sb_policy *policy)
{
    return sandbox->best_effort || policy->best_effort;
}

/* Everything that can be wrong with a job, before anything of it exists on the host. */
int run_admit(struct sb_run *run, const struct sb_job *job, bool best_effort, struct sb_error *err)
{
    run->policy = job->policy;
    run->on_output = job->on_output;
    run->on_done = job->on_done;
    run->user = job->user;
    run->merge_stderr = job->merge_stderr;
    if (job->id != NULL)
        snprintf(run->id, sizeof(run->id), "%s", job->id);
    else
        make_id(run->id, sizeof(run->id));
    if (policy_admit(&run->limits, job->policy, &job->limits, err) < 0 ||
        job_check(job, &run->limits, err) < 0 ||
        rootfs_check_mounts(&run->sandbox->rootfs, job->policy, err) < 0 ||
        check_enforcement(run, best_effort, err) < 0)
        return -1;
    for (int i = 0; i < SB_STREAMS; i++)
        stream_init(&run->stream[i], run->limits.value[SB_OUTPUT_BYTES]);
    if (feed_init(&run->feed, job->stdin_data, job->stdin_size,
                  job->stdin_from_fd ? job->stdin_fd : -1) < 0)
        return sb_fail_field(err, "job", "stdin", "cannot take the job's stdin: %s",
                             strerror(errno));
    return 0;
}

int run_start_cold(struct sb_run *run, const struct sb_job *job, bool best_effort,
                   struct sb_error *err)
{
    struct sb_sandbox *sandbox = run->sandbox;
    const struct sock_fprog *filter =
        filter_of(sandbox, job->policy, job->policy->report_denied, err);
    if (filter == NULL)
        return -1;
    struct inside in = {
        .rootfs = sandbox->rootfs.path,
        .policy = job->policy,
        .limits = &run->limits,
        .filter = *filter,
        .report_denied = job->policy->report_denied,
        .listener = -1,
        .listener_to = -1,
        .best_effort = best_effort,
        .limit_processes = !(sandbox->cgroup.controllers & CGROUP_PIDS),
        .limit_cpu = sandbox->cgroup.backend == NULL,
        .channel = -1,
        .work = -1,
        .main = -1,
        .init = -1,
        .ruleset = -1,
    };
    struct prepared prepared = {0};
    int result = job_prepare(&in, &prepared, job, &sandbox->rootfs, err);
    if (result == 0)
        result = launch(run, &in, err);
    job_release(&prepared);
    if (result == 0 && run_watch(run, err) < 0) {
        launch_abandon(run);
        result = -1;
    }
    return result;
}

static int start(struct sb_run *run, const struct sb_job *job, struct sb_error *err)
{
    struct sb_sandbox *sandbox = run->sandbox;
    bool best_effort = job->best_effort || is_best_effort(sandbox, job->policy);
    if (run_admit(run, job, best_effort, err) < 0)
        return -1;
    if (sandbox->warm_operations != NULL &&
        sandbox->warm_operations->start(sandbox, run, job, best_effort) == 1)
        return 0;
    return run_start_cold(run, job, best_effort, err);
}

static int has_policy(const struct sb_job *job, struct sb_error *err)
{
    if (job == NULL)
        return sb_fail_null(err, "job", "what to run");
    return job->policy != NULL ? 0 : sb_fail_null(err, "policy", "one of sb_policy_load");
}

int sb_check(const struct sb_job *job, struct sb_error *err)
{
    struct sb_limits limits;
    if (has_policy(job, err) < 0)
        return -1;
    return policy_admit(&limits, job->policy, &job->limits, err) < 0 ? -1
                                                                     : job_check(job, &limits, err);
}

int sb_start(struct sb_sandbox *sandbox, const struct sb_job *job, struct sb_run **out,
             struct sb_error *err)
{
    if (out != NULL)
        *out = NULL;
    if (sandbox == NULL)
        return sb_fail_null(err, "sandbox", "one of sb_open");
    if (has_policy(job, err) < 0)
        return -1;
    struct sb_run *run = run_new(sandbox);
    if (run == NULL)
        return sb_fail(err, "job", ENOMEM, "no memory for a job");
    if (start(run, job, err) < 0) {
        cgroup_remove(&sandbox->cgroup, &run->cgroup);
        run_free(run);
        return -1;
    }
    LIST_INSERT_HEAD(&sandbox->runs, run, link);
    sandbox->running++;
    clear_stale_once(sandbox);
    if (out != NULL)
        *out = run;
    return 0;
}
