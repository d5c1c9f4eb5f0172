/* The file of a SQLite store: opened, checked, and its nodes (sqlite_file.c). */
#ifndef SERVE_SQLITE_FILE_H
#define SERVE_SQLITE_FILE_H

#include <limits.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "sandbox.h"
#include "serve/process/log.h"

struct sqlite_file {
    char path[PATH_MAX];
    bool full; /* a job that was accepted survives a power failure, too: synchronous=FULL */
    sqlite3 *db;
    /* PATH-nodes: each process that has the store open holds a lock on one byte, its slot, which
     * the kernel releases when it dies. Writing to the file is the doorbell: all others hear it. */
    int nodes;
    int64_t slot;
};

/* `address`: "sqlite:PATH" or "sqlite:PATH?synchronous=full". Makes the file if it is missing. */
int sqlite_file_open(struct sqlite_file *file, const char *address, struct log *log,
                     struct sb_error *err);
void sqlite_file_close(struct sqlite_file *file);

/* Takes the lock of a slot, if nobody has it: its process is dead. */
bool sqlite_slot_take(const struct sqlite_file *file, int64_t slot);
void sqlite_slot_release(const struct sqlite_file *file, int64_t slot);

#endif
