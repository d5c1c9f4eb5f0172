/* A job of the service: what the files that take it on its way share. */
#ifndef SERVE_SERVICE_JOB_H
#define SERVE_SERVICE_JOB_H

#include <nettle/sha2.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "serve/contracts/request.h"
#include "serve/http/exchange.h"
#include "serve/jobs/admit.h"
#include "serve/jobs/job_stream.h"
#include "serve/jobs/requester.h"

enum { ENDPOINT_SIZE = 32 };

enum job_entered {
    JOB_NOT_ENTERED, /* out of memory; the caller frees the job */
    JOB_GOES_ON,     /* it runs, or has ended already and no longer exists */
    JOB_WAITS
};

/* Lives from job_make to its answer. */
struct service_job {
    struct ticket ticket; /* first: see job_of */
    TAILQ_ENTRY(service_job) all, in_running, in_streams;
    struct service *service;
    const struct requester *requester;
    void *owner;               /* for its functions; NULL: nobody waits for the answer any more */
    struct exchange *exchange; /* the owner, if that is an exchange, else NULL */
    struct request request;    /* freed once the job runs; empty while it is spilled */
    struct kept_body *kept;    /* its body, in a file; NULL: it was small */
    enum endpoint read_as;     /* how to read it again, */
    bool spilled;              /* if the request has been freed while the job waits */
    enum contract_id contract;
    unsigned flags;            /* of its answer: enum sb_json_flags */
    struct policies *policies; /* the set that `policy` is from */
    const struct sb_policy *policy;
    struct job_stream *stream; /* NULL: its answer is not streamed */
    struct sb_run *run;        /* NULL while it waits */
    bool watched;              /* its position in the queue is of interest */
    bool killed;               /* by the service, which stops */
    char id[65];
    char endpoint[ENDPOINT_SIZE]; /* "POST /run" */
    struct client client;         /* a copy */
    char *code;                   /* with log_code, else NULL */
    size_t code_size;
    char code_sha256[2 * SHA256_DIGEST_SIZE + 1];
};

#endif
