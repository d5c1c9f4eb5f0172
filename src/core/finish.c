/* See finish.h. */
#include "core/finish.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/util.h"
#include "core/collect.h"
#include "core/timer.h"
#include "core/verdict.h"

/* How often we try to remove a dead job's cgroup, every 1 or 2 ms: for some seconds. Usually it is
 * empty within moments. */
#define REMOVAL_TRIES 2000

static int64_t microseconds(struct timeval time)
{
    return (int64_t)time.tv_sec * 1000000 + time.tv_usec;
}

bool run_wait_for_init(struct sb_run *run, siginfo_t *info, int leave)
{
    *info = (siginfo_t){0};
    struct rusage used = {0};
    bool unknown =
        run->sandbox->cgroup.backend == NULL; /* the kernel is asked for times only then */
    bool ended = syscall(SYS_waitid, P_PIDFD, run->process.fd[SOURCE_PIDFD], info,
                         WEXITED | WNOHANG | __WALL | leave, unknown ? &used : NULL) < 0 ||
                 info->si_pid != 0;
    if (info->si_pid != 0 && unknown)
        run->evidence.times_us = microseconds(used.ru_utime) + microseconds(used.ru_stime);
    return ended;
}

static bool reap(struct sb_run *run)
{
    siginfo_t ignored;
    return run_wait_for_init(run, &ignored, 0);
}

/* ── Its verdict ───────────────────────────────────────────────────────────────────────────── */

bool run_is_finished(const struct sb_run *run)
{
    return run->phase == RUN_DEAD && run->process.fd[SOURCE_STDOUT] < 0 &&
           run->process.fd[SOURCE_STDERR] < 0 && run->process.fd[SOURCE_RESULT] < 0;
}

static void read_evidence(struct sb_run *run)
{
    const struct cgroup_host *host = &run->sandbox->cgroup;
    const struct cgroup_job *cgroup = &run->process.cgroup;
    struct evidence *evidence = &run->evidence;
    int64_t cpu_time = host->backend != NULL ? cgroup_number(host, cgroup, CGROUP_CPU_TIME_US)
                                             : evidence->times_us;
    evidence->cpu_time_us =
        cpu_time < 0 ? cpu_time : MAX(cpu_time - evidence->cpu_time_before_us, 0);
    evidence->memory_peak = cgroup_number(host, cgroup, CGROUP_MEMORY_PEAK);
    evidence->oom_kills = cgroup_number(host, cgroup, CGROUP_OOM_KILLS);
    evidence->memory_hits = cgroup_number(host, cgroup, CGROUP_MEMORY_HITS);
    int64_t pids = cgroup_number(host, cgroup, CGROUP_PIDS_PEAK);
    evidence->pids_peak = pids > 0 ? pids - 1 : pids; /* not counting our pid 1 */
    for (int i = 0; i < SB_STREAMS; i++)
        evidence->written[i] = run->stream[i].written;
}

/* False: the timer will try again. */
static bool remove_cgroup(struct sb_run *run)
{
    if (cgroup_remove(&run->sandbox->cgroup, &run->process.cgroup) == 0)
        return true;
    if (errno == EBUSY && ++run->removal_tries < REMOVAL_TRIES) {
        timer_arm(run, 1000);
        return false;
    }
    run->evidence.cause = CAUSE_INTERNAL;
    snprintf(run->evidence.reason, sizeof(run->evidence.reason),
             "the job's cgroup cannot be removed: %s", strerror(errno));
    return true;
}

void run_finish(struct sb_run *run)
{
    struct sb_sandbox *sandbox = run->sandbox;
    if (run->removal_tries == 0) {
        read_evidence(run);
        collect_files(run);
    }
    if (!run->process.warm && !remove_cgroup(run))
        return;
    if (run->process.warm && run->evidence.cause != CAUSE_INTERNAL)
        sandbox->warm_operations->release(run);
    LIST_REMOVE(run, link);
    sandbox->running--;
    verdict_give(run);
    collect_free(steal_ptr(run->collect)); /* a warm run is there for a while yet */
    if (!run->process.warm) {
        run_free(run);
        return;
    }
    run->phase = RUN_JUDGED;
    sandbox->untended = true;
    LIST_INSERT_HEAD(&sandbox->judged, run, link);
}

void run_release(struct sb_run *run)
{
    bool last = ++run->removal_tries >= REMOVAL_TRIES;
    if (!reap(run) && !last) {
        syscall(SYS_pidfd_send_signal, run->process.fd[SOURCE_PIDFD], SIGKILL, NULL, 0);
        return;
    }
    process_release_namespaces(&run->process); /* their contents are charged to the cgroup */
    if (!run->sandbox->warm_operations->keep(run) &&
        cgroup_remove(&run->sandbox->cgroup, &run->process.cgroup) < 0 && errno == EBUSY && !last)
        return;
    LIST_REMOVE(run, link);
    run_free(run);
}
