/* What sandbox-run gives of a run: the script's output, the verdict in the form that was asked for,
 * sentences of its own, and the exit status. The same wherever the script ran. */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include "cli/options.h"
#include "cli/relay.h"

struct report {
    const struct options *options;
    struct relay streams[SB_STREAMS];
    int signals; /* signalfd; −1 before report_take_signals */
    int meta;    /* descriptor of --meta, or −1 */
    bool killed; /* we have ended the job ourselves */
    int signal;  /* the first that came to us, or 0 */
    int status;  /* what the verdict makes of the exit status */
};

extern const char *const stream_names[SB_STREAMS];

void report_open(struct report *report, const struct options *options);
void report_close(struct report *report);

/* Opens the file of --meta, if there is one: before the run, so that a name that can't be written
 * is known before anything has happened. */
int report_open_meta(struct report *report, struct sb_error *err);

/* From here on, signals come through report->signals. */
int report_take_signals(struct report *report, struct sb_error *err);

/* "interrupted by SIGINT": why a signal of ours ended the job. Returns `text`. */
#define INTERRUPTED_SIZE 64
const char *interrupted(char text[static INTERRUPTED_SIZE], int signal);

/* A sentence of our own, behind what the script wrote to stderr, without blocking either. */
void report_say(struct report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Gives a verdict to --meta, and to the reader: on stdout as JSON with --json, else as
 * sentences. */
void report_verdict(struct report *report, const struct sb_verdict *verdict);

/* Something is still to be written. */
bool report_waits(const struct report *report);

/* The exit status. `over`: the verdict has been given. */
int report_status(struct report *report, bool over);

#endif
