/* Output on its way out, to a reader that may be slow: what can't be written now is kept. Never
 * blocks, so that the job's timers and its other stream go on. */
#ifndef CLI_RELAY_H
#define CLI_RELAY_H

#include <stdbool.h>
#include <stddef.h>

struct relay {
    int fd;
    int own_fd; /* the same file, opened again to be written without blocking; −1: it can't be */
    char *kept; /* what has not been written yet: kept[sent…size) */
    size_t sent, size, allocated;
    int error;      /* errno of the write that failed; later output is dropped */
    char last;      /* the last byte that was put, '\n' before the first */
    char tail[256]; /* the last bytes that were put, NUL-terminated */
};

/* `fd` stays the caller's. */
void relay_open(struct relay *relay, int fd);
void relay_close(struct relay *relay);

/* Writes as much as can be written now, keeps the rest. */
void relay_put(struct relay *relay, const void *data, size_t size);

/* Writes what was kept, as much as can be. */
void relay_flush(struct relay *relay);

/* Something is kept: poll relay_fd() for POLLOUT, then flush. */
bool relay_waits(const struct relay *relay);

/* The descriptor to poll, −1 (which poll ignores) when nothing waits. */
int relay_fd(const struct relay *relay);

#endif
