/* What the script reads on stdin: bytes that the caller gave, or a descriptor of the caller's that
 * is relayed, since no descriptor of the host's is ever handed into the sandbox. */
#ifndef SB_FEED_H
#define SB_FEED_H

#include <stdbool.h>
#include <stddef.h>

struct feed {
    char *data;  /* what is to be written next */
    size_t size; /* of it */
    size_t done; /* of it, written already */
    int source;  /* our own duplicate of the caller's descriptor, −1: none, or at its end */
};

/* Copies the bytes, or duplicates `source` when it is not −1. −1 with errno. */
int feed_init(struct feed *feed, const void *data, size_t size, int source);
void feed_free(struct feed *feed);

/* True when there is nothing left to write and the source must be read (it may block: poll it
 * first). */
bool feed_hungry(const struct feed *feed);
/* Reads once from the source. Closes it at its end and on errors. */
void feed_read(struct feed *feed);
/* Writes to the script's stdin, a non-blocking pipe. −1: it reads no more. */
int feed_write(struct feed *feed, int pipe);
/* True when everything was written. */
bool feed_done(const struct feed *feed);

#endif
