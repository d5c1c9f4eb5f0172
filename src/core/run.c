/* See run.h. */
#include "core/run.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/util.h"
#include "core/sources.h"

struct sb_run *run_new(struct sb_sandbox *sandbox)
{
    struct sb_run *run = calloc(1, sizeof(*run));
    if (run == NULL)
        return NULL;
    run->sandbox = sandbox;
    run->feed.source = -1;
    process_init(&run->process);
    evidence_init(&run->evidence);
    for (int kind = 0; kind < SOURCES; kind++)
        run->source[kind] =
            (struct source){.run = run, .kind = (enum source_kind)kind, .spent = -1};
    return run;
}

void run_lacks(struct sb_run *run, const char *what)
{
    for (size_t i = 0; i < MISSING_MAX; i++)
        if (run->missing[i] == NULL || run->missing[i] == what) {
            run->missing[i] = what;
            return;
        }
}

void run_kill(struct sb_run *run, enum cause cause)
{
    if (run->phase >= RUN_DEAD)
        return;
    if (run->evidence.cause == CAUSE_NONE && run->evidence.end != SCRIPT_EXITED)
        run->evidence.cause = cause;
    if (run->phase == RUN_WAITING && run->warm_job != NULL) {
        run->sandbox->warm_operations->cancel(run);
        run_finish_unstarted(run);
        return;
    }
    cgroup_kill(&run->sandbox->cgroup, &run->process.cgroup);
    syscall(SYS_pidfd_send_signal, run->process.fd[SOURCE_PIDFD], SIGKILL, NULL, 0);
}

void run_fail(struct sb_run *run, const char *reason)
{
    if (run->evidence.cause == CAUSE_NONE)
        snprintf(run->evidence.reason, sizeof(run->evidence.reason), "%s", reason);
    run_kill(run, CAUSE_INTERNAL);
}

void run_finish_unstarted(struct sb_run *run)
{
    run->phase = RUN_DEAD;
    run->evidence.started_us = run->evidence.ended_us = monotonic_us();
    for (enum source_kind kind = SOURCE_STDOUT; kind <= SOURCE_RESULT; kind++)
        source_close(run, kind);
    run->sandbox->untended = true;
    run->sandbox->warm_operations->plan(run->sandbox);
}

void run_free(struct sb_run *run)
{
    sources_close(run);
    process_release(&run->process);
    feed_free(&run->feed);
    denied_free(run);
    displays_free(&run->displays);
    collect_free(run->collect);
    clock_free(&run->clock);
    for (int i = 0; i < SB_STREAMS; i++)
        stream_free(&run->stream[i]);
    if (run->warm_job != NULL)
        run->sandbox->warm_operations->free_job(run);
    evidence_free(&run->evidence);
    free(run);
}
