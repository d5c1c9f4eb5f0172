/* A record of the log as text: for programs, for people, for the journal. Its contents may come
 * from clients: they can neither end nor begin a record, nor control a terminal. */
#ifndef SERVE_LOG_FORMAT_H
#define SERVE_LOG_FORMAT_H

#include <stddef.h>

#include "serve/process/log.h"

struct log_entry {
    int priority;
    const char *message;
    const struct log_field *fields;
    size_t count;
};

/* One line with its newline, or a datagram to the journal, of *size bytes. The caller frees it.
 * NULL: no memory. */
typedef char *log_formatter(const struct log_entry *entry, size_t *size);

/* {"time":…,"level":…,"message":…,fields…} */
log_formatter log_format_json;

/* "12:34:56 warning: message  name=value …", without fields that are null or details. */
log_formatter log_format_people;

/* https://systemd.io/JOURNAL_NATIVE_PROTOCOL/ */
log_formatter log_format_journal;

#endif
