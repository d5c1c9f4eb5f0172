/* The public functions: open a sandbox, take jobs. The path of a job: sb_start checks and prepares
 * it (start.c, job.c, policy.c), launches it (launch.c, then inside.c in the child), and leaves it
 * to the loop (supervise.c), which gives the verdict (verdict.c). */
#include "sandbox.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "common/error.h"
#include "common/util.h"
#include "core/container.h"
#include "core/filters.h"
#include "core/job.h"
#include "core/run.h"
#include "core/start.h"
#include "core/supervise.h"
#include "policy/policy.h"

const char *sb_version(void)
{
    return SB_VERSION;
}

/* ── Opening and closing ───────────────────────────────────────────────────────────────────── */

/* All open sandboxes, so that a second sb_close does nothing, without a look into freed memory.
 * Nothing else here is shared by all threads. */
static LIST_HEAD(sandbox_list, sb_sandbox) sandboxes;
static pthread_mutex_t sandboxes_lock = PTHREAD_MUTEX_INITIALIZER;

static void enter(struct sb_sandbox *sandbox)
{
    pthread_mutex_lock(&sandboxes_lock);
    LIST_INSERT_HEAD(&sandboxes, sandbox, link);
    pthread_mutex_unlock(&sandboxes_lock);
}

/* Takes a sandbox off the list. False: it is not open, or sb_turn is running and will use it
 * again. */
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
        return sb_fail(err, "open", ENOMEM, "out of memory (a sandbox)");
    enter(sandbox);
    cgroup_host_init(&sandbox->cgroup);
    sandbox->may_lack = options->best_effort ? SB_MISSING_ALL : options->allow_missing;
    sandbox->in_container = container_has_name();
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
        result = cgroup_open(&sandbox->cgroup, options->cgroup, sandbox->may_lack, err);
    if (result < 0) {
        sb_close(sandbox);
        return -1;
    }
    *out = sandbox;
    return 0;
}

void sb_close(struct sb_sandbox *sandbox)
{
    if (!leave(sandbox))
        return;
    struct sb_run *run;
    LIST_FOREACH(run, &sandbox->runs, link)
    {
        run->asked.on_done = NULL;
        run->asked.on_output = NULL;
        sb_pause(run, SB_STDOUT, false);
        sb_pause(run, SB_STDERR, false);
        run_kill(run, CAUSE_CALLER);
    }
    struct sb_error ignored;
    while ((sandbox->running > 0 || !LIST_EMPTY(&sandbox->judged)) &&
           sb_turn(sandbox, -1, &ignored) == 0)
        ;
    if (sandbox->warm_operations != NULL)
        sandbox->warm_operations->close(sandbox);
    filters_free(sandbox);
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
    if (run->evidence.cause == CAUSE_NONE) {
        run->evidence.kill_signal = signal > 0 && signal < NSIG ? signal : SIGKILL;
        snprintf(run->evidence.reason, sizeof(run->evidence.reason), "%s",
                 reason != NULL ? reason : "the job was ended from outside");
    }
    run_kill(run, CAUSE_CALLER);
}

/* ── Starting a job ────────────────────────────────────────────────────────────────────────── */

static int start(struct sb_run *run, const struct sb_job *job, struct sb_error *err)
{
    struct sb_sandbox *sandbox = run->sandbox;
    unsigned lack = lack_allowed(sandbox, job->policy) | job->allow_missing |
                    (job->best_effort ? SB_MISSING_ALL : 0);
    if (run_admit(run, job, lack, err) < 0)
        return -1;
    if (sandbox->warm_operations != NULL &&
        sandbox->warm_operations->start(sandbox, run, job, lack) == 1)
        return 0;
    return run_start_cold(run, job, lack, err);
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
        return sb_fail(err, "job", ENOMEM, "out of memory (a job)");
    if (start(run, job, err) < 0) {
        cgroup_remove(&sandbox->cgroup, &run->process.cgroup);
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
