/* Graded runs: one program, run once for each case, every one a job of its own. */
#ifndef SERVE_GRADED_H
#define SERVE_GRADED_H

#include <stdbool.h>

#include "serve/contracts/request.h"
#include "serve/http/exchange.h"

struct service;

/* Runs the cases of a request, and answers the exchange when all have ended; or refuses it. Takes
 * over what is in *request, which has been checked against `policy` of the present set. */
void graded_submit(struct exchange *exchange, struct request *request,
                   const struct sb_policy *policy);

/* Cases that were refused while others waited, too, enter again: the service's graded_timer. */
void graded_retry(void *service);

/* As streams_look: tells positions in the queue. Whether there are streams. */
bool graded_look(struct service *service);

/* The service stops: no further case enters. Call it when running jobs have been killed. */
void graded_stop(struct service *service);

/* Frees them, after all jobs have been freed. */
void graded_free(struct service *service);

#endif
