/* See start.h. */
#include "core/start.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "common/error.h"
#include "common/util.h"
#include "core/filters.h"
#include "core/job.h"
#include "core/launch.h"
#include "core/supervise.h"
#include "policy/missing.h"
#include "policy/policy.h"

/* Finds limits of the policy that this host has no controller for. Such a limit is an error, unless
 * the job may do without it. */
static int check_enforcement(struct sb_run *run, unsigned may_lack, struct sb_error *err)
{
    static const struct {
        unsigned controller; /* 0: any back end will do */
        enum sb_missing missing;
        const char *limit;
    } rows[] = {
        {CGROUP_MEMORY, SB_MISSING_MEMORY, "memory_bytes"},
        {CGROUP_CPU, SB_MISSING_CPU, "cpus"},
        {CGROUP_PIDS, SB_MISSING_PIDS, "pids"},
        /* Without a cgroup RLIMIT_CPU limits each process by itself. */
        {0, SB_MISSING_CPU_TIME, "cpu_time_ms"},
    };
    const struct cgroup_host *host = &run->sandbox->cgroup;
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].controller ? (host->controllers & rows[i].controller) != 0
                               : host->backend != NULL)
            continue;
        const char *name = missing_name(rows[i].missing);
        if (!(may_lack & rows[i].missing))
            return sb_fail_field(
                err, "cgroup", rows[i].limit,
                "%s cannot be enforced: this host offers no cgroup controller for it here; see "
                "sandbox-run --doctor, or accept it with --allow-missing %s (--best-effort: "
                "whatever is missing)",
                rows[i].limit, name);
        run->missing[count++] = name;
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

unsigned lack_allowed(const struct sb_sandbox *sandbox, const struct sb_policy *policy)
{
    return sandbox->may_lack | policy->allow_missing | (policy->best_effort ? SB_MISSING_ALL : 0);
}

int run_admit(struct sb_run *run, const struct sb_job *job, unsigned may_lack, struct sb_error *err)
{
    run->asked = (struct asked){
        .policy = job->policy,
        .merge_stderr = job->merge_stderr,
        .notebook = job->notebook,
        .python = run->sandbox->rootfs.python,
        .on_output = job->on_output,
        .on_display = job->on_display,
        .on_done = job->on_done,
        .user = job->user,
    };
    if (job->id != NULL)
        snprintf(run->asked.id, sizeof(run->asked.id), "%s", job->id);
    else
        make_id(run->asked.id, sizeof(run->asked.id));
    if (policy_admit(&run->asked.limits, job->policy, &job->limits, err) < 0 ||
        job_check(job, &run->asked.limits, err) < 0 || collect_begin(&run->collect, job, err) < 0 ||
        rootfs_check_mounts(&run->sandbox->rootfs, job->policy, err) < 0 ||
        check_enforcement(run, may_lack, err) < 0)
        return -1;
    for (int i = 0; i < SB_STREAMS; i++)
        stream_init(&run->stream[i], run->asked.limits.value[SB_OUTPUT_BYTES]);
    if (feed_init(&run->feed, job->stdin_data, job->stdin_size,
                  job->stdin_from_fd ? job->stdin_fd : -1) < 0)
        return sb_fail_field(err, "job", "stdin", "cannot take the job's stdin: %s",
                             strerror(errno));
    return 0;
}

int run_start_cold(struct sb_run *run, const struct sb_job *job, unsigned may_lack,
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
        .limits = &run->asked.limits,
        .filter = *filter,
        .report_denied = job->policy->report_denied,
        .listener = -1,
        .listener_to = -1,
        .may_lack = may_lack,
        .in_container = sandbox->in_container,
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
        result = collect_note(run->collect, in.files, in.files_count, err);
    if (result == 0)
        result = launch(run, &in, err);
    job_release(&prepared);
    if (result == 0 && run_watch(run, err) < 0) {
        process_kill(&run->process);
        result = -1;
    }
    return result;
}
