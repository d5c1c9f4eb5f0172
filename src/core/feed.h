/* What the script reads on stdin: bytes that the caller gave, or the bytes of a caller's
 * descriptor. We relay these, as no descriptor of the host is ever passed into the sandbox. */
#ifndef SB_FEED_H
#define SB_FEED_H

#include <stdbool.h>
#include <stddef.h>

struct feed {
    char *data;  /* the bytes to write next */
    size_t size; /* how many there are */
    size_t done; /* how many of them are written already */
    int source;  /* our own duplicate of the caller's descriptor; −1: none, or at its end */
};

/* Copies the bytes, or duplicates `source` when it is not −1. −1 with errno. */
int feed_init(struct feed *feed, const void *data, size_t size, int source);
void feed_free(struct feed *feed);

/* True when nothing is left to write and the source must be read (reading may block: poll it
 * first). */
bool feed_hungry(const struct feed *feed);
/* Reads once from the source. Closes it at its end and on errors. */
void feed_read(struct feed *feed);
/* Writes to the script's stdin, a non-blocking pipe. −1: the script reads no more. */
int feed_write(struct feed *feed, int pipe);
/* True when everything was written. */
bool feed_done(const struct feed *feed);

#endif
