/* Jobs whose answer an HTTP client waits for. */
#ifndef SERVE_JOB_EXCHANGE_H
#define SERVE_JOB_EXCHANGE_H

#include "serve/contracts/request.h"
#include "serve/http/exchange.h"
#include "serve/jobs/jobs.h"

/* Runs a request's job, now or when its turn comes, and answers the exchange when it has ended; or
 * refuses it at once. Takes over what is in *request, which has been checked against `policy` of
 * the present set. */
void job_submit(struct exchange *exchange, struct request *request, const struct sb_policy *policy);

/* What a request's job is made of, but for its requester. `endpoint` is filled in, and is the
 * origin's as long as that is used. */
struct job_origin exchange_origin(struct exchange *exchange, char endpoint[static ENDPOINT_SIZE],
                                  struct request *request, const struct sb_policy *policy);

/* Whether no job may be made now: then the exchange has been refused. */
bool exchange_lacks(struct exchange *exchange, enum contract_id contract);

/* Adds the header Retry-After. Returns its seconds. */
int64_t exchange_retry_after(struct exchange *exchange);

/* Answers an exchange with a refusal, and counts it. */
void exchange_refuse(struct exchange *exchange, enum contract_id contract, enum refusal reason,
                     unsigned status, const char *field, const char *message);

#endif
