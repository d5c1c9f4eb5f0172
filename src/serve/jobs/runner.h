/* Runs the jobs of a store, as places become free. A job that waits in the store is not in the
 * queue of admit.h: it is claimed when a place is free that no request waits for, so that ten
 * thousand stored jobs do not shut out POST /run.
 *
 * The store decides what becomes of a job; this process runs a try of it, and hands in its answer
 * until the store has taken it. */
#ifndef SERVE_RUNNER_H
#define SERVE_RUNNER_H

#include "serve/config/tokens.h"
#include "serve/jobs/job_stream.h"
#include "serve/store/store.h"

struct callbacks;
struct runner;
struct service;

struct runner_setup {
    struct service *service;
    size_t worker;
    /* A job of the store ended, or was cancelled: see struct store_setup. */
    void (*ended)(void *user, const char *id);
    /* A job that runs here has put something out; `last`: all of it. */
    void (*heard)(void *user, const char *id, bool last);
    void *user;
};

/* Opens the store of config->store. */
int runner_open(struct runner **runner, const struct runner_setup *setup, struct sb_error *err);

/* Who has which token now: a job of a token that is gone does not run. `tokens`: as in struct http,
 * which may change later. */
void runner_know_tokens(struct runner *runner, struct tokens *const *tokens);

/* The number of the try of a job that this process runs; 0: it runs none. */
int64_t runner_try(struct runner *runner, const char *id);
/* Sends a follower of that try what it has put out since: output, or cases that have ended. See
 * stream_replay. */
bool runner_replay(struct runner *runner, const char *id, struct stream_place *place,
                   const struct stream_form *form, struct exchange *exchange, bool last);

struct store *runner_store(const struct runner *runner);

/* Those of its jobs; NULL: it sends none. */
struct callbacks *runner_callbacks(const struct runner *runner);

/* A place may have become free, or is no longer so. */
void runner_pump(struct runner *runner);

/* The service stops: no more jobs are claimed, and those that wait to be tried again are given back
 * at once. */
void runner_drain(struct runner *runner);

/* Its time to stop is over: what a store that fails has not been told is forgotten here. Such jobs
 * run again. */
void runner_give_up(struct runner *runner);

/* Whether it runs nothing, the store has taken all answers, and no callback is left. */
bool runner_is_idle(const struct runner *runner);

/* After the jobs of the service have been freed. NULL is allowed. */
void runner_close(struct runner *runner);

#endif
