/* What the files of graded runs share. */
#ifndef SERVE_GRADED_RUN_H
#define SERVE_GRADED_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "common/case_results.h"
#include "serve/contracts/request.h"
#include "serve/http/exchange.h"
#include "serve/jobs/job_stream.h"
#include "serve/jobs/service_job.h"

struct graded;

struct one_case {
    struct graded *graded;
    enum { CASE_TO_DO, CASE_ENTERED, CASE_ENDED } state;
    struct service_job *job; /* while it has entered */
    int tries;               /* how often the host was too busy for it */
    bool again;              /* the host was too busy: it is to enter once more */
    bool failed;             /* it has failed, so that the others are not to run */
};

/* Lives from graded_submit to its answer. All cases share its request. */
struct graded {
    LIST_ENTRY(graded) link;
    struct service *service;
    struct exchange *exchange; /* NULL: nobody waits for the answer any more */
    struct request request;
    struct kept_body *kept; /* of a large body, which the request points into; else NULL */
    struct policies *policies;
    const struct sb_policy *policy;
    struct job_stream *stream; /* NULL: its answer is not streamed */
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
    struct one_case cases[];
};

/* The events of cases that have ended. */
void graded_tell_case(struct graded *graded, size_t index);
/* The position in the queue; 0: a case runs. */
void graded_tell_position(struct graded *graded, int64_t position);

/* The answer, at the end; the exchange is not used again. */
void graded_answer(struct graded *graded);
/* It was refused as a whole. */
void graded_refuse(struct graded *graded);

/* The client can take more events. */
void graded_drained(struct exchange *exchange);

#endif
