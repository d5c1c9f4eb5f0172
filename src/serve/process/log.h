/* The log: one record a line on stderr, as JSON, or for people where that is a terminal; or a
 * journal entry with fields when stderr is the journal. Nobody who writes a record waits for
 * whoever reads it: see log.c. */
#ifndef SERVE_LOG_H
#define SERVE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <syslog.h>

#include "serve/process/loop.h"
#include "serve/process/metrics.h"

struct log;

struct log_field {
    const char *name; /* "verdict": as it is in JSON; upper-cased behind SANDBOX_ in the journal */
    const char *text; /* any bytes; NULL: `number` counts */
    size_t size;      /* of text; 0: strlen */
    int64_t number;   /* −1: null */
    bool detail;      /* not for people at a terminal */
};

/* Before privileges are given up: it may take some to open stderr without waiting for its reader.
 * One log for all workers, which are forked later. NULL with errno. */
struct log *log_open(void);

/* After they are, and before workers begin: starts a process that passes lines on, where there is
 * no other way not to wait. −1 with errno. */
int log_begin(struct log *log);

/* This loop sees to what could not be written at once. `lost` counts records that were lost. −1
 * with errno. */
int log_attach(struct log *log, struct loop *loop, metric *lost);
void log_detach(struct log *log);

/* In a worker that has just been forked: what its parent had not written yet is the parent's. */
void log_forked(struct log *log);
/* In the parent, of a worker that has ended: it may have been in the middle of a line. */
void log_writer_ended(struct log *log, pid_t pid);

/* Writes what it still can within a second, and frees it. */
void log_close(struct log *log);

/* `priority` as in syslog(3): LOG_INFO, LOG_WARNING, …; `message` is one sentence. */
void log_record(struct log *log, int priority, const char *message, const struct log_field *fields,
                size_t count);

/* A record without fields. */
void log_say(struct log *log, int priority, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
