/* Files for bodies that are too large to be kept in memory while they arrive and wait, and for
 * answers that their clients are slow to read. They have no name, so nothing of them is left when
 * their descriptor and mapping are closed. */
#ifndef SERVE_SPOOL_H
#define SERVE_SPOOL_H

#include <stdbool.h>
#include <stddef.h>

#include "sandbox.h"

/* How many may be open at once in each worker: descriptors are needed for jobs, too. */
#define SPOOL_FILES_MAX 1024

struct spool {
    const char *directory; /* NULL: none can be written; files are memfds */
    bool in_memory;        /* what is in the files takes memory: a tmpfs, or memfds */
};

/* Finds where files can be made: in `directory`, or if it is NULL in $TMPDIR, /var/tmp or /tmp, the
 * first that can be written, else in memory. `directory` must outlive the spool. An error only when
 * `directory` itself can't be written. */
int spool_find(struct spool *spool, const char *directory, struct sb_error *err);

/* A new file, for reading and writing; −1 with errno. */
int spool_open(const struct spool *spool);

/* Writes all of it at the end. False: the disk is full, say. */
bool spool_write(int file, const char *data, size_t size);

#endif
