/* Jobs on their way through the service: submitted, waiting, running, answered. */
#ifndef SERVE_JOBS_H
#define SERVE_JOBS_H

#include "serve/contracts/request.h"
#include "serve/http/exchange.h"
#include "serve/jobs/service_state.h"

/* Runs a request's job, now or when its turn comes, and answers the exchange when it has ended; or
 * refuses it at once. Takes over what is in *request, which has been checked against `policy` of
 * the present set. */
void job_submit(struct exchange *exchange, struct request *request, const struct sb_policy *policy);

/* Starts those whose turn it is, and refuses those that have waited too long or are too many. */
void jobs_pump(struct service *service);

/* Kills those that run, and refuses those that wait. */
void jobs_kill(struct service *service, const char *reason);

/* Frees them, after the sandbox has been closed. */
void jobs_free(struct service *service);

/* Answers an exchange with a refusal, and counts it. */
void exchange_refuse(struct exchange *exchange, enum contract_id contract, enum refusal reason,
                     unsigned status, const char *field, const char *message);

#endif
