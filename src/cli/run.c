/* One job and its streams, in one loop: the sandbox, the signals to ourselves, and stdout and
 * stderr when they were full. Nothing in it blocks but poll. */
#include "run.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include "input.h"
#include "message.h"
#include "relay.h"
#include "status.h"
#include "util.h"

/* The job as the callbacks see it. */
struct live {
    const struct options *options;
    struct sb_sandbox *sandbox;
    struct sb_run *run; /* NULL before the start and after the verdict */
    struct relay streams[SB_STREAMS];
    int signals; /* signalfd */
    int meta;    /* descriptor of --meta, or −1 */
    bool killed; /* by us: sb_kill was called */
    int signal;  /* that came to us, or 0 */
    int status;  /* what to exit with */
};

static const char *const stream_names[SB_STREAMS] = {"stdout", "stderr"};

/* ── What we say ────────────────────────────────────────────────────────────────────────────── */

/* A sentence of our own, behind what the script wrote to stderr, without blocking either. */
__attribute__((format(printf, 2, 3))) static void tell(struct live *live, const char *format, ...)
{
    if (live->options->quiet)
        return;
    char sentence[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);

    char line[sizeof(sentence) + 16];
    struct relay *stream = &live->streams[SB_STDERR];
    int length = snprintf(line, sizeof(line), "%ssandbox-run: %s\n",
                          stream->last == '\n' ? "" : "\n", sentence);
    relay_put(stream, line, (size_t)length);
}

static void tell_verdict(struct live *live, const struct sb_verdict *verdict)
{
    /* An exception is told by its traceback, an exit status by itself; a reader that went away
     * wants to hear nothing, as with any other program. */
    bool told = verdict->word == SB_EXCEPTION || verdict->word == SB_EXIT ||
                (verdict->word == SB_SIGNAL && live->streams[SB_STDOUT].error == EPIPE);
    if (verdict->error != NULL && !told)
        tell(live, "%s", verdict->error);
    for (int i = 0; i < SB_STREAMS; i++) {
        if (verdict->dropped_bytes[i] > 0)
            tell(live, "%lld bytes of %s were dropped from its middle; --output raises the limit",
                 (long long)verdict->dropped_bytes[i], stream_names[i]);
    }
    char list[512];
    int length = 0;
    for (const char *const *m = verdict->missing; *m != NULL && length < (int)sizeof(list); m++)
        length += snprintf(list + length, sizeof(list) - (size_t)length, "%s%s",
                           length > 0 ? ", " : "", *m);
    if (length > 0)
        tell(live, "not enforced on this host: %s; sandbox-run --doctor tells the remedies", list);
}

static void write_meta(struct live *live, const struct sb_verdict *verdict)
{
    _cleanup_free_ char *json = sb_verdict_json(verdict, SB_JSON_NO_OUTPUT);
    if (json != NULL && dprintf(live->meta, "%s\n", json) > 0)
        return;
    tell(live, "can't write the verdict to %s: %s", live->options->meta, strerror(errno));
    live->status = STATUS_FAILED;
}

/* ── Callbacks ──────────────────────────────────────────────────────────────────────────────── */

static void on_output(void *user, enum sb_stream stream, const void *data, size_t size)
{
    struct live *live = user;
    struct relay *relay = &live->streams[stream];
    relay_put(relay, data, size);
    /* No more than what is at hand is ever kept: the pipe fills up and the script waits. After a
     * signal the verdict must not wait for the reader. */
    if (relay_waits(relay) && live->signal == 0)
        sb_pause(live->run, stream, true);
}

static void on_done(void *user, const struct sb_verdict *verdict)
{
    struct live *live = user;
    live->run = NULL;
    live->status = status_of(verdict);
    if (live->meta >= 0)
        write_meta(live, verdict);
    if (!live->options->json) {
        tell_verdict(live, verdict);
        return;
    }
    _cleanup_free_ char *json = sb_verdict_json(verdict, 0);
    if (json == NULL) {
        tell(live, "no memory for the verdict: lower --output or free some");
        live->status = STATUS_FAILED;
        return;
    }
    relay_put(&live->streams[SB_STDOUT], json, strlen(json));
    relay_put(&live->streams[SB_STDOUT], "\n", 1);
}

/* ── The loop ───────────────────────────────────────────────────────────────────────────────── */

/* From here on, signals come through a descriptor. What was ignored when we were started (nohup)
 * stays ignored. Stopping is refused: a supervisor that is stopped keeps no limit of time. */
static int take_signals(struct live *live, struct sb_error *err)
{
    static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    static const int ignored[] = {SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < ARRAY_LEN(ending); i++) {
        struct sigaction action;
        if (sigaction(ending[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(&set, ending[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
        signal(ignored[i], SIG_IGN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    live->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (live->signals < 0)
        return fail(err, "", "can't receive signals: %s; raise the limit of open files",
                    strerror(errno));
    return 0;
}

/* The first signal ends the job, and its verdict follows at once. Returns true when there is
 * nothing left to wait for: after the verdict, or when the same signal comes again (Ctrl-C,
 * Ctrl-C). Another one may be sent along with the first, as SIGHUP with SIGTERM. */
static bool signalled(struct live *live)
{
    struct signalfd_siginfo info;
    if (read(live->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
        return false;
    int first = live->signal;
    if (first == 0)
        live->signal = (int)info.ssi_signo;
    if (live->run == NULL || first == (int)info.ssi_signo)
        return true;
    if (first != 0)
        return false;
    char reason[64];
    snprintf(reason, sizeof(reason), "interrupted by SIG%s", sigabbrev_np(live->signal));
    live->killed = true;
    sb_kill(live->run, live->signal, reason);
    for (int i = 0; i < SB_STREAMS; i++)
        sb_pause(live->run, (enum sb_stream)i, false);
    return false;
}

/* A stream of ours that can't be written any more ends the job, as SIGPIPE would have. */
static void check_output(struct live *live, enum sb_stream stream)
{
    int error = live->streams[stream].error;
    if (error == 0 || live->run == NULL || live->killed)
        return;
    char reason[128];
    snprintf(reason, sizeof(reason), "can't write %s: %s", stream_names[stream], strerror(error));
    live->killed = true;
    sb_kill(live->run, SIGPIPE, reason);
}

static void flush(struct live *live, enum sb_stream stream)
{
    struct relay *relay = &live->streams[stream];
    relay_flush(relay);
    if (!relay_waits(relay) && live->run != NULL)
        sb_pause(live->run, stream, false);
}

/* Until the verdict is there and what is kept is written. After a signal nothing is waited for but
 * the verdict: the reader may be the one who does not read. */
static int supervise(struct live *live, struct sb_error *err)
{
    bool over = false;
    while (!over && (live->run != NULL || relay_waits(&live->streams[SB_STDOUT]) ||
                     relay_waits(&live->streams[SB_STDERR]))) {
        struct pollfd ready[] = {
            {.fd = live->signals, .events = POLLIN},
            {.fd = live->run != NULL ? sb_fd(live->sandbox) : -1, .events = POLLIN},
            {.fd = relay_fd(&live->streams[SB_STDOUT]), .events = POLLOUT},
            {.fd = relay_fd(&live->streams[SB_STDERR]), .events = POLLOUT},
        };
        if (poll(ready, ARRAY_LEN(ready), -1) < 0 && errno != EINTR)
            return fail(err, "", "can't wait for the job: %s", strerror(errno));
        if (ready[0].revents != 0)
            over = signalled(live);
        if (ready[1].revents != 0 && sb_turn(live->sandbox, 0, err) < 0)
            return -1;
        for (int i = 0; i < SB_STREAMS; i++) {
            if (ready[2 + i].revents != 0)
                flush(live, (enum sb_stream)i);
            check_output(live, (enum sb_stream)i);
        }
        over = over || (live->signal != 0 && live->run == NULL);
    }
    return 0;
}

static bool lost_output(const struct live *live)
{
    for (int i = 0; i < SB_STREAMS; i++) {
        if (relay_waits(&live->streams[i]) || live->streams[i].error != 0)
            return true;
    }
    return false;
}

/* What a failed write makes of the exit status. A reader that went away is SIGPIPE, unless the
 * verdict itself was lost. */
static int final_status(struct live *live)
{
    bool json = live->options->json;
    /* The verdict may be the script's own, given while its output was still waiting; and a terminal
     * that hangs up sends SIGHUP and can't be written any more. */
    if (live->signal != 0 && (live->run != NULL || lost_output(live)))
        return STATUS_SIGNAL + live->signal;
    for (int i = 0; i < SB_STREAMS; i++) {
        int error = live->streams[i].error;
        if (error == 0 || (i == SB_STDERR && json))
            continue;
        if (error == EPIPE && !json)
            return STATUS_SIGNAL + SIGPIPE;
        if (i == SB_STDOUT && !live->killed)
            tell(live, "can't write stdout: %s", strerror(error));
        return STATUS_FAILED;
    }
    return live->status;
}

/* ── The job ────────────────────────────────────────────────────────────────────────────────── */

static int64_t limit_in_force(const struct options *options, const struct sb_policy *policy,
                              enum sb_limit limit)
{
    int64_t asked = options->limits.value[limit];
    return asked != SB_UNSET ? asked : sb_policy_limit(policy, limit);
}

/* Reads what goes into the job and lets it start. Nothing of it is needed afterwards. */
static int start(struct live *live, const struct sb_policy *policy, const struct bytes *code,
                 const struct files *files, struct sb_error *err)
{
    const struct options *options = live->options;
    struct sb_job job = {
        .policy = policy,
        .name = options->script,
        .code = code->data,
        .code_size = code->size,
        .files = files->items,
        .files_count = files->count,
        .args = options->args,
        .env = options->env,
        .call = options->call,
        /* The code has used stdin up, when it came from there. */
        .stdin_from_fd = strcmp(options->script, "-") != 0,
        .stdin_fd = STDIN_FILENO,
        .limits = options->limits,
        .best_effort = options->sandbox.best_effort,
        .on_output = options->json ? NULL : on_output,
        .on_done = on_done,
        .user = live,
    };
    return sb_start(live->sandbox, &job, &live->run, err);
}

static int read_code(const struct options *options, const struct sb_policy *policy,
                     struct bytes *code, struct sb_error *err)
{
    if (options->code != NULL) {
        *code = (struct bytes){strdup(options->code), strlen(options->code)};
        return code->data != NULL ? 0 : fail(err, "", "no memory for the code: free some");
    }
    if (strcmp(options->script, "-") == 0 && isatty(STDIN_FILENO) && !options->quiet)
        say("reading the code from the terminal, up to Ctrl-D");
    /* A character of UTF-8 is four bytes at most. */
    size_t most = (size_t)sb_policy_cap(policy, SB_CODE_CHARS) * 4;
    return read_script(options->script, most, code, err);
}

static int gather_files(const struct options *options, const struct sb_policy *policy,
                        struct files *files, struct sb_error *err)
{
    files->most_count = (size_t)limit_in_force(options, policy, SB_TMP_FILES);
    files->most_bytes = (size_t)limit_in_force(options, policy, SB_TMP_BYTES);
    for (const char **path = options->files; *path != NULL; path++) {
        if (files_add(files, *path, err) < 0)
            return -1;
    }
    if (files->left_out > 0 && !options->quiet)
        say("--files left out %zu links or other things that are not regular files, such as %s",
            files->left_out, files->first_left_out);
    return 0;
}

/* Before the run, so that a name that can't be written is known before anything has happened. */
static int open_meta(const char *path, int *fd, struct sb_error *err)
{
    struct stat st;
    *fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
               0666);
    if (*fd < 0 || fstat(*fd, &st) < 0)
        return fail(err, "meta",
                    "can't write --meta %s: %s; name a file, not a link, in a directory "
                    "that you may write to",
                    path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return fail(err, "meta", "--meta %s is not a regular file: name one", path);
    return 0;
}

static int start_from_inputs(struct live *live, const struct sb_policy *policy,
                             struct sb_error *err)
{
    struct bytes code = {0};
    struct files files = {0};
    int result = read_code(live->options, policy, &code, err);
    if (result == 0)
        result = gather_files(live->options, policy, &files, err);
    if (result == 0 && live->options->meta != NULL)
        result = open_meta(live->options->meta, &live->meta, err);
    /* Up to here a signal ends us as it ends any program: there is no job yet. */
    if (result == 0)
        result = take_signals(live, err);
    if (result == 0)
        result = sb_open(&live->sandbox, &live->options->sandbox, err);
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
    struct live live = {.options = options, .signals = -1, .meta = -1};
    for (int i = 0; i < SB_STREAMS; i++)
        relay_open(&live.streams[i], STDOUT_FILENO + i);

    int status = start_from_inputs(&live, policy, err);
    if (status == 0)
        status = supervise(&live, err);
    if (status == 0)
        status = final_status(&live);

    if (live.sandbox != NULL)
        sb_close(live.sandbox);
    for (int i = 0; i < SB_STREAMS; i++)
        relay_close(&live.streams[i]);
    close_fd(&live.signals);
    close_fd(&live.meta);
    sb_policy_free(policy);
    return status;
}
