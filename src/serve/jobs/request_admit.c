/* See request_admit.h. */
#include "serve/jobs/request_admit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "serve/jobs/job_exchange.h"
#include "serve/jobs/service_state.h"

/* The policy that the request names, or else the only one of its token, or else the endpoint's. */
static const char *policy_name(const struct client *client, const struct request *request)
{
    if (request->policy != NULL)
        return request->policy;
    if (request->contract == NATIVE && client->policy != NULL)
        return client->policy;
    return contracts[request->contract].policy;
}

/* 0, or the status of the refusal. */
static int choose_policy(const struct service *service, const struct client *client,
                         struct request *request, const struct sb_policy **policy,
                         struct sb_error *err)
{
    const char *name = policy_name(client, request);
    *policy = NULL;
    if (client->policy != NULL && strcmp(client->policy, name) != 0) {
        sb_fail_field(err, "policy", "policy",
                      "the token \"%.64s\" allows only the policy \"%.64s\": use a token that "
                      "allows \"%.64s\"",
                      client->token != NULL ? client->token : "", client->policy, name);
        return 403;
    }
    *policy = policies_offer(service->policies, name, client->policy, err);
    if (*policy != NULL)
        return 0;
    /* Where the request has not named the policy, the fault is the service's. */
    return request->policy != NULL ? 400 : 500;
}

/* A form in a file is read where it is: job_submit keeps it. */
static int read_form(const struct exchange *exchange, enum endpoint endpoint, bool keep,
                     struct request *request, struct sb_error *err)
{
    bool in_place = exchange->body_in_file && !keep;
    char *body = (char *)(intptr_t)exchange->body;
    char *copy = in_place ? NULL : malloc(exchange->body_size);
    if (copy != NULL)
        body = memcpy(copy, body, exchange->body_size);
    int result;
    if (copy == NULL && !in_place) {
        *request = (struct request){.contract = NATIVE};
        result = sb_fail(err, "memory", ENOMEM, "out of memory (the request)");
    } else {
        result = request_read_form(request, endpoint, exchange->boundary, body, exchange->body_size,
                                   err);
    }
    request->form = copy;
    return result;
}

static int read_body(const struct exchange *exchange, enum endpoint endpoint, bool keep,
                     struct request *request, struct sb_error *err)
{
    if (exchange->boundary[0] != '\0')
        return read_form(exchange, endpoint, keep, request, err);
    if (exchange->body_in_file && !keep) /* job_submit keeps it */
        return request_read_in_place(request, endpoint, (char *)(intptr_t)exchange->body,
                                     exchange->body_size, err);
    return request_read(request, endpoint, exchange->body, exchange->body_size, err);
}

int request_admit(struct service *service, const struct client *client, struct request *request,
                  const struct sb_policy **policy, struct sb_error *err)
{
    int status = choose_policy(service, client, request, policy, err);
    if (status != 0)
        return status;
    if (request_check(request, *policy, err) == 0)
        return 0;
    policies_blame(service->policies, *policy, &request->job.limits, err);
    return 400;
}

int exchange_request(const struct exchange *exchange, enum endpoint endpoint, bool keep,
                     struct request *request, const struct sb_policy **policy, struct sb_error *err)
{
    if (read_body(exchange, endpoint, keep, request, err) < 0)
        return 400;
    return request_admit(exchange->service, &exchange->client, request, policy, err);
}

void exchange_refuse_request(struct exchange *exchange, const struct request *request,
                             unsigned status, const struct sb_error *err)
{
    exchange_refuse(exchange, request->contract,
                    status == 403 ? REFUSED_FORBIDDEN : REFUSED_REQUEST, status, err->field,
                    err->message);
}
