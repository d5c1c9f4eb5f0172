/* The log: one record a line of JSON on stderr, or a journal entry with fields when stderr is the
 * journal. */
#ifndef SERVE_LOG_H
#define SERVE_LOG_H

#include <stddef.h>
#include <stdint.h>
#include <syslog.h>

struct log;

struct log_field {
    const char *name; /* "verdict": as it is in JSON; upper-cased behind SANDBOX_ in the journal */
    const char *text; /* any bytes; NULL: `number` counts */
    size_t size;      /* of text; 0: strlen */
    int64_t number;   /* −1: null */
};

struct log *log_open(void);
void log_close(struct log *log);

/* `priority` as in syslog(3): LOG_INFO, LOG_WARNING, …; `message` is one sentence. */
void log_record(struct log *log, int priority, const char *message, const struct log_field *fields,
                size_t count);

/* A record without fields. */
void log_say(struct log *log, int priority, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
