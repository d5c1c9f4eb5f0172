/* The calls of a SQLite store as transactions (sqlite_jobs.c). They may block: store_sqlite.c
 * decides in which thread they are made. */
#ifndef SERVE_SQLITE_JOBS_H
#define SERVE_SQLITE_JOBS_H

#include <sys/queue.h>

#include "serve/store/sqlite_file.h"
#include "serve/store/sqlite_sql.h"
#include "serve/store/store.h"

enum sqlite_kind {
    CALL_SUBMIT,
    CALL_CLAIM,
    CALL_FINISH,
    CALL_FAIL,
    CALL_GET,
    CALL_LIST,
    CALL_CANCEL,
    CALL_LOOK,       /* what has changed: jobs that ended since the last look, and numbers */
    CALL_TEND,       /* gives back the jobs of dead nodes, and forgets jobs whose time is over */
    CALL_CHECKPOINT, /* nothing but what follows each call of the thread: sqlite_jobs_tidy */
    CALLS
};

/* A call, with its own copies, and its outcome. */
struct sqlite_call {
    STAILQ_ENTRY(sqlite_call) next;
    enum sqlite_kind kind;
    char id[STORE_ID_SIZE], digest[65];
    int64_t given_us; /* to the thread, by monotonic_us */
    char *owner, *policy, *key, *reason;
    void *data; /* the request, or the answer */
    size_t size;
    int64_t try;
    size_t most;
    int status;
    bool counts;

    union { /* by kind */
        store_done *done;
        store_found *found;
        store_list *list;
    } tell;
    void *user;

    enum store_result result;
    char message[512];
    bool here;              /* the loop carries it out */
    bool rings;             /* other nodes should look */
    bool busy;              /* another process holds the file: nothing was done */
    struct store_job *jobs; /* their texts are the call's */
    size_t jobs_count;
    struct store_counts numbers; /* of CALL_LOOK; `lost`: since the last one */
};

struct sqlite_jobs {
    struct sqlite_file file;
    struct store_bounds bounds;
    char *node;
    struct sql sql;
    int64_t change; /* up to which we have looked */
    int64_t lost;
    int journal_pages; /* since the last checkpoint, which is due at JOURNAL_PAGES */
};

/* A journal of a megabyte: what it takes can't be given back while the disk is full. */
#define JOURNAL_PAGES 256

/* Takes over an open file. Gives back what a dead process with our slot ran. */
int sqlite_jobs_begin(struct sqlite_jobs *jobs, struct sb_error *err);
void sqlite_jobs_end(struct sqlite_jobs *jobs);

/* Carries out a call: sets its outcome. */
void sqlite_jobs_call(struct sqlite_jobs *jobs, struct sqlite_call *call);

/* Moves what is in the journal to the database, if that is due. It waits for the disk. */
void sqlite_jobs_tidy(struct sqlite_jobs *jobs);

void sqlite_call_free(struct sqlite_call *call);

#endif
