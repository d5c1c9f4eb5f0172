/* Runs the cases in this process, side by side, in one loop: the sandbox, signals to ourselves, and
 * standard output when it was full. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>

#include "cli/cases.h"
#include "cli/collect_into.h"
#include "cli/input.h"
#include "cli/message.h"
#include "cli/warm_up.h"
#include "common/util.h"

/* From so many cases on a zygote pays: it starts in the time of a few cold starts. The first cases
 * do not wait for it. */
enum { WARM_FROM = 8 };

struct here;

/* A case that runs. */
struct place {
    struct here *here;
    struct sb_run *run; /* NULL: the place is free */
    size_t index;
};

struct here {
    struct presenter presenter;
    struct case_run cases;
    struct sb_sandbox *sandbox;
    struct sb_policy *policy;
    struct sb_job job; /* what all cases share */
    struct bytes code;
    struct files files;
    struct place *places;
    size_t places_count, running, next;
    char why[INTERRUPTED_SIZE]; /* no further case starts: why; else "" */
};

/* ── Cases ──────────────────────────────────────────────────────────────────────────────────── */

/* A further case does not start, and those that run end. */
static void stop(struct here *here, int signal)
{
    for (size_t i = 0; i < here->places_count; i++)
        if (here->places[i].run != NULL)
            sb_kill(here->places[i].run, signal, here->why);
}

static void on_done(void *user, const struct sb_verdict *verdict)
{
    struct place *place = user;
    struct here *here = place->here;
    size_t index = place->index;
    place->run = NULL;
    here->running--;
    if (here->why[0] != '\0') {
        cases_left_out(&here->cases, index, here->why);
        return;
    }
    enum case_grade grade = case_judge(&here->cases.cases.cases[index], verdict);
    cases_ended(&here->cases, index, verdict, grade, 0);
    if (here->cases.cases.stop_at_failure && case_failed(grade, verdict)) {
        snprintf(here->why, sizeof(here->why), "not run to its end: case %zu failed", index);
        stop(here, SIGKILL);
    }
}

static int start_case(struct here *here, struct place *place, struct sb_error *err)
{
    struct case_job made;
    if (case_job_make(&made, &here->job, &here->cases.cases.cases[here->next]) < 0)
        return fail(err, "cases", "out of memory (--cases)");
    place->here = here;
    place->index = here->next++;
    made.job.on_done = on_done;
    made.job.user = place;
    int result = sb_start(here->sandbox, &made.job, &place->run, err);
    here->running += result == 0;
    case_job_free(&made);
    return result;
}

/* A case that can't start ends the whole: all were checked, so the host is at fault. */
static int start_cases(struct here *here, struct sb_error *err)
{
    for (size_t i = 0; i < here->places_count; i++)
        if (here->places[i].run == NULL && here->why[0] == '\0' &&
            here->next < here->cases.cases.count && start_case(here, &here->places[i], err) < 0)
            return -1;
    return 0;
}

/* ── The loop ───────────────────────────────────────────────────────────────────────────────── */

/* A second signal waits for nothing. */
static bool signalled(struct here *here)
{
    struct signalfd_siginfo info;
    if (read(here->presenter.signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
        return false;
    if (here->presenter.signal != 0)
        return true;
    here->presenter.signal = (int)info.ssi_signo;
    interrupted(here->why, here->presenter.signal);
    stop(here, here->presenter.signal);
    return false;
}

static int supervise(struct here *here, struct sb_error *err)
{
    struct presenter *presenter = &here->presenter;
    struct relay *stdout_relay = &presenter->streams[SB_STDOUT];
    bool over = false, finished = false;
    while (!over) {
        if (!finished && start_cases(here, err) < 0)
            return -1;
        if (!finished && here->running == 0) {
            for (; here->next < here->cases.cases.count; here->next++)
                cases_left_out(&here->cases, here->next, here->why);
            cases_finish(&here->cases);
            finished = true;
        }
        if (finished && (!presenter_waits(presenter) || presenter->signal != 0))
            return 0;
        struct pollfd ready[] = {
            {.fd = presenter->signals, .events = POLLIN},
            {.fd = here->running > 0 ? sb_fd(here->sandbox) : -1, .events = POLLIN},
            {.fd = relay_fd(stdout_relay), .events = POLLOUT},
        };
        if (poll(ready, ARRAY_LEN(ready), -1) < 0 && errno != EINTR)
            return fail(err, "", "can't wait for the cases: %s", strerror(errno));
        if (ready[0].revents != 0)
            over = signalled(here);
        if (ready[1].revents != 0 && sb_turn(here->sandbox, 0, err) < 0)
            return -1;
        if (ready[2].revents != 0)
            relay_flush(stdout_relay);
    }
    return 0;
}

/* ── The whole ──────────────────────────────────────────────────────────────────────────────── */

static int64_t in_force(const struct here *here, enum sb_limit limit)
{
    int64_t asked = here->presenter.options->limits.value[limit];
    return asked != SB_UNSET ? asked : sb_policy_limit(here->policy, limit);
}

static int read_inputs(struct here *here, struct sb_error *err)
{
    const struct options *options = here->presenter.options;
    here->files = (struct files){
        .most_count = (size_t)in_force(here, SB_TMP_FILES),
        .most_bytes = (size_t)in_force(here, SB_TMP_BYTES),
        .most_why = "the most that fit into /work: give fewer, or raise --tmp-files and --tmp",
    };
    if (read_code(options, (size_t)sb_policy_cap(here->policy, SB_CODE_CHARS) * 4, &here->code,
                  err) < 0 ||
        gather_files(options, &here->files, err) < 0)
        return -1;
    here->job = (struct sb_job){
        .policy = here->policy,
        .name = options->script,
        .code = here->code.data,
        .code_size = here->code.size,
        .code_encoded = options->code == NULL,
        .module = options->module,
        .files = here->files.items,
        .files_count = here->files.count,
        .args = options->args,
        .env = options->env,
        .call = options->call,
        .merge_stderr = options->merge_stderr,
        .notebook = options->notebook,
        .collect = collect_globs(options),
        .limits = options->limits,
        .best_effort = options->sandbox.best_effort,
    };
    return sb_check(&here->job, err) < 0
               ? -1
               : cases_check(&here->cases.cases, &here->job, sb_check, err);
}

static int open_sandbox(struct here *here, struct sb_error *err)
{
    const struct options *options = here->presenter.options;
    int64_t jobs = options->jobs > 0 ? options->jobs : (sb_millicpus() + 999) / 1000;
    here->places_count = (size_t)MAX(jobs, 1);
    here->places = calloc(here->places_count, sizeof(*here->places));
    if (here->places == NULL)
        return fail(err, "cases", "out of memory (--jobs)");
    if (sb_open(&here->sandbox, &options->sandbox, err) < 0)
        return -1;
    if (options->start == START_WARM)
        return warm_up_wait(here->sandbox, here->policy, here->places_count,
                            here->presenter.signals, err);
    bool pays = options->start == START_AS_IT_PAYS && here->cases.cases.count >= WARM_FROM;
    return pays ? warm_up(here->sandbox, here->policy, here->places_count, err) : 0;
}

int cases_run_here(const struct options *options, struct sb_error *err)
{
    struct here here = {.cases.junit = -1};
    presenter_open(&here.presenter, options);
    int status = sb_policy_load(&here.policy, options->policy_directory, options->policy, err);
    if (status == 0)
        status = cases_open(&here.cases, &here.presenter, err);
    if (status == 0)
        status = read_inputs(&here, err);
    if (status == 0)
        status = presenter_take_signals(&here.presenter, err);
    if (status == 0)
        status = open_sandbox(&here, err);
    if (status == 0)
        status = supervise(&here, err);
    if (status == 0)
        status = presenter_status(&here.presenter, false);
    if (here.sandbox != NULL)
        sb_close(here.sandbox);
    cases_close(&here.cases);
    presenter_close(&here.presenter);
    files_free(&here.files);
    free(here.code.data);
    free(here.places);
    sb_policy_free(here.policy);
    return status;
}
