/* The store of jobs: queue, state and result in one place, changed in one atomic step. A
 * driver keeps them: in this process's memory, in SQLite, in Redis. It knows neither HTTP nor the
 * sandbox; requests and answers are bytes.
 *
 * A job is run at least once, and answered exactly once. Each try has a number, which is a fencing
 * token: whoever was thought dead can neither renew nor finish a job that has been given to
 * another since.
 *
 * All calls return at once. Their callback is called exactly once, from the loop or before the call
 * returns, unless the store is closed first. What they are given is copied where it is needed
 * longer; what callbacks are given lives until they return. */
#ifndef SERVE_STORE_H
#define SERVE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox.h"
#include "serve/process/log.h"
#include "serve/process/loop.h"
#include "serve/process/metrics.h"

struct store;

enum { STORE_ID_SIZE = 33 }; /* 128 random bits in hex, and a NUL */

enum store_state { STORE_QUEUED, STORE_RUNNING, STORE_DONE, STORE_LOST, STORE_CANCELLED };
extern const char *const store_state_names[]; /* "queued", … */

enum store_result {
    STORE_OK,
    STORE_EXISTS,   /* submit: the same key with the same body; the job's id is given */
    STORE_CONFLICT, /* submit: the same key with another body */
    STORE_FULL,     /* submit: the queue, or the owner's share of it */
    STORE_NONE,     /* there is no such job, or it is another owner's; or this try is no longer the
                       one that counts */
    STORE_FAILED    /* the store can't be reached or written; the message says why. The same call
                       may be made again: finish and fail until they are accepted */
};

struct store_bounds {
    int64_t queue;         /* jobs that wait, of all owners */
    int64_t per_owner;     /* jobs of one owner that wait or run; 0: any number */
    int64_t job_ttl_ms;    /* of a job that has not ended */
    int64_t result_ttl_ms; /* of one that has */
    int64_t lease_ms;      /* after which a job whose node is silent is given to another */
    int64_t tries;         /* nodes that may be lost while they run a job, until it is lost */
};

struct store_setup {
    const char *address; /* "memory", "sqlite:PATH", "redis://…" */
    const char *node;    /* this process's identity: new at every start */
    struct store_bounds bounds;
    struct loop *loop;
    struct log *log;
    struct metrics *metrics; /* how long calls take is counted there; NULL: nowhere */
    /* Called when a job may have become claimable, and when the store can be reached, perhaps
     * before store_open returns. */
    void (*changed)(void *user);
    /* Called for a job that ended or was cancelled anywhere, if this node runs it or watches it; a
     * driver may tell of others, and more than once. A hint: read the job. */
    void (*ended)(void *user, const char *id);
    /* Called when this node's jobs have not been renewed for so long that another may claim them:
     * they must be killed at once. */
    void (*fenced)(void *user);
    void *user;
};

/* What a client hands in. */
struct store_submission {
    char id[STORE_ID_SIZE];
    const char *owner;
    const char *policy;
    const char *key; /* the client's Idempotency-Key; NULL: none */
    char digest[65]; /* SHA-256 of the body, in hex */
    const void *request;
    size_t size;
};

/* A job as the store knows it. Times are the store's clock, milliseconds since 1970; 0: not yet. */
struct store_job {
    const char *id, *owner, *policy;
    enum store_state state;
    int64_t created_ms, started_ms, ended_ms;
    int64_t tries;       /* the number of the present try, from 1 on; 0: it waits for its first.
                            Every claim is a new one; only losses count towards bounds.tries */
    int64_t before;      /* jobs that wait before it, as far as is known */
    const void *request; /* for claimed jobs only */
    size_t request_size;
    const char *answer; /* JSON; NULL: none (yet) */
    size_t answer_size;
    int status;         /* that POST /run would have had; 0: no answer */
    const char *reason; /* STORE_LOST, STORE_CANCELLED: one sentence */
};

struct store_counts {
    int64_t queued, running; /* as last known */
    int64_t lost;            /* jobs that this store has given up since it was opened */
};

typedef void store_done(void *user, enum store_result result, const char *message);
/* `job` is NULL unless the result is STORE_OK (or STORE_EXISTS: id and state alone). */
typedef void store_found(void *user, enum store_result result, const char *message,
                         const struct store_job *job);
/* `jobs`: `count` of them. */
typedef void store_list(void *user, enum store_result result, const char *message,
                        const struct store_job *jobs, size_t count);

struct store_driver {
    const char *scheme; /* "memory", "sqlite:", "redis://" */
    int (*open)(struct store **store, const struct store_setup *setup, struct sb_error *err);
    /* Its jobs stay in the store; see fail. */
    void (*close)(struct store *store);

    /* Adds a job. */
    void (*submit)(struct store *store, const struct store_submission *submission,
                   store_found *found, void *user);
    /* Takes up to `most` jobs for this node, oldest first, those of lost nodes included: each is
     * running then, in a new try, and is renewed from now on. A job that has been tried too often
     * becomes lost instead. */
    void (*claim)(struct store *store, size_t most, store_list *claimed, void *user);
    /* Gives the answer of a try. STORE_NONE: another try counts. */
    void (*finish)(struct store *store, const char *id, int64_t try, const char *answer,
                   size_t size, int status, store_done *done, void *user);
    /* Gives a claimed job back; `count`: the try counts as a loss (the sandbox failed). */
    void (*fail)(struct store *store, const char *id, int64_t try, bool count, const char *reason,
                 store_done *done, void *user);
    /* One job of an owner. */
    void (*get)(struct store *store, const char *id, const char *owner, store_found *found,
                void *user);
    /* The jobs of an owner, newest first, without answers; at most `most`. */
    void (*list)(struct store *store, const char *owner, size_t most, store_list *list, void *user);
    /* Cancels a job; the node that runs it learns that by `ended`. One that has ended stays as it
     * is: STORE_OK, too. */
    void (*cancel)(struct store *store, const char *id, const char *owner, store_done *done,
                   void *user);
    /* From now on, or no longer, `ended` is called for this id, whoever runs it. NULL: it is called
     * for all. */
    void (*watch)(struct store *store, const char *id, bool on);
    /* For metrics and /ready. */
    struct store_counts (*counts)(const struct store *store);
};

/* The drivers that are part of this program; NULL ends the list. */
extern const struct store_driver *const store_drivers[];

/* Opens the store of an address, by the driver whose scheme it begins with. */
int store_open(struct store **store, const struct store_setup *setup, struct sb_error *err);
/* The driver of an open store: every struct store begins with it. */
static inline const struct store_driver *store_driver(const struct store *store)
{
    return *(const struct store_driver *const *)store;
}
/* See `watch` of its driver, which may have none. */
static inline void store_watch(struct store *store, const char *id, bool on)
{
    if (store_driver(store)->watch != NULL)
        store_driver(store)->watch(store, id, on);
}

#endif
