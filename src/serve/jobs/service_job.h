/* A job as jobs.c has it. */
#ifndef SERVE_SERVICE_JOB_H
#define SERVE_SERVICE_JOB_H

#include <nettle/sha2.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "serve/contracts/request.h"
#include "serve/http/exchange.h"
#include "serve/jobs/admit.h"

/* A job on its way: from job_submit to its answer. */
struct service_job {
    struct ticket ticket; /* first: a ticket is its job */
    TAILQ_ENTRY(service_job) all;
    struct service *service;
    struct exchange *exchange; /* NULL: the client has left */
    struct request request;    /* released once the job runs */
    enum contract_id contract;
    unsigned flags;            /* of its answer: enum sb_json_flags */
    struct policies *policies; /* that `policy` is from */
    const struct sb_policy *policy;
    struct sb_run *run; /* NULL while it waits */
    bool killed;        /* by the service, which stops */
    char id[65];
    char endpoint[32];    /* "POST /run" */
    char *client, *token; /* for the log; they outlive the exchange */
    char *code;           /* with log_code, else NULL */
    size_t code_size;
    char code_sha256[2 * SHA256_DIGEST_SIZE + 1];
};

#endif
