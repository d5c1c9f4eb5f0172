/* The log: one record per line on stderr, as JSON, or as plain text on a terminal; or a journal
 * entry with fields if stderr is the journal. Writing a record never waits for the log's reader:
 * see log.c. */
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
    const char *name; /* "verdict": the key in JSON; SANDBOX_VERDICT in the journal */
    const char *text; /* any bytes; NULL: `number` is the value */
    size_t size;      /* of text; 0: strlen */
    int64_t number;   /* −1: null */
    bool detail;      /* not shown on a terminal */
};

/* Call it before privileges are given up, since opening stderr again may need them. One log serves
 * all workers, which are forked later. NULL with errno. */
struct log *log_open(void);

/* Call it after privileges are given up, and before workers start. Where nothing else keeps us from
 * waiting, it starts a process that passes lines on. −1 with errno. */
int log_begin(struct log *log);

/* From now on this loop writes what could not be written at once. `lost` counts lost records. −1
 * with errno. */
int log_attach(struct log *log, struct loop *loop, metric *lost);
void log_detach(struct log *log);

/* Call it in a worker that has just been forked: the parent itself writes what it had not written
 * yet. */
void log_forked(struct log *log);
/* Call it in the parent when a worker has ended, which may have been in the middle of a line. */
void log_writer_ended(struct log *log, pid_t pid);

/* Writes what it still can within a second, and frees the log. */
void log_close(struct log *log);

/* `priority` as in syslog(3): LOG_INFO, LOG_WARNING, …; `message` is one sentence. */
void log_record(struct log *log, int priority, const char *message, const struct log_field *fields,
                size_t count);

/* A record without fields. */
void log_say(struct log *log, int priority, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
