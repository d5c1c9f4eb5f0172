/* From evidence to a word: why a job ended, and the one sentence that says so. Nothing is guessed:
 * each word stands for a fact. */
#include "core/verdict.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "common/json_valid.h"
#include "common/sentence.h"
#include "common/util.h"
#include "inside/inside.h"
#include "policy/limit.h"

/* What the script's runner said on the result pipe. The script can write there, too: whatever comes
 * is checked, and believed no more than a script's statement about itself. See rootfs/runner.py. */
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

static struct told listen_to_runner(const struct asked *asked, const struct evidence *evidence)
{
    struct told told = {.too_long = evidence->message_too_long};
    char *message = evidence->message;
    size_t size = evidence->message_size;
    if (size < 1 || told.too_long || memchr(message, '\0', size) != NULL)
        return told;
    if (message[0] == 'E' && plausible_name(message + 1))
        told.exception = message + 1;
    bool fits = (int64_t)size - 1 <= asked->limits.value[SB_RESULT_BYTES];
    if (message[0] == 'R' && fits) {
        json_mend_surrogates(message + 1, size - 1);
        told.result = json_valid(message + 1, size - 1) ? message + 1 : NULL;
    }
    told.too_long = message[0] == 'R' && !fits;
    return told;
}

/* ── Words ─────────────────────────────────────────────────────────────────────────────────── */

/* Limits that can run out: the word, the limit, and the text around its value. */
static const struct {
    enum cause cause;
    enum sb_word word;
    enum sb_limit limit;
    const char *before, *after; /* around the limit's value */
} exceeded[] = {
    {CAUSE_WALL_TIME, SB_TIMEOUT, SB_WALL_TIME_MS, "Execution timed out after ", ""},
    {CAUSE_CPU_TIME, SB_CPU_TIME, SB_CPU_TIME_MS, "the CPU time limit of ",
     " (cpu_time_ms) was used up"},
    {CAUSE_OOM, SB_MEMORY, SB_MEMORY_BYTES, "the memory limit of ", " (memory_bytes) was reached"},
    {CAUSE_OUTPUT, SB_OUTPUT, SB_OUTPUT_BYTES, "the script wrote more than the output limit of ",
     " (output_bytes)"},
};

/* Whether memory ran out at the job's own limit. v2 counts that. On v1 the peak shows it, less a
 * little that the CPUs charge in advance. Otherwise the host or an outer cgroup had none left. */
static bool ran_into_own_limit(const struct asked *asked, const struct evidence *evidence)
{
    if (evidence->memory_hits >= 0)
        return evidence->memory_hits > 0;
    int64_t limit = asked->limits.value[SB_MEMORY_BYTES];
    return evidence->memory_peak < 0 || evidence->memory_peak >= limit - limit / 8;
}

/* Without a cgroup RLIMIT_CPU limits each process: the kernel kills it by SIGKILL at its limit. The
 * kernel counts by ticks, and so often more CPU time than the process had. Others can send the
 * signal, too: believe it is the limit only if at least half of it was used. */
static bool ran_into_rlimit_cpu(const struct asked *asked, const struct evidence *evidence)
{
    return evidence->times_us >= 0 && evidence->end == SCRIPT_EXITED &&
           WIFSIGNALED(evidence->status) && WTERMSIG(evidence->status) == SIGKILL &&
           evidence->cpu_time_us >= asked->limits.value[SB_CPU_TIME_MS] * 500;
}

static enum cause cause_of(const struct asked *asked, const struct evidence *evidence)
{
    if (evidence->cause != CAUSE_NONE && evidence->cause != CAUSE_OOM)
        return evidence->cause;
    if (evidence->oom_kills > 0)
        return ran_into_own_limit(asked, evidence) ? CAUSE_OOM : CAUSE_HOST_MEMORY;
    if (ran_into_rlimit_cpu(asked, evidence))
        return CAUSE_CPU_TIME;
    /* Output of the job's last moments was read after its end. */
    bool flooded = false;
    for (int i = 0; i < SB_STREAMS; i++)
        flooded |= evidence->written[i] > asked->limits.value[SB_OUTPUT_BYTES];
    return flooded && asked->policy->output_kills ? CAUSE_OUTPUT : CAUSE_NONE;
}

static void say_signal(struct sb_verdict *verdict, int signal, char text[VERDICT_TEXT_SIZE])
{
    const char *name = sigabbrev_np(signal);
    verdict->word = SB_SIGNAL;
    verdict->signal = signal;
    snprintf(text, VERDICT_TEXT_SIZE, "the script was ended by signal %s%s", name ? "SIG" : "",
             name ? name : "?");
    if (name == NULL)
        snprintf(text, VERDICT_TEXT_SIZE, "the script was ended by signal %d", signal);
}

/* The script ended by itself: judges it by its wait status and by its runner. */
static void judge_status(struct sb_verdict *verdict, const struct asked *asked,
                         const struct evidence *evidence, const struct told *told,
                         char text[VERDICT_TEXT_SIZE])
{
    if (WIFSIGNALED(evidence->status)) {
        say_signal(verdict, WTERMSIG(evidence->status), text);
        return;
    }
    verdict->exit_code = WEXITSTATUS(evidence->status);
    verdict->result = told->result;
    if (told->too_long && verdict->exit_code == 0) {
        char most[LIMIT_TEXT_SIZE];
        verdict->word = SB_OUTPUT;
        snprintf(text, VERDICT_TEXT_SIZE, "the result is larger than %s (result_bytes)",
                 limit_text(most, SB_RESULT_BYTES, asked->limits.value[SB_RESULT_BYTES]));
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
        snprintf(text, VERDICT_TEXT_SIZE, "%s", sentence);
}

/* A step failed before the script was let in. */
static void say_failure(const struct asked *asked, const struct evidence *evidence,
                        char text[VERDICT_TEXT_SIZE])
{
    const char *step = inside_step_name(evidence->failure.step);
    const char *remedy = inside_step_remedy(evidence->failure.step, evidence->failure.value);
    bool exec = strcmp(step, "exec") == 0;
    snprintf(text, VERDICT_TEXT_SIZE,
             "the sandbox could not be set up: step '%s'%s%s: %s; %s%ssee sandbox-run --doctor",
             step, exec ? " of " : "", exec ? asked->python : "", strerror(evidence->failure.value),
             remedy ? remedy : "", remedy ? "; " : "");
}

/* The job neither used up its own time nor came to its end. */
static void say_starved(const struct asked *asked, const struct evidence *evidence,
                        char text[VERDICT_TEXT_SIZE])
{
    char limit[LIMIT_TEXT_SIZE], real[LIMIT_TEXT_SIZE];
    limit_text(limit, SB_WALL_TIME_MS, asked->limits.value[SB_WALL_TIME_MS]);
    limit_text(real, SB_WALL_TIME_MS, (evidence->ended_us - evidence->started_us) / 1000);
    snprintf(text, VERDICT_TEXT_SIZE,
             "the host was too busy: it did not give this job its %s (wall_time_ms) within %s; run "
             "fewer jobs at once, or free its CPUs, and try again",
             limit, real);
}

static bool judge_limit(struct sb_verdict *verdict, const struct asked *asked, enum cause cause,
                        char text[VERDICT_TEXT_SIZE])
{
    for (size_t i = 0; i < ARRAY_LEN(exceeded); i++) {
        if (exceeded[i].cause != cause)
            continue;
        char limit[LIMIT_TEXT_SIZE];
        enum sb_limit which = exceeded[i].limit;
        limit_text(limit, which, asked->limits.value[which]);
        verdict->word = exceeded[i].word;
        verdict->signal = SIGKILL;
        snprintf(text, VERDICT_TEXT_SIZE, "%s%s%s", exceeded[i].before, limit, exceeded[i].after);
        return true;
    }
    return false;
}

/* Whether we ended the job, or the host did; judges it then. */
static bool judge_cause(struct sb_verdict *verdict, const struct asked *asked,
                        const struct evidence *evidence, char text[VERDICT_TEXT_SIZE])
{
    enum cause cause = cause_of(asked, evidence);
    if (cause == CAUSE_NONE || judge_limit(verdict, asked, cause, text))
        return cause != CAUSE_NONE;
    snprintf(text, VERDICT_TEXT_SIZE, "%s", evidence->reason);
    verdict->word = SB_INTERNAL;
    if (cause == CAUSE_CALLER) {
        verdict->word = SB_SIGNAL;
        verdict->signal = evidence->kill_signal;
    } else if (cause == CAUSE_STARVED) {
        verdict->host_busy = true;
        say_starved(asked, evidence, text);
    } else if (cause == CAUSE_HOST_MEMORY) {
        verdict->host_busy = true;
        if (evidence->cause != cause) /* otherwise floor.c gave the reason */
            snprintf(text, VERDICT_TEXT_SIZE,
                     "the host ran out of memory, or the cgroup that holds all jobs did, and ended "
                     "this one, which had not reached memory_bytes; run fewer jobs at once");
    }
    return true;
}

void verdict_judge(struct sb_verdict *verdict, const struct asked *asked,
                   const struct evidence *evidence, char text[VERDICT_TEXT_SIZE])
{
    verdict->exit_code = -1;
    text[0] = '\0';
    if (evidence->end == SCRIPT_FAILED) {
        verdict->word = SB_INTERNAL;
        say_failure(asked, evidence, text);
    } else if (judge_cause(verdict, asked, evidence, text)) {
        return;
    } else if (evidence->end == SCRIPT_EXITED) {
        struct told told = listen_to_runner(asked, evidence);
        judge_status(verdict, asked, evidence, &told, text);
    } else {
        /* pid 1 ended before it could report. Nothing in its pid namespace can kill it. */
        verdict->word = SB_INTERNAL;
        snprintf(text, VERDICT_TEXT_SIZE,
                 "the job's first process was ended from outside the sandbox (%s %d); see the "
                 "host's log",
                 evidence->init_code == CLD_EXITED ? "exit status" : "signal",
                 evidence->init_status);
    }
}

/* ── The verdict ───────────────────────────────────────────────────────────────────────────── */

/* The text of a stream. A caller that takes output live gets the rest of it here. NULL: out of
 * memory. */
static const char *deliver(struct sb_run *run, enum sb_stream which, size_t *size)
{
    const char *text = stream_text(&run->stream[which], size);
    if (run->asked.on_output == NULL || text == NULL)
        return text;
    if (*size > 0)
        run->asked.on_output(run->asked.user, which, text, *size);
    *size = 0;
    return "";
}

void verdict_give(struct sb_run *run)
{
    char text[VERDICT_TEXT_SIZE];
    struct sb_verdict verdict = {
        .id = run->asked.id,
        .wall_time_us = run->evidence.ended_us - run->evidence.started_us,
        .cpu_time_us = run->evidence.cpu_time_us,
        .memory_peak_bytes = run->evidence.memory_peak,
        .pids_peak = run->evidence.pids_peak,
        .cgroup = cgroup_name(&run->sandbox->cgroup),
        .start = run->process.warm ? "warm" : "cold",
        .missing = run->missing,
    };
    verdict.denied_count = denied_list(run, &verdict.denied);
    collect_tell(run->collect, &verdict);
    verdict_judge(&verdict, &run->asked, &run->evidence, text);
    for (int i = 0; i < SB_STREAMS; i++) {
        verdict.text[i] = deliver(run, (enum sb_stream)i, &verdict.text_size[i]);
        verdict.written_bytes[i] = run->evidence.written[i];
        verdict.dropped_bytes[i] = run->stream[i].dropped;
        if (verdict.text[i] == NULL) {
            verdict.word = SB_INTERNAL;
            verdict.text[i] = "";
            snprintf(text, sizeof(text), "out of memory (the script's output)");
        }
    }
    if (run->asked.notebook) {
        verdict.display = displays_end(&run->displays);
        verdict.displays_left_out = run->displays.left_out;
        if (verdict.display == NULL) {
            verdict.word = SB_INTERNAL;
            verdict.display = "[]";
            snprintf(text, sizeof(text), "out of memory (the cell's displays)");
        }
    }
    verdict.error = verdict.word == SB_OK ? NULL : text;
    if (stderr_says_why(&verdict))
        verdict.error = verdict.text[SB_STDERR];
    if (run->asked.on_done != NULL)
        run->asked.on_done(run->asked.user, &verdict);
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
