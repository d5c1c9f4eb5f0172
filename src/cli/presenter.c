/* See presenter.h. Nothing here blocks: what can't be written now is kept. */
#include "cli/presenter.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include "cli/collect_into.h"
#include "cli/display.h"
#include "cli/hint.h"
#include "cli/message.h"
#include "cli/status.h"
#include "common/util.h"

const char *const stream_names[SB_STREAMS] = {"stdout", "stderr"};

void presenter_open(struct presenter *presenter, const struct options *options)
{
    *presenter = (struct presenter){.options = options, .signals = -1, .meta = -1, .collect = -1};
    for (int i = 0; i < SB_STREAMS; i++)
        relay_open(&presenter->streams[i], STDOUT_FILENO + i);
}

void presenter_close(struct presenter *presenter)
{
    for (int i = 0; i < SB_STREAMS; i++)
        relay_close(&presenter->streams[i]);
    close_fd(&presenter->signals);
    close_fd(&presenter->meta);
    close_fd(&presenter->collect);
}

int presenter_open_file(const char *option, const char *path, struct sb_error *err)
{
    struct stat st;
    _cleanup_close_ int fd = open(
        path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0666);
    if (fd < 0 || fstat(fd, &st) < 0)
        return fail(err, option,
                    "can't write --%s %s: %s; name a file, not a link, in a directory "
                    "that you may write to",
                    option, path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return fail(err, option, "--%s %s is not a regular file: name one", option, path);
    return steal_fd(&fd);
}

int presenter_open_meta(struct presenter *presenter, struct sb_error *err)
{
    const char *path = presenter->options->meta;
    if (path != NULL)
        presenter->meta = presenter_open_file("meta", path, err);
    return path != NULL && presenter->meta < 0 ? -1 : 0;
}

/* Signals that were ignored when the program started (nohup) stay ignored. Stopping is refused: a
 * supervisor that is stopped keeps no limit of time. */
int presenter_take_signals(struct presenter *presenter, struct sb_error *err)
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
    presenter->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (presenter->signals < 0)
        return fail(err, "", "can't receive signals: %s; raise the limit of open files",
                    strerror(errno));
    return 0;
}

const char *interrupted(char text[static INTERRUPTED_SIZE], int signal)
{
    snprintf(text, INTERRUPTED_SIZE, "interrupted by SIG%s", sigabbrev_np(signal));
    return text;
}

/* ── What we say ────────────────────────────────────────────────────────────────────────────── */

void presenter_say(struct presenter *presenter, const char *format, ...)
{
    if (presenter->options->quiet)
        return;
    char sentence[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);

    char line[sizeof(sentence) + 16];
    struct relay *stream = &presenter->streams[SB_STDERR];
    int length = snprintf(line, sizeof(line), "%ssandbox-run: %s\n",
                          stream->last == '\n' ? "" : "\n", sentence);
    relay_put(stream, line, (size_t)length);
}

/* A function that is called for what it prints has none. */
static bool has_value(const struct sb_verdict *verdict)
{
    return verdict->result != NULL && strcmp(verdict->result, "null") != 0;
}

void presenter_display(struct presenter *presenter, const char *json, size_t size)
{
    struct relay *stream = &presenter->streams[SB_STDOUT];
    struct json_object *text = display_plain(json, size);
    presenter->displays++;
    if (text == NULL)
        return;
    if (stream->last != '\n')
        relay_put(stream, "\n", 1);
    relay_put(stream, json_object_get_string(text), (size_t)json_object_get_string_len(text));
    if (stream->last != '\n')
        relay_put(stream, "\n", 1);
    json_object_put(text);
}

/* Prints the displays that have not been printed as they came, and names what text can't show. */
static void say_displays(struct presenter *presenter, const struct sb_verdict *verdict)
{
    struct display_array array;
    const char *json;
    size_t size, printed = 0;
    char types[256] = "";
    display_array_begin(&array, verdict->display);
    while ((json = display_array_next(&array, &size)) != NULL) {
        if (printed++ >= presenter->displays)
            presenter_display(presenter, json, size);
        display_other_types(json, size, presenter->collect >= 0, types);
    }
    if (types[0] != '\0')
        presenter_say(presenter, "not shown of the displays: %s; --json prints them", types);
    if (verdict->displays_left_out > 0)
        presenter_say(presenter, "%lld %s left out; --displays and --display-size raise the limits",
                      (long long)verdict->displays_left_out,
                      verdict->displays_left_out == 1 ? "display was" : "displays were");
}

static void say_verdict(struct presenter *presenter, const struct sb_verdict *verdict)
{
    /* An exception shows its traceback, an exit status speaks for itself; a reader that went away
     * gets no message, as with any other program. */
    bool told = verdict->word == SB_EXCEPTION || verdict->word == SB_EXIT ||
                (verdict->word == SB_SIGNAL && presenter->streams[SB_STDOUT].error == EPIPE);
    if (verdict->display != NULL)
        say_displays(presenter, verdict);
    if (verdict->error != NULL && !told)
        presenter_say(presenter, "%s", verdict->error);
    enum sb_stream traceback = presenter->options->merge_stderr ? SB_STDOUT : SB_STDERR;
    char hint[HINT_SIZE];
    if (verdict->word == SB_EXCEPTION &&
        hint_missing_module(hint, presenter->options, presenter->streams[traceback].tail))
        presenter_say(presenter, "%s", hint);
    for (int i = 0; i < SB_STREAMS; i++) {
        if (verdict->dropped_bytes[i] > 0)
            presenter_say(presenter,
                          "%lld %s of %s %s dropped from its middle; --output raises the limit",
                          (long long)verdict->dropped_bytes[i],
                          verdict->dropped_bytes[i] == 1 ? "byte" : "bytes", stream_names[i],
                          verdict->dropped_bytes[i] == 1 ? "was" : "were");
    }
    if (has_value(verdict) && presenter->options->call != NULL && presenter->meta < 0)
        presenter_say(presenter,
                      "the function's value is not shown: --json prints it as \"result\", "
                      "--meta FILE writes it to a file");
    char list[512];
    int length = 0;
    for (const char *const *m = verdict->missing; *m != NULL && length < (int)sizeof(list); m++)
        length += snprintf(list + length, sizeof(list) - (size_t)length, "%s%s",
                           length > 0 ? ", " : "", *m);
    if (length > 0)
        presenter_say(presenter,
                      "not enforced on this host: %s; sandbox-run --doctor shows remedies", list);
}

static void write_meta(struct presenter *presenter, const struct sb_verdict *verdict)
{
    _cleanup_free_ char *json = sb_verdict_json(verdict, SB_JSON_NO_OUTPUT);
    if (json != NULL && dprintf(presenter->meta, "%s\n", json) > 0)
        return;
    presenter_say(presenter, "can't write the verdict to %s: %s", presenter->options->meta,
                  strerror(errno));
    presenter->status = STATUS_FAILED;
}

void presenter_verdict(struct presenter *presenter, const struct sb_verdict *verdict)
{
    presenter->status = status_of(verdict);
    if (presenter->meta >= 0)
        write_meta(presenter, verdict);
    collect_write(presenter, verdict);
    if (!presenter->options->json) {
        say_verdict(presenter, verdict);
        return;
    }
    _cleanup_free_ char *json = sb_verdict_json(verdict, 0);
    if (json == NULL) {
        presenter_say(presenter, "out of memory (verdict): lower --output");
        presenter->status = STATUS_FAILED;
        return;
    }
    size_t size = strlen(json);
    json[size] = '\n'; /* in one write with it: others may write lines there too */
    relay_put(&presenter->streams[SB_STDOUT], json, size + 1);
}

/* ── The end ────────────────────────────────────────────────────────────────────────────────── */

bool presenter_waits(const struct presenter *presenter)
{
    return relay_waits(&presenter->streams[SB_STDOUT]) ||
           relay_waits(&presenter->streams[SB_STDERR]);
}

static bool lost_output(const struct presenter *presenter)
{
    for (int i = 0; i < SB_STREAMS; i++) {
        if (relay_waits(&presenter->streams[i]) || presenter->streams[i].error != 0)
            return true;
    }
    return false;
}

/* The exit status after a failed write. A reader that went away is SIGPIPE, unless the
 * verdict itself was lost. */
int presenter_status(struct presenter *presenter, bool over)
{
    bool json = presenter->options->json;
    /* The verdict may be the script's own, given while its output was still waiting. And a terminal
     * that hangs up sends SIGHUP and can't be written to any more. */
    if (presenter->signal != 0 && (!over || lost_output(presenter)))
        return STATUS_SIGNAL + presenter->signal;
    for (int i = 0; i < SB_STREAMS; i++) {
        int error = presenter->streams[i].error;
        if (error == 0 || (i == SB_STDERR && json))
            continue;
        if (error == EPIPE && !json)
            return STATUS_SIGNAL + SIGPIPE;
        if (i == SB_STDOUT && !presenter->killed)
            presenter_say(presenter, "can't write stdout: %s", strerror(error));
        return STATUS_FAILED;
    }
    return presenter->status;
}
