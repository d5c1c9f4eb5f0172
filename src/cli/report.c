/* What a run gives, see report.h. Nothing in it blocks: what can't be written now is kept. */
#include "cli/report.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include "cli/hint.h"
#include "cli/message.h"
#include "cli/status.h"
#include "common/util.h"

const char *const stream_names[SB_STREAMS] = {"stdout", "stderr"};

void report_open(struct report *report, const struct options *options)
{
    *report = (struct report){.options = options, .signals = -1, .meta = -1};
    for (int i = 0; i < SB_STREAMS; i++)
        relay_open(&report->streams[i], STDOUT_FILENO + i);
}

void report_close(struct report *report)
{
    for (int i = 0; i < SB_STREAMS; i++)
        relay_close(&report->streams[i]);
    close_fd(&report->signals);
    close_fd(&report->meta);
}

int report_open_meta(struct report *report, struct sb_error *err)
{
    const char *path = report->options->meta;
    struct stat st;
    if (path == NULL)
        return 0;
    report->meta = open(
        path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0666);
    if (report->meta < 0 || fstat(report->meta, &st) < 0)
        return fail(err, "meta",
                    "can't write --meta %s: %s; name a file, not a link, in a directory "
                    "that you may write to",
                    path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return fail(err, "meta", "--meta %s is not a regular file: name one", path);
    return 0;
}

/* What was ignored when we were started (nohup) stays ignored. Stopping is refused: a supervisor
 * that is stopped keeps no limit of time. */
int report_take_signals(struct report *report, struct sb_error *err)
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
    report->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (report->signals < 0)
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

void report_say(struct report *report, const char *format, ...)
{
    if (report->options->quiet)
        return;
    char sentence[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);

    char line[sizeof(sentence) + 16];
    struct relay *stream = &report->streams[SB_STDERR];
    int length = snprintf(line, sizeof(line), "%ssandbox-run: %s\n",
                          stream->last == '\n' ? "" : "\n", sentence);
    relay_put(stream, line, (size_t)length);
}

/* A function that is called for what it prints has none. */
static bool has_value(const struct sb_verdict *verdict)
{
    return verdict->result != NULL && strcmp(verdict->result, "null") != 0;
}

static void say_verdict(struct report *report, const struct sb_verdict *verdict)
{
    /* An exception is told by its traceback, an exit status by itself; a reader that went away
     * wants to hear nothing, as with any other program. */
    bool told = verdict->word == SB_EXCEPTION || verdict->word == SB_EXIT ||
                (verdict->word == SB_SIGNAL && report->streams[SB_STDOUT].error == EPIPE);
    if (verdict->error != NULL && !told)
        report_say(report, "%s", verdict->error);
    enum sb_stream traceback = report->options->merge_stderr ? SB_STDOUT : SB_STDERR;
    char hint[HINT_SIZE];
    if (verdict->word == SB_EXCEPTION &&
        hint_missing_module(hint, report->options, report->streams[traceback].tail))
        report_say(report, "%s", hint);
    for (int i = 0; i < SB_STREAMS; i++) {
        if (verdict->dropped_bytes[i] > 0)
            report_say(report,
                       "%lld %s of %s %s dropped from its middle; --output raises the limit",
                       (long long)verdict->dropped_bytes[i],
                       verdict->dropped_bytes[i] == 1 ? "byte" : "bytes", stream_names[i],
                       verdict->dropped_bytes[i] == 1 ? "was" : "were");
    }
    if (has_value(verdict) && report->options->call != NULL && report->meta < 0)
        report_say(report, "the function's value is not shown: --json prints it as \"result\", "
                           "--meta FILE writes it to a file");
    char list[512];
    int length = 0;
    for (const char *const *m = verdict->missing; *m != NULL && length < (int)sizeof(list); m++)
        length += snprintf(list + length, sizeof(list) - (size_t)length, "%s%s",
                           length > 0 ? ", " : "", *m);
    if (length > 0)
        report_say(report, "not enforced on this host: %s; sandbox-run --doctor tells the remedies",
                   list);
}

static void write_meta(struct report *report, const struct sb_verdict *verdict)
{
    _cleanup_free_ char *json = sb_verdict_json(verdict, SB_JSON_NO_OUTPUT);
    if (json != NULL && dprintf(report->meta, "%s\n", json) > 0)
        return;
    report_say(report, "can't write the verdict to %s: %s", report->options->meta, strerror(errno));
    report->status = STATUS_FAILED;
}

void report_verdict(struct report *report, const struct sb_verdict *verdict)
{
    report->status = status_of(verdict);
    if (report->meta >= 0)
        write_meta(report, verdict);
    if (!report->options->json) {
        say_verdict(report, verdict);
        return;
    }
    _cleanup_free_ char *json = sb_verdict_json(verdict, 0);
    if (json == NULL) {
        report_say(report, "no memory for the verdict: lower --output or free some");
        report->status = STATUS_FAILED;
        return;
    }
    size_t size = strlen(json);
    json[size] = '\n'; /* in one write with it: others may write lines there too */
    relay_put(&report->streams[SB_STDOUT], json, size + 1);
}

/* ── The end ────────────────────────────────────────────────────────────────────────────────── */

bool report_waits(const struct report *report)
{
    return relay_waits(&report->streams[SB_STDOUT]) || relay_waits(&report->streams[SB_STDERR]);
}

static bool lost_output(const struct report *report)
{
    for (int i = 0; i < SB_STREAMS; i++) {
        if (relay_waits(&report->streams[i]) || report->streams[i].error != 0)
            return true;
    }
    return false;
}

/* What a failed write makes of the exit status. A reader that went away is SIGPIPE, unless the
 * verdict itself was lost. */
int report_status(struct report *report, bool over)
{
    bool json = report->options->json;
    /* The verdict may be the script's own, given while its output was still waiting; and a terminal
     * that hangs up sends SIGHUP and can't be written any more. */
    if (report->signal != 0 && (!over || lost_output(report)))
        return STATUS_SIGNAL + report->signal;
    for (int i = 0; i < SB_STREAMS; i++) {
        int error = report->streams[i].error;
        if (error == 0 || (i == SB_STDERR && json))
            continue;
        if (error == EPIPE && !json)
            return STATUS_SIGNAL + SIGPIPE;
        if (i == SB_STDOUT && !report->killed)
            report_say(report, "can't write stdout: %s", strerror(error));
        return STATUS_FAILED;
    }
    return report->status;
}
