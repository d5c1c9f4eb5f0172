/* From evidence to words: why a job ended, and the one sentence that says so. Guesses at nothing:
 * each word has a fact that stands for it. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "common/json_valid.h"
#include "common/sentence.h"
#include "common/util.h"
#include "core/run.h"
#include "policy/limit.h"

/* What the script's own runner said on the result pipe. The script can write there too: whatever
 * comes is checked, and believed no further than a script's word on itself. See rootfs/runner.py.
 */
struct told {
    const char *exception; /* NULL: none */
    const char *result;    /* valid JSON, NULL: none */
    bool too_long;
};

/* The name of an exception's class is an identifier, and short. */
static bool plausible_name(const char *name)
{
    size_t length = strlen(name);
    if (length == 0 || length > EXCEPTION_NAME_MAX)
        return false;
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c <= ' ' || *c == 0x7f)
            return false;
    return true;
}

static struct told listen_to_runner(const struct sb_run *run)
{
    struct told told = {.too_long = run->message_too_long};
    char *message = run->message;
    size_t size = run->message_size;
    if (size < 1 || told.too_long || memchr(message, '\0', size) != NULL)
        return told;
    if (message[0] == 'E' && plausible_name(message + 1))
        told.exception = message + 1;
    bool fits = (int64_t)size - 1 <= run->limits.value[SB_RESULT_BYTES];
    if (message[0] == 'R' && fits) {
        json_mend_surrogates(message + 1, size - 1);
        told.result = json_valid(message + 1, size - 1) ? message + 1 : NULL;
    }
    told.too_long = message[0] == 'R' && !fits;
    return told;
}

/* ── Words ─────────────────────────────────────────────────────────────────────────────────── */

/* A limit that ran out: its word, what is said, and the key to raise. */
static const struct {
    enum cause cause;
    enum sb_word word;
    enum sb_limit limit;
    const char *before, *after; /* the limit's value */
} exceeded[] = {
    {CAUSE_WALL_TIME, SB_TIMEOUT, SB_WALL_TIME_MS, "Execution timed out after ", ""},
    {CAUSE_CPU_TIME, SB_CPU_TIME, SB_CPU_TIME_MS, "the CPU time limit of ",
     " (cpu_time_ms) was used up"},
    {CAUSE_OOM, SB_MEMORY, SB_MEMORY_BYTES, "the memory limit of ", " (memory_bytes) was reached"},
    {CAUSE_OUTPUT, SB_OUTPUT, SB_OUTPUT_BYTES, "the script wrote more than the output limit of ",
     " (output_bytes)"},
};

/* Whether memory ran out at the job's own limit. v2 counts that; on v1 the peak tells, which stays
 * a little below the limit by what the CPUs charge ahead. Otherwise it was the host, or an outer
 * cgroup, that had none left. */
static bool ran_into_own_limit(const struct sb_run *run)
{
    if (run->memory_hits >= 0)
        return run->memory_hits > 0;
    int64_t limit = run->limits.value[SB_MEMORY_BYTES];
    return run->memory_peak < 0 || run->memory_peak >= limit - limit / 8;
}

/* Without a cgroup RLIMIT_CPU holds each process: the kernel ends it by SIGKILL when it has had
 * that much, as it counts by ticks: often more than it had. Others can send that signal, but then
 * at least half of it has been used. */
static bool ran_into_rlimit_cpu(const struct sb_run *run)
{
    return run->sandbox->cgroup.backend == NULL && run->exited && WIFSIGNALED(run->status) &&
           WTERMSIG(run->status) == SIGKILL &&
           run->cpu_time_us >= run->limits.value[SB_CPU_TIME_MS] * 500;
}

static enum cause cause_of(const struct sb_run *run)
{
    if (run->cause != CAUSE_NONE && run->cause != CAUSE_OOM)
        return run->cause;
    if (run->oom_kills > 0)
        return ran_into_own_limit(run) ? CAUSE_OOM : CAUSE_HOST_MEMORY;
    if (ran_into_rlimit_cpu(run))
        return CAUSE_CPU_TIME;
    /* What was written in the job's last moments was read after its end. */
    bool flooded = false;
    for (int i = 0; i < SB_STREAMS; i++)
        flooded |= run->stream[i].written > run->limits.value[SB_OUTPUT_BYTES];
    return flooded && run->policy->output_kills ? CAUSE_OUTPUT : CAUSE_NONE;
}

static void say_signal(struct sb_verdict *verdict, int signal, char *text, size_t size)
{
    const char *name = sigabbrev_np(signal);
    verdict->word = SB_SIGNAL;
    verdict->signal = signal;
    snprintf(text, size, "the script was ended by signal %s%s", name ? "SIG" : "",
             name ? name : "?");
    if (name == NULL)
        snprintf(text, size, "the script was ended by signal %d", signal);
}

/* The script ended by itself: as its wait status and its runner say. */
static void judge_status(struct sb_verdict *verdict, const struct sb_run *run,
                         const struct told *told, char *text, size_t size)
{
    if (WIFSIGNALED(run->status)) {
        say_signal(verdict, WTERMSIG(run->status), text, size);
        return;
    }
    verdict->exit_code = WEXITSTATUS(run->status);
    verdict->result = told->result;
    if (told->too_long && verdict->exit_code == 0) {
        char most[LIMIT_TEXT_SIZE];
        verdict->word = SB_OUTPUT;
        snprintf(text, size, "the result is larger than %s (result_bytes)",
                 limit_text(most, SB_RESULT_BYTES, run->limits.value[SB_RESULT_BYTES]));
    } else if (verdict->exit_code == 0) {
        verdict->word = SB_OK;
    } else if (verdict->exit_code == 1 && told->exception != NULL) {
        verdict->word = SB_EXCEPTION;
        verdict->exception = told->exception;
    } else {
        verdict->word = SB_EXIT;
    }
    char sentence[SENTENCE_SIZE];
    if (own_end_sentence(verdict, sentence) != NULL)
        snprintf(text, size, "%s", sentence);
}

/* A step failed before the script was let in. */
static void say_failure(const struct sb_run *run, char *text, size_t size)
{
    const char *step = inside_step_name(run->failure.step);
    const char *remedy = inside_step_remedy(run->failure.step);
    bool exec = strcmp(step, "exec") == 0;
    snprintf(text, size,
             "the sandbox could not be set up: step '%s'%s%s: %s; %s%ssee sandbox-run --doctor",
             step, exec ? " of " : "", exec ? run->sandbox->rootfs.python : "",
             strerror(run->failure.value), remedy ? remedy : "", remedy ? "; " : "");
}

/* Neither did its own time run out, nor did it come to its end. */
static void say_starved(const struct sb_run *run, char *text, size_t size)
{
    char limit[LIMIT_TEXT_SIZE], real[LIMIT_TEXT_SIZE];
    limit_text(limit, SB_WALL_TIME_MS, run->limits.value[SB_WALL_TIME_MS]);
    limit_text(real, SB_WALL_TIME_MS, (run->ended_us - run->started_us) / 1000);
    snprintf(text, size,
             "the host was too busy: it did not give this job its %s (wall_time_ms) within %s; run "
             "fewer jobs at once, or free its CPUs, and try again",
             limit, real);
}

static void judge(struct sb_verdict *verdict, const struct sb_run *run, const struct told *told,
                  char *text, size_t size)
{
    enum cause cause = cause_of(run);
    if (run->failed) {
        verdict->word = SB_INTERNAL;
        say_failure(run, text, size);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(exceeded); i++)
        if (exceeded[i].cause == cause) {
            char limit[LIMIT_TEXT_SIZE];
            enum sb_limit which = exceeded[i].limit;
            limit_text(limit, which, run->limits.value[which]);
            verdict->word = exceeded[i].word;
            verdict->signal = SIGKILL;
            snprintf(text, size, "%s%s%s", exceeded[i].before, limit, exceeded[i].after);
            return;
        }
    switch (cause) {
    case CAUSE_CALLER:
        verdict->word = SB_SIGNAL;
        verdict->signal = run->kill_signal;
        snprintf(text, size, "%s", run->reason);
        return;
    case CAUSE_INTERNAL:
        verdict->word = SB_INTERNAL;
        snprintf(text, size, "%s", run->reason);
        return;
    case CAUSE_STARVED:
        verdict->word = SB_INTERNAL;
        verdict->host_busy = true;
        say_starved(run, text, size);
        return;
    case CAUSE_HOST_MEMORY:
        verdict->word = SB_INTERNAL;
        verdict->host_busy = true;
        snprintf(text, size, "%s",
                 run->cause == cause
                     ? run->reason /* floor.c */
                     : "the host ran out of memory, or the cgroup that holds all jobs did, and "
                       "ended this one, which had not reached memory_bytes; run fewer jobs at "
                       "once");
        return;
    default:
        break;
    }
    if (run->exited) {
        judge_status(verdict, run, told, text, size);
        return;
    }
    /* Our pid 1 ended before it could tell. Nothing in its pid namespace can kill it. */
    verdict->word = SB_INTERNAL;
    snprintf(
        text, size,
        "the job's first process was ended from outside the sandbox (%s %d); see the host's log",
        run->init_exited ? "exit status" : "signal", run->init_status);
}

/* ── The verdict ───────────────────────────────────────────────────────────────────────────── */

/* The text of a stream; what is left of it goes to a caller that takes output live. NULL: no
 * memory. */
static const char *deliver(struct sb_run *run, enum sb_stream which, size_t *size)
{
    const char *text = stream_text(&run->stream[which], size);
    if (run->on_output == NULL || text == NULL)
        return text;
    if (*size > 0)
        run->on_output(run->user, which, text, *size);
    *size = 0;
    return "";
}

void verdict_give(struct sb_run *run)
{
    char text[512] = "";
    struct told told = listen_to_runner(run);
    struct sb_verdict verdict = {
        .id = run->id,
        .exit_code = -1,
        .wall_time_us = run->ended_us - run->started_us,
        .cpu_time_us = run->cpu_time_us,
        .memory_peak_bytes = run->memory_peak,
        .pids_peak = run->pids_peak,
        .cgroup = cgroup_name(&run->sandbox->cgroup),
        .start = run->warm ? "warm" : "cold",
        .missing = run->missing,
    };
    verdict.denied_count = denied_list(run, &verdict.denied);
    judge(&verdict, run, &told, text, sizeof(text));
    for (int i = 0; i < SB_STREAMS; i++) {
        verdict.text[i] = deliver(run, (enum sb_stream)i, &verdict.text_size[i]);
        verdict.written_bytes[i] = run->stream[i].written;
        verdict.dropped_bytes[i] = run->stream[i].dropped;
        if (verdict.text[i] == NULL) {
            verdict.word = SB_INTERNAL;
            verdict.text[i] = "";
            snprintf(text, sizeof(text), "no memory for the script's output");
        }
    }
    verdict.error = verdict.word == SB_OK ? NULL : text;
    if (stderr_says_why(&verdict))
        verdict.error = verdict.text[SB_STDERR];
    if (run->on_done != NULL)
        run->on_done(run->user, &verdict);
}

struct sb_verdict sb_verdict_unstarted(const char *id, const char *error)
{
    static const char *const nothing[] = {NULL};
    return (struct sb_verdict){
        .word = SB_INTERNAL,
        .id = id,
        .error = error != NULL ? error : "the job was not started",
        .text = {"", ""},
        .exit_code = -1,
        .wall_time_us = -1,
        .cpu_time_us = -1,
        .memory_peak_bytes = -1,
        .pids_peak = -1,
        .cgroup = "none",
        .start = "cold",
        .missing = nothing,
    };
}
