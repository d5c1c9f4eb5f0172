/* Graded runs whose answer an HTTP client waits for. */
#ifndef SERVE_GRADED_EXCHANGE_H
#define SERVE_GRADED_EXCHANGE_H

#include "serve/contracts/request.h"
#include "serve/http/exchange.h"

/* As job_submit, for a request with cases. */
void graded_submit(struct exchange *exchange, struct request *request,
                   const struct sb_policy *policy);

#endif
