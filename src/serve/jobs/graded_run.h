/* A graded run, for whom it runs: an HTTP exchange (graded_exchange.c) or a try of a stored job
 * (graded_try.c). */
#ifndef SERVE_GRADED_RUN_H
#define SERVE_GRADED_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "common/case_results.h"
#include "serve/contracts/request.h"
#include "serve/http/exchange.h"
#include "serve/jobs/job_stream.h"
#include "serve/jobs/jobs.h"

struct graded;

/* One of answer, refuse and forget is called, unless the run is abandoned; it is freed then. */
struct graded_requester {
    /* A case has ended: its answer is in graded->results, unless there was no memory for it. */
    void (*case_ended)(struct graded *graded, size_t index);
    /* All cases have. */
    void (*answer)(struct graded *graded);
    /* None has run, and none will: see graded->refusal. */
    void (*refuse)(struct graded *graded);
    /* The service closes: there will be no answer. */
    void (*forget)(struct graded *graded);
};

struct one_case {
    struct graded *graded;
    enum { CASE_TO_DO, CASE_ENTERED, CASE_ENDED } state;
    struct service_job *job; /* while it has entered */
    int tries;               /* how often the host was too busy for it */
    bool again;              /* the host was too busy: it is to enter once more */
    bool failed;             /* it has failed, so that the others are not to run */
};

/* Lives from graded_make to its answer. All cases share its request. */
struct graded {
    LIST_ENTRY(graded) link;
    struct service *service;
    const struct graded_requester *requester;
    void *owner;          /* for its functions */
    struct client client; /* a copy */
    char id[65];
    char endpoint[ENDPOINT_SIZE];
    size_t size; /* of the body that its request was read from */
    struct request request;
    struct kept_body *kept; /* of a large body, which the request points into; else NULL */
    struct policies *policies;
    const struct sb_policy *policy;
    struct job_stream *stream; /* of the exchange that owns it; NULL: its answer is not streamed */
    bool paused;               /* its client can't take more events now */
    struct case_results results;
    size_t entered;       /* cases that wait or run */
    size_t next;          /* no case before this one is to be done */
    bool started;         /* a case has run: from then on cases are not refused, but wait */
    bool over;            /* no further case enters: one has failed, or the service stops */
    bool stopping;        /* the service stops */
    bool inside;          /* a function of its own is under way, and settles it at its end */
    enum refusal refusal; /* if it was refused as a whole, why */
    char refused[200];    /* "": it was not */
    char trouble[200];    /* if the sandbox failed for a case, or it was killed: a sentence */
    struct one_case cases[];
};

/* What it is made of is copied, or taken over, as by job_make; origin->requester is not used. NULL:
 * out of memory. */
struct graded *graded_make(struct service *service, const struct graded_requester *requester,
                           const struct job_origin *origin);

/* One that has not begun. */
void graded_release(struct graded *graded);

/* Whether a case asks for more than all jobs together get; `text` says so. */
bool graded_never_fits(struct graded *graded, char *text, size_t size);

/* Runs it. It may have ended, and no longer exist, when this returns. */
void graded_begin(struct graded *graded);

/* Its client can take more events. */
void graded_go_on(struct graded *graded);

/* Nobody waits for its answer any more: its cases are killed with that reason, or do not run. */
void graded_abandon(struct graded *graded, const char *reason);

/* The status of its answer, once all cases have ended: as of the worst case alone. */
unsigned graded_status(const struct graded *graded);

/* Sends a follower the cases that have ended since the first `*sent` of them; `last`: all of them,
 * however slow it is. False: it can't take more now. */
bool graded_replay(const struct graded *graded, size_t *sent, const struct stream_form *form,
                   struct exchange *exchange, bool last);

/* Tells the client of a stream its position in the queue; 0: a case runs. */
void graded_tell_position(struct graded *graded, int64_t position);

#endif
