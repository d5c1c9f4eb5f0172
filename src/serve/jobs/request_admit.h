/* From a body to a request that may run under a policy: the same for a client that waits for the
 * answer, and for a job that is queued. */
#ifndef SERVE_REQUEST_ADMIT_H
#define SERVE_REQUEST_ADMIT_H

#include "serve/contracts/request.h"
#include "serve/http/exchange.h"

/* Reads the body of an exchange, and checks the request that it holds: 0, or the status of its
 * refusal. The caller frees *request in any case. A large body, which is in a file, is read where
 * it is and changed, unless `keep`. */
int exchange_request(const struct exchange *exchange, enum endpoint endpoint, bool keep,
                     struct request *request, const struct sb_policy **policy,
                     struct sb_error *err);

/* Refuses what exchange_request has returned a status for. */
void exchange_refuse_request(struct exchange *exchange, const struct request *request,
                             unsigned status, const struct sb_error *err);

/* Puts a request that has been read under a policy of the present set, and checks it: 0, or the
 * status of its refusal. */
int request_admit(struct service *service, const struct client *client, struct request *request,
                  const struct sb_policy **policy, struct sb_error *err);

#endif
