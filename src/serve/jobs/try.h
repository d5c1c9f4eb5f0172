/* Tries of stored jobs: what the files of the runner share. */
#ifndef SERVE_TRY_H
#define SERVE_TRY_H

#include <sys/queue.h>

#include "serve/jobs/jobs.h"
#include "serve/jobs/runner.h"
#include "serve/jobs/service_state.h"

struct graded;

/* A try of a job, from its claim until the store knows how it ended. */
struct
try {
    LIST_ENTRY(try) next;
    struct runner *runner;
    char id[STORE_ID_SIZE];
    char *owner;
    int64_t number;
    struct service_job *job; /* or, */
    struct graded *graded;   /* of a request with cases; both NULL: it has ended, */
    bool given_back;         /* without an answer: the job is queued again, */
    bool counts;             /* … and that counts as a loss; */
    char reason[256];
    bool base64; /* or with one, whose output is in base64 */
    char *answer;
    size_t answer_size;
    unsigned status;
    int64_t due_us;                       /* when the store is told; 0: it is being told */
    bool cancelling;                      /* the store is asked whether it was cancelled */
    char *callback_url, *callback_secret; /* NULL: no callback */
    bool settled; /* the store knows, and is asked for the job as its callback tells it */
};

/* Whether a try still counts: asked of the store. */
struct question {
    LIST_ENTRY(question) next;
    struct runner *runner;
    char id[STORE_ID_SIZE];
};

struct runner {
    struct service *service;
    const struct store_driver *driver;
    struct store *store;
    struct callbacks *callbacks; /* NULL: none are sent */
    struct timer timer;
    LIST_HEAD(, try) tries;
    struct tokens *const *tokens; /* NULL: not known yet */
    bool claiming;
    size_t asked; /* jobs that are being claimed, at most */
    bool maybe;   /* jobs may wait in the store */
    bool renewed; /* that became so while they were being claimed */
    bool failing; /* the store's last answer was that it can't; until the timer expires */
    bool told;    /* of that, in the log */
    bool closing;
    bool gives_up; /* the service stops: a store that fails is not told again */
    bool inside;   /* timer_expired */
    LIST_HEAD(, question) questions;
    void (*ended)(void *user, const char *id);
    void (*heard)(void *user, const char *id, bool last);
    void *user;
};

/* The runner looks after what is to be done, in so many milliseconds. */
void runner_look(struct runner *runner, int64_t in_ms);

/* Notes, and logs when that changes, whether the store works. */
void runner_note(struct runner *runner, enum store_result result, const char *message);

/* The try of a job here; NULL: there is none. */
struct try *try_find(struct runner *runner, const char *id);

/* A job has been claimed: runs it. */
void try_begin(struct runner *runner, const struct store_job *claimed);

/* Tells the store of those that are due. */
void try_settle_due(struct runner *runner);

/* Whether it has not ended. */
bool try_runs(const struct try *try);

/* Begins a graded run for it. */
void try_enter_graded(struct try *try, const struct job_origin *origin);

/* It has ended: the store is told its answer, which is taken over (NULL: out of memory); or that
 * there is none; or that its request is refused. */
void try_answer(struct try *try, char *text, unsigned status);
void try_give_back(struct try *try, bool counts, const char *reason);
void try_refuse(struct try *try, unsigned status, const char *field, const char *message);

/* The job of a try has been cancelled, or given to another node: kills it. */
void try_drop(struct try *try, const char *why);

void try_free(struct try *try);

#endif
