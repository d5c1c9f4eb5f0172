/* Watches running jobs: one epoll for all of them, no thread a job. Each thing that can happen has
 * a handler here; the last thing to happen to a job is that its cgroup is gone, and then it has its
 * verdict, a warm one a moment earlier. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common/error.h"
#include "common/util.h"
#include "core/run.h"

/* How long a dead job's cgroup may take to be empty: seconds, in steps of 1 ms or 2. It takes
 * moments. */
#define REMOVAL_TRIES 2000
/* A warm job that nobody waits to hear from is not listened to for about so long: most are over by
 * then, and each time that we wake up the job has the less of the machine. Pipes hold 64 KiB. */
#define BRIEF_US 2000
#define REPORTS_AT_ONCE 8
/* How often, 1 ms apart, the counter of kills is looked at after the event that says that memory
 * ran out. */
#define OOM_LOOKS 100
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* ── Ending a job ──────────────────────────────────────────────────────────────────────────── */

void run_kill(struct sb_run *run, enum cause cause)
{
    if (run->dead)
        return;
    if (run->cause == CAUSE_NONE && !run->exited)
        run->cause = cause;
    if (run->warm_job != NULL && run->sandbox->warm_operations->cancel(run)) {
        run_end_unstarted(run);
        return;
    }
    cgroup_kill(&run->sandbox->cgroup, &run->cgroup);
    syscall(SYS_pidfd_send_signal, run->source[SOURCE_PIDFD].fd, SIGKILL, NULL, 0);
}

void run_fail(struct sb_run *run, const char *reason)
{
    if (run->cause == CAUSE_NONE)
        snprintf(run->reason, sizeof(run->reason), "%s", reason);
    run_kill(run, CAUSE_INTERNAL);
}

void run_free(struct sb_run *run)
{
    for (int kind = 0; kind < SOURCES; kind++) {
        if (kind != SOURCE_FEED && kind != SOURCE_OOM) /* owned by feed and cgroup */
            source_close(run, (enum source_kind)kind);
        else
            source_watch(run, (enum source_kind)kind, 0);
        close_fd(&run->source[kind].spent);
    }
    close_fd(&run->control);
    run_release(run);
    cgroup_job_close(&run->cgroup);
    feed_free(&run->feed);
    denied_free(run);
    clock_free(&run->clock);
    for (int i = 0; i < SB_STREAMS; i++)
        stream_free(&run->stream[i]);
    if (run->warm_job != NULL)
        run->sandbox->warm_operations->forget(run);
    free(run->message);
    free(run);
}

void run_release(struct sb_run *run)
{
    for (size_t i = 0; i < HELD_NAMESPACES; i++)
        close_fd(&run->held[i]);
}

/* ── Listening ─────────────────────────────────────────────────────────────────────────────── */

/* Whether a warm child has its job. */
static bool has_job(struct sb_run *run)
{
    if (run->warm_job != NULL)
        run->sandbox->warm_operations->ready(run->sandbox, &run->source[SOURCE_CHANNEL]);
    return run->warm_job == NULL;
}

/* Begins to look at the clocks and at what the job has to tell. */
static int listen_to(struct sb_run *run)
{
    bool first = !run->listened;
    if (first)
        has_job(run);
    if (timer_make(run) < 0 || sources_listen(run) < 0)
        return -1;
    if (first)
        timer_begin(run);
    timer_check(run);
    return 0;
}

static void listen_or_fail(struct sb_run *run)
{
    if (listen_to(run) < 0)
        run_fail(run, "cannot watch the job; raise fs.epoll.max_user_watches, or the limit on open "
                      "files (ulimit -n)");
}

/* ── What the job's own processes tell ─────────────────────────────────────────────────────── */

void run_lacks(struct sb_run *run, const char *what)
{
    for (size_t i = 0; i < MISSING_MAX; i++)
        if (run->missing[i] == NULL || run->missing[i] == what) {
            run->missing[i] = what;
            return;
        }
}

static void take_report(struct sb_run *run, const struct report *report)
{
    switch (report->kind) {
    case REPORT_FAILED:
        run->failed = true;
        run->failure = *report;
        break;
    case REPORT_MISSING:
        run_lacks(run, inside_step_name(report->step));
        break;
    case REPORT_STARTED:
        run->cpu_time_before_us = report->value;
        timer_let_in(run, report->at_us);
        break;
    case REPORT_EXITED:
        run->exited = true;
        run->alone = report->alone;
        run->status = report->value;
        run->ended_us = report->at_us > 0 ? report->at_us : monotonic_us();
        break;
    case REPORT_LISTENER:
        break; /* comes on the channel */
    }
}

void run_hear(struct sb_run *run)
{
    struct report reports[REPORTS_AT_ONCE];
    ssize_t n;
    do {
        n = read(run->source[SOURCE_REPORT].fd, reports, sizeof(reports));
        for (ssize_t i = 0; i < n / (ssize_t)sizeof(*reports); i++)
            take_report(run, &reports[i]);
    } while (n == sizeof(reports));
    if (n == 0)
        source_close(run, SOURCE_REPORT);
}

static int64_t microseconds(struct timeval time)
{
    return (int64_t)time.tv_sec * 1000000 + time.tv_usec;
}

/* False: pid 1 has not ended. Where there is nothing to wait for, the caller's own wait for any
 * child took it (or there never was one), and it has ended all the same. */
static bool wait_for_init(struct sb_run *run, siginfo_t *info, int leave)
{
    *info = (siginfo_t){0};
    struct rusage used = {0};
    bool unknown = run->sandbox->cgroup.backend == NULL; /* asked of the kernel only then */
    bool ended = syscall(SYS_waitid, P_PIDFD, run->source[SOURCE_PIDFD].fd, info,
                         WEXITED | WNOHANG | __WALL | leave, unknown ? &used : NULL) < 0 ||
                 info->si_pid != 0;
    if (info->si_pid != 0 && unknown)
        run->times_us = microseconds(used.ru_utime) + microseconds(used.ru_stime);
    return ended;
}

static bool reap(struct sb_run *run)
{
    siginfo_t ignored;
    return wait_for_init(run, &ignored, 0);
}

/* Nothing more will come from the job than what is in its pipes. */
static void end(struct sb_run *run)
{
    run->dead = true;
    if (run->ended_us == 0)
        run->ended_us = monotonic_us();
    source_watch(run, SOURCE_PIDFD, 0);
    source_close(run, SOURCE_REPORT);
    source_watch(run, SOURCE_FEED, 0);
    source_close(run, SOURCE_STDIN);
    source_watch(run, SOURCE_OOM, 0);
    source_close(run, SOURCE_DENIED);
    for (enum source_kind kind = SOURCE_STDOUT; kind <= SOURCE_RESULT; kind++)
        /* One that its reader has paused waits until it is wanted. */
        while ((run->source[kind].watched != 0 || !run->listened) && source_read(run, kind))
            ;
}

/* pid 1 has ended: the kernel has killed and reaped every process of its pid namespace before it
 * told us. That of a warm job is left to bury: the kernel has much to clear away after it. */
static void on_pidfd(struct sb_run *run)
{
    siginfo_t info;
    if (run->dead || !wait_for_init(run, &info, run->warm ? WNOWAIT : 0))
        return;
    run_hear(run);
    if (!has_job(run) && run->cause == CAUSE_NONE) {
        reap(run);
        if (run->sandbox->warm_operations->again(run))
            return;
    }
    run->init_exited = info.si_code == CLD_EXITED;
    run->init_status = info.si_status;
    end(run);
}

/* By pid 1's word, and by the cgroup's where that can count: there never was anything but pid 1 and
 * the script's process, or there is no more than pid 1 now. */
static bool only_init_is_left(const struct sb_run *run)
{
    const struct cgroup_host *host = &run->sandbox->cgroup;
    return run->alone && host->backend != NULL &&
           (cgroup_number(host, &run->cgroup, CGROUP_PIDS_PEAK) == FEWEST_PIDS ||
            cgroup_number(host, &run->cgroup, CGROUP_PIDS_NOW) <= 1);
}

/* Who waits for a warm job does not wait for the end of its pid 1, which takes as long as a short
 * script. */
static void on_report(struct sb_run *run)
{
    run_hear(run);
    if (run->warm && only_init_is_left(run) && has_job(run))
        end(run);
}

/* cgroup v1: ends the job when something in it was killed for memory, as memory.oom.group does on
 * v2. */
static void check_oom(struct sb_run *run)
{
    if (cgroup_number(&run->sandbox->cgroup, &run->cgroup, CGROUP_OOM_KILLS) > 0) {
        run->oom_looks = 0;
        run_kill(run, CAUSE_OOM);
    } else if (run->oom_looks-- > 0) {
        timer_arm(run, 1000);
    }
}

/* The event comes before the kill is counted, and the kill may come to nothing: look until it
 * shows. */
static void on_oom(struct sb_run *run)
{
    uint64_t count;
    ssize_t ignored = read(run->source[SOURCE_OOM].fd, &count, sizeof(count));
    (void)ignored;
    if (run->dead)
        return;
    run->oom_looks = OOM_LOOKS;
    listen_or_fail(run);
    check_oom(run);
}

/* ── The end ───────────────────────────────────────────────────────────────────────────────── */

static void read_evidence(struct sb_run *run)
{
    const struct cgroup_host *host = &run->sandbox->cgroup;
    int64_t cpu_time = host->backend != NULL ? cgroup_number(host, &run->cgroup, CGROUP_CPU_TIME_US)
                                             : run->times_us;
    run->cpu_time_us = cpu_time < 0 ? cpu_time : MAX(cpu_time - run->cpu_time_before_us, 0);
    run->memory_peak = cgroup_number(host, &run->cgroup, CGROUP_MEMORY_PEAK);
    run->oom_kills = cgroup_number(host, &run->cgroup, CGROUP_OOM_KILLS);
    run->memory_hits = cgroup_number(host, &run->cgroup, CGROUP_MEMORY_HITS);
    int64_t pids = cgroup_number(host, &run->cgroup, CGROUP_PIDS_PEAK);
    run->pids_peak = pids > 0 ? pids - 1 : pids; /* without our pid 1 */
}

/* False: it will be tried again. */
static bool remove_cgroup(struct sb_run *run)
{
    if (cgroup_remove(&run->sandbox->cgroup, &run->cgroup) == 0)
        return true;
    if (errno == EBUSY && ++run->removal_tries < REMOVAL_TRIES) {
        timer_arm(run, 1000);
        return false;
    }
    run->cause = CAUSE_INTERNAL;
    snprintf(run->reason, sizeof(run->reason), "the job's cgroup cannot be removed: %s",
             strerror(errno));
    return true;
}

/* Everything is dead and read. Who waits for a warm job has the verdict first, and then its cgroup
 * goes; if it can't, the next start clears it. */
static void finish(struct sb_run *run)
{
    struct sb_sandbox *sandbox = run->sandbox;
    if (run->removal_tries == 0)
        read_evidence(run);
    if (!run->warm && !remove_cgroup(run))
        return;
    if (run->warm && run->cause != CAUSE_INTERNAL)
        sandbox->warm_operations->ended(run);
    LIST_REMOVE(run, link);
    sandbox->running--;
    verdict_give(run);
    if (!run->warm) {
        run_free(run);
        return;
    }
    run->over = sandbox->untended = true;
    LIST_INSERT_HEAD(&sandbox->over, run, link);
}

static void bury(struct sb_run *run)
{
    bool last = ++run->removal_tries >= REMOVAL_TRIES;
    if (!reap(run) && !last) {
        syscall(SYS_pidfd_send_signal, run->source[SOURCE_PIDFD].fd, SIGKILL, NULL, 0);
        return;
    }
    run_release(run); /* what is in them is charged to the cgroup */
    if (!run->sandbox->warm_operations->keep(run) &&
        cgroup_remove(&run->sandbox->cgroup, &run->cgroup) < 0 && errno == EBUSY && !last)
        return;
    LIST_REMOVE(run, link);
    run_free(run);
}

static bool finished(const struct sb_run *run)
{
    return run->dead && run->source[SOURCE_STDOUT].fd < 0 && run->source[SOURCE_STDERR].fd < 0 &&
           run->source[SOURCE_RESULT].fd < 0;
}

static void on_timer(struct sb_run *run)
{
    uint64_t count;
    ssize_t ignored = read(run->source[SOURCE_TIMER].fd, &count, sizeof(count));
    (void)ignored;
    if (run->dead)
        return;
    denied_resume(run);
    timer_check(run);
    if (run->oom_looks > 0)
        check_oom(run);
}

static void handle(struct sb_sandbox *sandbox, struct source *source, uint32_t events)
{
    struct sb_run *run = source->run;
    if (source->fd < 0)
        return; /* closed by an earlier event of the same turn */
    switch (source->kind) {
    case SOURCE_PIDFD:
        on_pidfd(run);
        break;
    case SOURCE_TIMER:
        on_timer(run);
        break;
    case SOURCE_STDOUT:
    case SOURCE_RESULT:
        source_read(run, source->kind);
        break;
    case SOURCE_STDERR:
        source_read_stderr(run);
        break;
    case SOURCE_REPORT:
        on_report(run);
        break;
    case SOURCE_STDIN:
        stdin_on_pipe(run, events);
        break;
    case SOURCE_FEED:
        stdin_on_feed(run);
        break;
    case SOURCE_OOM:
        on_oom(run);
        break;
    case SOURCE_DENIED:
        denied_ready(run, events);
        break;
    case SOURCE_CHANNEL:
    case SOURCE_WARM:
        sandbox->warm_operations->ready(sandbox, source);
        break;
    case SOURCE_FLOOR:
        floor_ready(sandbox);
        break;
    case SOURCES:
        break;
    }
}

void run_end_unstarted(struct sb_run *run)
{
    run->dead = true;
    run->started_us = run->ended_us = monotonic_us();
    for (enum source_kind kind = SOURCE_STDOUT; kind <= SOURCE_RESULT; kind++)
        source_close(run, kind);
    run->sandbox->untended = true;
    run->sandbox->warm_operations->plan(run->sandbox);
}

int run_watch(struct sb_run *run, struct sb_error *err)
{
    run->source[SOURCE_OOM].fd = run->cgroup.oom_event;
    bool brief = run->warm && run->on_output == NULL && feed_done(&run->feed) &&
                 run->limits.value[SB_WALL_TIME_MS] * 1000 > 2 * BRIEF_US;
    if (source_watch(run, SOURCE_PIDFD, EPOLLIN) < 0 ||
        source_watch(run, SOURCE_REPORT, EPOLLIN) < 0 ||
        source_watch(run, SOURCE_OOM, EPOLLIN) < 0 || (!brief && listen_to(run) < 0))
        return sb_fail(err, "epoll", errno,
                       "cannot watch the job: %m; raise fs.epoll.max_user_watches, or the limit on "
                       "open files (ulimit -n)");
    if (brief) {
        source_close(run, SOURCE_STDIN);
        run->sandbox->untended = true;
    }
    return 0;
}

static void tend(struct sb_run *run, int64_t now)
{
    if (run->dead) {
        if (finished(run))
            finish(run);
    } else if (run->warm && !run->listened) {
        if (now - run->started_us < BRIEF_US / 2)
            run->sandbox->untended = true;
        else
            listen_or_fail(run);
    }
}

void runs_tend(struct sb_sandbox *sandbox)
{
    int64_t now = monotonic_us();
    sandbox->untended = false;
    for (struct sb_run *run = LIST_FIRST(&sandbox->runs), *next; run != NULL; run = next) {
        next = LIST_NEXT(run, link);
        tend(run, now);
    }
    for (struct sb_run *run = LIST_FIRST(&sandbox->over), *next; run != NULL; run = next) {
        next = LIST_NEXT(run, link);
        bury(run);
    }
    sandbox->untended |= !LIST_EMPTY(&sandbox->over);
    floor_look(sandbox, now);
}

/* What dead owners left. Not in sb_open: a first job would have to wait for it, and here its python
 * is starting. */
void clear_stale_once(struct sb_sandbox *sandbox)
{
    if (!sandbox->cleared)
        cgroup_clear_stale(&sandbox->cgroup);
    sandbox->cleared = true;
}

int sb_turn(struct sb_sandbox *sandbox, int timeout_ms, struct sb_error *err)
{
    if (sandbox == NULL)
        return sb_fail_null(err, "sandbox", "one of sb_open");
    if (sandbox->turning)
        return sb_fail(err, "turn", EBUSY, "sb_turn was called from a callback");
    clear_stale_once(sandbox);
    struct epoll_event events[64];
    int count = epoll_wait(sandbox->epoll, events, ARRAY_LEN(events), timeout_ms);
    if (count < 0)
        return errno == EINTR ? 0
                              : sb_fail(err, "epoll", errno, "cannot wait for events of the jobs");
    sandbox->turning = true;
    struct sb_run *touched[ARRAY_LEN(events)];
    for (int i = 0; i < count; i++) {
        struct source *source = events[i].data.ptr;
        touched[i] = source->run;
        handle(sandbox, source, events[i].events);
    }
    /* Only now are runs freed: further events of the turn may have named them. Pointers of freed
     * ones are compared, never followed. */
    for (int i = 0; i < count; i++) {
        bool seen = false;
        for (int j = 0; j < i && !seen; j++)
            seen = touched[j] == touched[i];
        if (seen || touched[i] == NULL)
            continue;
        if (!touched[i]->over && finished(touched[i]))
            finish(touched[i]);
    }
    if (sandbox->warm_operations != NULL)
        sandbox->warm_operations->turned(sandbox);
    sandbox->turning = false;
    return 0;
}
