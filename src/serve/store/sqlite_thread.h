/* A thread that carries out calls of the SQLite driver, one after another, so that the loop does
 * not wait for a disk, or for another process that writes. */
#ifndef SERVE_SQLITE_THREAD_H
#define SERVE_SQLITE_THREAD_H

#include <pthread.h>

#include "serve/store/sqlite_jobs.h"

STAILQ_HEAD(sqlite_calls, sqlite_call);

struct sqlite_thread {
    struct sqlite_jobs *jobs; /* the thread's as long as it has a call */
    int answers;              /* an eventfd: calls have been carried out */
    int64_t patient_until_us; /* the call that is carried out waits no longer for others */
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t given;
    struct sqlite_calls todo, done;
    bool closing;
};

/* `jobs` has been begun. Fails with an errno. */
int sqlite_thread_start(struct sqlite_thread *thread, struct sqlite_jobs *jobs);
/* What it has been given is carried out before. Nobody is told of it any more. */
void sqlite_thread_stop(struct sqlite_thread *thread);

void sqlite_thread_give(struct sqlite_thread *thread, struct sqlite_call *call);

/* For the caller while the thread has no call: carries one out at once. False: another process
 * holds the file, and the call is as it was. */
bool sqlite_thread_try_here(struct sqlite_thread *thread, struct sqlite_call *call);
/* A call that was carried out so is among those that are taken next. */
void sqlite_thread_hand_back(struct sqlite_thread *thread, struct sqlite_call *call);

/* Takes those that have been carried out. */
struct sqlite_calls sqlite_thread_take(struct sqlite_thread *thread);

#endif
