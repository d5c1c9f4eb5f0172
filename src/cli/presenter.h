/* The visible results of a run: the script's output, the verdict in the requested form, messages of
 * sandbox-run, and the exit status. The same wherever the script ran. */
#ifndef CLI_PRESENTER_H
#define CLI_PRESENTER_H

#include "cli/options.h"
#include "cli/relay.h"

struct presenter {
    const struct options *options;
    struct relay streams[SB_STREAMS];
    int signals;     /* signalfd; −1 before presenter_take_signals */
    int meta;        /* descriptor of --meta, or −1 */
    int collect;     /* of the directory of --collect, or −1 */
    bool killed;     /* sandbox-run itself has ended the job */
    int signal;      /* the first that we received, or 0 */
    int status;      /* the exit status by the verdict */
    size_t displays; /* how many have been printed */
};

extern const char *const stream_names[SB_STREAMS];

void presenter_open(struct presenter *presenter, const struct options *options);
void presenter_close(struct presenter *presenter);

/* Opens the file of --meta, if there is one: before the run, so that a name that can't be written
 * is known before anything has happened. */
int presenter_open_meta(struct presenter *presenter, struct sb_error *err);

/* Opens a file for an option's result, as above. −1: it can't be written. */
int presenter_open_file(const char *option, const char *path, struct sb_error *err);

/* From here on, signals come through presenter->signals. */
int presenter_take_signals(struct presenter *presenter, struct sb_error *err);

/* "interrupted by SIGINT": why a signal of ours ended the job. Returns `text`. */
#define INTERRUPTED_SIZE 64
const char *interrupted(char text[static INTERRUPTED_SIZE], int signal);

/* A message of sandbox-run, behind the script's stderr; it does not block. */
void presenter_say(struct presenter *presenter, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Prints the text/plain of a display, on lines of its own. */
void presenter_display(struct presenter *presenter, const char *json, size_t size);

/* Gives a verdict to --meta, and to the reader: on stdout as JSON with --json, else as
 * sentences. */
void presenter_verdict(struct presenter *presenter, const struct sb_verdict *verdict);

/* Something is still to be written. */
bool presenter_waits(const struct presenter *presenter);

/* The exit status. `over`: the verdict has been given. */
int presenter_status(struct presenter *presenter, bool over);

#endif
