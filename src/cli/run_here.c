/* One job and its streams, in one loop: the sandbox, the signals to ourselves, and stdout and
 * stderr when they were full. Nothing in it blocks but poll. */
#include "cli/run_here.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>

#include "cli/collect_into.h"
#include "cli/input.h"
#include "cli/message.h"
#include "cli/presenter.h"
#include "cli/warm_up.h"
#include "common/util.h"

/* The job as the callbacks see it. */
struct live {
    struct presenter presenter;
    struct sb_sandbox *sandbox;
    const struct sb_policy *policy;
    struct sb_run *run; /* NULL before the start and after the verdict */
    bool lacking;       /* it lacked a module, which may be one of the policy's */
    struct sb_search search;
    bool searching;
};

/* ── Callbacks ──────────────────────────────────────────────────────────────────────────────── */

static void on_output(void *user, enum sb_stream stream, const void *data, size_t size)
{
    struct live *live = user;
    struct relay *relay = &live->presenter.streams[stream];
    relay_put(relay, data, size);
    /* Only the part at hand is kept: the pipe fills up and the script waits. After a
     * signal the verdict must not wait for the reader. */
    if (relay_waits(relay) && live->presenter.signal == 0)
        sb_pause(live->run, stream, true);
}

static void on_display(void *user, const char *json, size_t size)
{
    struct live *live = user;
    presenter_display(&live->presenter, json, size);
}

static void on_done(void *user, const struct sb_verdict *verdict)
{
    struct live *live = user;
    live->run = NULL;
    live->lacking = verdict->exception != NULL &&
                    strcmp(verdict->exception, "ModuleNotFoundError") == 0 &&
                    sb_policy_preload(live->policy)[0] != NULL && !live->presenter.options->json;
    presenter_verdict(&live->presenter, verdict);
}

static void on_found(void *user, const char *missing, const char *remedy)
{
    struct live *live = user;
    live->searching = false;
    if (missing != NULL && missing[0] != '\0')
        presenter_say(&live->presenter,
                      "policy \"%s\" is for a root file system that has %s: %s makes one",
                      sb_policy_name(live->policy), missing, remedy);
}

/* Scripts that do not need the modules of their policy run well without them. */
static void search_modules(struct live *live)
{
    struct sb_error ignored;
    live->lacking = false;
    live->search = (struct sb_search){on_found, live};
    live->searching = sb_find_modules(live->sandbox, live->policy, &live->search, &ignored) == 0;
}

/* ── The loop ───────────────────────────────────────────────────────────────────────────────── */

/* The first signal ends the job, and its verdict follows at once. Returns true when there is
 * nothing left to wait for: after the verdict, or when the same signal comes again (Ctrl-C,
 * Ctrl-C). Another one may be sent along with the first, as SIGHUP with SIGTERM. */
static bool signalled(struct live *live)
{
    struct signalfd_siginfo info;
    if (read(live->presenter.signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
        return false;
    int first = live->presenter.signal;
    if (first == 0)
        live->presenter.signal = (int)info.ssi_signo;
    if (live->run == NULL || first == (int)info.ssi_signo)
        return true;
    if (first != 0)
        return false;
    char reason[INTERRUPTED_SIZE];
    live->presenter.killed = true;
    sb_kill(live->run, live->presenter.signal, interrupted(reason, live->presenter.signal));
    for (int i = 0; i < SB_STREAMS; i++)
        sb_pause(live->run, (enum sb_stream)i, false);
    return false;
}

/* A stream of ours that can't be written any more ends the job, as SIGPIPE would have. */
static void check_output(struct live *live, enum sb_stream stream)
{
    int error = live->presenter.streams[stream].error;
    if (error == 0 || live->run == NULL || live->presenter.killed)
        return;
    char reason[128];
    snprintf(reason, sizeof(reason), "can't write %s: %s", stream_names[stream], strerror(error));
    live->presenter.killed = true;
    sb_kill(live->run, SIGPIPE, reason);
}

static void flush(struct live *live, enum sb_stream stream)
{
    struct relay *relay = &live->presenter.streams[stream];
    relay_flush(relay);
    if (!relay_waits(relay) && live->run != NULL)
        sb_pause(live->run, stream, false);
}

/* Runs until the verdict has come and all kept output is written. After a signal it waits only for
 * the verdict: the reader may have stopped reading. */
static int supervise(struct live *live, struct sb_error *err)
{
    struct presenter *presenter = &live->presenter;
    bool over = false;
    while (!over && (live->run != NULL || live->searching || presenter_waits(presenter))) {
        bool turns = live->run != NULL || live->searching;
        struct pollfd ready[] = {
            {.fd = presenter->signals, .events = POLLIN},
            {.fd = turns ? sb_fd(live->sandbox) : -1, .events = POLLIN},
            {.fd = relay_fd(&presenter->streams[SB_STDOUT]), .events = POLLOUT},
            {.fd = relay_fd(&presenter->streams[SB_STDERR]), .events = POLLOUT},
        };
        if (poll(ready, ARRAY_LEN(ready), -1) < 0 && errno != EINTR)
            return fail(err, "", "can't wait for the job: %s", strerror(errno));
        if (ready[0].revents != 0)
            over = signalled(live);
        if (ready[1].revents != 0 && sb_turn(live->sandbox, 0, err) < 0)
            return -1;
        if (live->lacking && !over)
            search_modules(live);
        for (int i = 0; i < SB_STREAMS; i++) {
            if (ready[2 + i].revents != 0)
                flush(live, (enum sb_stream)i);
            check_output(live, (enum sb_stream)i);
        }
        over = over || (presenter->signal != 0 && live->run == NULL);
    }
    return 0;
}

/* ── The job ────────────────────────────────────────────────────────────────────────────────── */

static int64_t limit_in_force(const struct options *options, const struct sb_policy *policy,
                              enum sb_limit limit)
{
    int64_t asked = options->limits.value[limit];
    return asked != SB_UNSET ? asked : sb_policy_limit(policy, limit);
}

/* Starts the job. The inputs are not needed afterwards. */
static int start(struct live *live, const struct sb_policy *policy, const struct bytes *code,
                 const struct files *files, struct sb_error *err)
{
    const struct options *options = live->presenter.options;
    struct sb_job job = {
        .policy = policy,
        .name = options->script,
        .code = code->data,
        .code_size = code->size,
        .code_encoded = options->code == NULL,
        .module = options->module,
        .files = files->items,
        .files_count = files->count,
        .args = options->args,
        .env = options->env,
        .call = options->call,
        /* The code has used stdin up, when it came from there. */
        .stdin_from_fd = strcmp(options->script, "-") != 0,
        .stdin_fd = STDIN_FILENO,
        .merge_stderr = options->merge_stderr,
        .notebook = options->notebook,
        .collect = collect_globs(options),
        .limits = options->limits,
        .best_effort = options->sandbox.best_effort,
        .allow_missing = options->sandbox.allow_missing,
        .on_output = options->json ? NULL : on_output,
        .on_display = options->json ? NULL : on_display,
        .on_done = on_done,
        .user = live,
    };
    return sb_start(live->sandbox, &job, &live->run, err);
}

static int start_from_inputs(struct live *live, const struct sb_policy *policy,
                             struct sb_error *err)
{
    const struct options *options = live->presenter.options;
    struct bytes code = {0};
    struct files files = {
        .most_count = (size_t)limit_in_force(options, policy, SB_TMP_FILES),
        .most_bytes = (size_t)limit_in_force(options, policy, SB_TMP_BYTES),
        .most_why = "the most that fit into /work: give fewer, or raise --tmp-files and --tmp",
    };
    /* A character of UTF-8 is four bytes at most. */
    int result = read_code(options, (size_t)sb_policy_cap(policy, SB_CODE_CHARS) * 4, &code, err);
    if (result == 0)
        result = gather_files(options, &files, err);
    if (result == 0)
        result = presenter_open_meta(&live->presenter, err);
    if (result == 0)
        result = collect_open(&live->presenter, err);
    /* Before this a signal ends this process like any other: there is no job yet. */
    if (result == 0)
        result = presenter_take_signals(&live->presenter, err);
    if (result == 0)
        result = sb_open(&live->sandbox, &options->sandbox, err);
    if (result == 0 && options->start == START_WARM)
        result = warm_up_wait(live->sandbox, policy, 1, live->presenter.signals, err);
    if (result == 0)
        result = start(live, policy, &code, &files, err);
    files_free(&files);
    free(code.data);
    return result;
}

int run_script(const struct options *options, struct sb_error *err)
{
    struct sb_policy *policy = NULL;
    if (sb_policy_load(&policy, options->policy_directory, options->policy, err) < 0)
        return -1;
    struct live live = {.policy = policy};
    presenter_open(&live.presenter, options);

    int status = start_from_inputs(&live, policy, err);
    if (status == 0)
        status = supervise(&live, err);
    if (status == 0)
        status = presenter_status(&live.presenter, live.run == NULL);

    if (live.sandbox != NULL)
        sb_close(live.sandbox);
    presenter_close(&live.presenter);
    sb_policy_free(policy);
    return status;
}
