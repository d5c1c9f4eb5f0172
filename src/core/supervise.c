/* Watches running jobs by one epoll, without threads. Each kind of event has a handler here. The
 * last event of a job is that its cgroup is gone: then it gets its verdict, a warm job a moment
 * earlier. */
#include "core/supervise.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "common/error.h"
#include "common/util.h"
#include "core/finish.h"
#include "core/floor.h"
#include "core/sources.h"
#include "core/timer.h"
#include "inside/inside.h"

/* For about this time we do not listen to a warm job whose caller needs nothing before its end:
 * most jobs are over by then, and each time that we wake up takes CPU from the job. Its output fits
 * into the pipes meanwhile, or waits: they hold 64 KiB. */
#define BRIEF_US 2000
#define REPORTS_AT_ONCE 8
/* How often, 1 ms apart, we read the counter of kills after the event that memory ran out. */
#define OOM_LOOKS 100

/* ── What the script writes and reads ──────────────────────────────────────────────────────── */

/* Ends a job if something that we did for it failed; *err says what. */
static void fail_unless(struct sb_run *run, int result, const struct sb_error *err)
{
    if (result < 0)
        run_fail(run, err->message);
}

static bool wrote_too_much(const struct sb_run *run)
{
    int64_t most = run->asked.limits.value[SB_OUTPUT_BYTES];
    return run->asked.policy->output_kills &&
           (run->stream[SB_STDOUT].written > most || run->stream[SB_STDERR].written > most);
}

/* Ends a job that wrote too much, or whose pipe could not be read. True: something was read. */
static bool decide(struct sb_run *run, int result, const struct sb_error *err)
{
    fail_unless(run, result, err);
    if (wrote_too_much(run))
        run_kill(run, CAUSE_OUTPUT);
    return result > 0;
}

static bool read_pipe(struct sb_run *run, enum source_kind kind)
{
    struct sb_error err;
    int result = source_read(run, kind, &err);
    return decide(run, result, &err);
}

void sb_pause(struct sb_run *run, enum sb_stream stream, bool paused)
{
    if (run == NULL || (unsigned)stream >= SB_STREAMS)
        return;
    enum source_kind kind = stream == SB_STDOUT ? SOURCE_STDOUT : SOURCE_STDERR;
    if (source_watch(run, kind, paused ? 0 : EPOLLIN) < 0) {
        /* It will never be read again: close it, or the verdict would wait for it. */
        run_fail(run, "cannot watch the script's output; raise fs.epoll.max_user_watches");
        source_close(run, kind);
    }
}

/* ── Clocks, and what pid 1 reports ────────────────────────────────────────────────────────── */

static void take_report(struct sb_run *run, const struct report *report)
{
    struct evidence *evidence = &run->evidence;
    switch (report->kind) {
    case REPORT_FAILED:
        evidence->end = SCRIPT_FAILED;
        evidence->failure = *report;
        break;
    case REPORT_MISSING:
        run_lacks(run, inside_step_name(report->step));
        break;
    case REPORT_STARTED:
        evidence->cpu_time_before_us = report->value;
        run_let_in(run, report->at_us);
        break;
    case REPORT_EXITED:
        if (evidence->end == SCRIPT_UNSEEN)
            evidence->end = SCRIPT_EXITED;
        evidence->alone = report->alone;
        evidence->status = report->value;
        evidence->ended_us = report->at_us > 0 ? report->at_us : monotonic_us();
        break;
    case REPORT_LISTENER:
        break; /* comes on the channel instead */
    }
}

/* Reads what pid 1 has reported by now. */
static void hear(struct sb_run *run)
{
    struct report reports[REPORTS_AT_ONCE];
    ssize_t n;
    do {
        n = read(run->process.fd[SOURCE_REPORT], reports, sizeof(reports));
        for (ssize_t i = 0; i < n / (ssize_t)sizeof(*reports); i++)
            take_report(run, &reports[i]);
    } while (n == sizeof(reports));
    if (n == 0)
        source_close(run, SOURCE_REPORT);
}

static void check_clocks(struct sb_run *run)
{
    int64_t now_us = monotonic_us();
    bool decisive = timer_is_decisive(run, now_us);
    for (enum source_kind kind = SOURCE_STDOUT; decisive && kind <= SOURCE_RESULT; kind++)
        if (run->source[kind].watched != 0)
            read_pipe(run, kind);
    enum cause cause = timer_check(run, now_us);
    if (cause == CAUSE_NONE)
        return;
    hear(run); /* a job that ended in time has reported so, however late we are */
    run_kill(run, cause);
}

void run_let_in(struct sb_run *run, int64_t at_us)
{
    run->evidence.started_us = MAX(run->evidence.started_us, at_us);
    if (run->phase < RUN_LET_IN)
        run->phase = RUN_LET_IN;
    if (!run->listened)
        return;
    timer_begin(run);
    check_clocks(run);
}

/* ── Listening ─────────────────────────────────────────────────────────────────────────────── */

/* Whether a warm child has its job. */
static bool has_job(struct sb_run *run)
{
    if (run->warm_job != NULL)
        run->sandbox->warm_operations->ready(run->sandbox, &run->source[SOURCE_CHANNEL]);
    return run->warm_job == NULL;
}

/* Begins to check the clocks and to listen to the job. */
static int listen_to(struct sb_run *run)
{
    bool first = !run->listened;
    if (first)
        has_job(run);
    if (timer_make(run) < 0 || sources_listen(run) < 0)
        return -1;
    if (first)
        timer_begin(run);
    check_clocks(run);
    return 0;
}

static void listen_or_fail(struct sb_run *run)
{
    if (listen_to(run) < 0)
        run_fail(run, "cannot watch the job; raise fs.epoll.max_user_watches, or the limit on open "
                      "files (ulimit -n)");
}

/* ── The end of pid 1 ──────────────────────────────────────────────────────────────────────── */

/* The job is dead: its pipes hold all that is still to come. */
static void end(struct sb_run *run)
{
    run->phase = RUN_DEAD;
    if (run->evidence.ended_us == 0)
        run->evidence.ended_us = monotonic_us();
    source_watch(run, SOURCE_PIDFD, 0);
    source_close(run, SOURCE_REPORT);
    source_watch(run, SOURCE_FEED, 0);
    source_close(run, SOURCE_STDIN);
    source_watch(run, SOURCE_OOM, 0);
    source_close(run, SOURCE_DENIED);
    for (enum source_kind kind = SOURCE_STDOUT; kind <= SOURCE_RESULT; kind++)
        /* A paused pipe is read when its reader goes on. */
        while ((run->source[kind].watched != 0 || !run->listened) && read_pipe(run, kind))
            ;
}

/* pid 1 has ended: before we hear of it, the kernel has killed and reaped every process of its pid
 * namespace. A warm job's pid 1 is reaped by run_release: the kernel has much to clean up after
 * it. */
static void on_pidfd(struct sb_run *run)
{
    siginfo_t info, ignored;
    if (run->phase >= RUN_DEAD || !run_wait_for_init(run, &info, run->process.warm ? WNOWAIT : 0))
        return;
    hear(run);
    if (!has_job(run) && run->evidence.cause == CAUSE_NONE) {
        run_wait_for_init(run, &ignored, 0);
        if (run->sandbox->warm_operations->again(run))
            return;
    }
    run->evidence.init_code = info.si_code;
    run->evidence.init_status = info.si_status;
    end(run);
}

/* Whether only pid 1 is left of a job: pid 1 says so, and the cgroup confirms it: either there
 * never was a process besides pid 1 and the script, or there is none besides pid 1 now. */
static bool only_init_is_left(const struct sb_run *run)
{
    const struct cgroup_host *host = &run->sandbox->cgroup;
    return run->evidence.alone && host->backend != NULL &&
           (cgroup_number(host, &run->process.cgroup, CGROUP_PIDS_PEAK) == FEWEST_PIDS ||
            cgroup_number(host, &run->process.cgroup, CGROUP_PIDS_NOW) <= 1);
}

/* A warm job's verdict does not wait for the end of its pid 1, which takes as long as a short
 * script. */
static void on_report(struct sb_run *run)
{
    hear(run);
    if (run->process.warm && only_init_is_left(run) && has_job(run))
        end(run);
}

/* cgroup v1: ends the job when one of its processes was killed for memory, as memory.oom.group does
 * on v2. */
static void check_oom(struct sb_run *run)
{
    if (cgroup_number(&run->sandbox->cgroup, &run->process.cgroup, CGROUP_OOM_KILLS) > 0) {
        run->oom_looks = 0;
        run_kill(run, CAUSE_OOM);
    } else if (run->oom_looks-- > 0) {
        timer_arm(run, 1000);
    }
}

/* The event comes before the kill is counted, and sometimes no kill follows: read the counter again
 * until it shows one. */
static void on_oom(struct sb_run *run)
{
    uint64_t count;
    ssize_t ignored = read(source_fd(run, SOURCE_OOM), &count, sizeof(count));
    (void)ignored;
    if (run->phase >= RUN_DEAD)
        return;
    run->oom_looks = OOM_LOOKS;
    listen_or_fail(run);
    check_oom(run);
}

/* ── Events ────────────────────────────────────────────────────────────────────────────────── */

static void on_timer(struct sb_run *run)
{
    uint64_t count;
    ssize_t ignored = read(run->process.fd[SOURCE_TIMER], &count, sizeof(count));
    (void)ignored;
    if (run->phase >= RUN_DEAD)
        return;
    denied_resume(run);
    check_clocks(run);
    if (run->oom_looks > 0)
        check_oom(run);
}

static void handle(struct sb_run *run, struct source *source, uint32_t events)
{
    struct sb_error err;
    if (source_fd(run, source->kind) < 0)
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
        read_pipe(run, source->kind);
        break;
    case SOURCE_STDERR:
        decide(run, source_read_stderr(run, &err), &err);
        break;
    case SOURCE_REPORT:
        on_report(run);
        break;
    case SOURCE_STDIN:
        fail_unless(run, stdin_on_pipe(run, events, &err), &err);
        break;
    case SOURCE_FEED:
        fail_unless(run, stdin_on_feed(run, &err), &err);
        break;
    case SOURCE_OOM:
        on_oom(run);
        break;
    case SOURCE_DENIED:
        if (denied_ready(run, events))
            check_clocks(run);
        break;
    case SOURCE_CHANNEL:
        run->sandbox->warm_operations->ready(run->sandbox, source);
        break;
    case SOURCE_WARM:
    case SOURCE_FLOOR:
        break; /* of no run */
    }
}

int run_watch(struct sb_run *run, struct sb_error *err)
{
    bool brief = run->process.warm && run->asked.on_output == NULL && feed_done(&run->feed) &&
                 run->asked.limits.value[SB_WALL_TIME_MS] * 1000 > 2 * BRIEF_US;
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
    if (run->phase == RUN_DEAD) {
        if (run_is_finished(run))
            run_finish(run);
    } else if (run->process.warm && !run->listened) {
        if (now - run->evidence.started_us < BRIEF_US / 2)
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
    for (struct sb_run *run = LIST_FIRST(&sandbox->judged), *next; run != NULL; run = next) {
        next = LIST_NEXT(run, link);
        run_release(run);
    }
    sandbox->untended |= !LIST_EMPTY(&sandbox->judged);
    floor_look(sandbox, now);
}

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
        return sb_fail(err, "turn", EBUSY,
                       "sb_turn was called from a callback: return from it first");
    clear_stale_once(sandbox);
    struct epoll_event events[64];
    int count = epoll_wait(sandbox->epoll, events, ARRAY_LEN(events), timeout_ms);
    if (count < 0)
        return errno == EINTR
                   ? 0
                   : sb_fail(err, "epoll", errno, "cannot wait for events of the jobs: %m");
    sandbox->turning = true;
    struct sb_run *touched[ARRAY_LEN(events)];
    for (int i = 0; i < count; i++) {
        struct source *source = events[i].data.ptr;
        touched[i] = source->run;
        if (source->run != NULL)
            handle(source->run, source, events[i].events);
        else if (source->kind == SOURCE_FLOOR)
            floor_ready(sandbox);
        else
            sandbox->warm_operations->ready(sandbox, source);
    }
    /* Runs are freed only now, since further events of the turn may have named them. Pointers to
     * freed runs are compared, never followed. */
    for (int i = 0; i < count; i++) {
        bool seen = false;
        for (int j = 0; j < i && !seen; j++)
            seen = touched[j] == touched[i];
        if (seen || touched[i] == NULL)
            continue;
        if (run_is_finished(touched[i]))
            run_finish(touched[i]);
    }
    if (sandbox->warm_operations != NULL)
        sandbox->warm_operations->turned(sandbox);
    sandbox->turning = false;
    return 0;
}
