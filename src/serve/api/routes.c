/* The routes and their handlers: requests for jobs, and information about the service. The web
 * pages are assets, not routes. */
#include "serve/http/route.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/json_writer.h"
#include "serve/api/openapi.h"
#include "serve/jobs/job_exchange.h"
#include "serve/jobs/service_state.h"

static const char type_json[] = "application/json";

static void answer(struct exchange *exchange, const char *type, char *text)
{
    exchange_answer(exchange, 200, type, text, text != NULL ? strlen(text) : 0);
}

/* ── Jobs ────────────────────────────────────────────────────────────────────────────────────── */

/* The policy that the request names, or else the only one of its token, or else the endpoint's. */
static const char *policy_name(const struct exchange *exchange, const struct request *request)
{
    if (request->policy != NULL)
        return request->policy;
    if (request->contract == NATIVE && exchange->client.policy != NULL)
        return exchange->client.policy;
    return contracts[request->contract].policy;
}

/* 0, or the status of the refusal. */
static int choose_policy(const struct exchange *exchange, struct request *request,
                         const struct sb_policy **policy, struct sb_error *err)
{
    const struct client *client = &exchange->client;
    const char *name = policy_name(exchange, request);
    *policy = NULL;
    if (client->policy != NULL && strcmp(client->policy, name) != 0) {
        sb_fail_field(err, "policy", "policy",
                      "the token \"%.64s\" allows only the policy \"%.64s\": use a token that "
                      "allows \"%.64s\"",
                      client->token != NULL ? client->token : "", client->policy, name);
        return 403;
    }
    *policy = policies_offer(exchange->service->policies, name, client->policy, err);
    if (*policy != NULL)
        return 0;
    /* Where the request has not named the policy, the fault is the service's. */
    return request->policy != NULL ? 400 : 500;
}

/* A form in a file is read where it is: job_submit keeps it. */
static int read_form(const struct exchange *exchange, struct request *request, struct sb_error *err)
{
    char *body = (char *)(intptr_t)exchange->body;
    char *copy = exchange->body_in_file ? NULL : malloc(exchange->body_size);
    if (copy != NULL)
        body = memcpy(copy, body, exchange->body_size);
    int result;
    if (copy == NULL && !exchange->body_in_file) {
        *request = (struct request){.contract = NATIVE};
        result = sb_fail(err, "memory", ENOMEM, "out of memory (the request)");
    } else {
        result = request_read_form(request, exchange->boundary, body, exchange->body_size, err);
    }
    request->form = copy;
    return result;
}

static int read_body(const struct exchange *exchange, enum endpoint endpoint,
                     struct request *request, struct sb_error *err)
{
    if (exchange->boundary[0] != '\0')
        return read_form(exchange, request, err);
    if (exchange->body_in_file) /* job_submit keeps it */
        return request_read_in_place(request, endpoint, (char *)(intptr_t)exchange->body,
                                     exchange->body_size, err);
    return request_read(request, endpoint, exchange->body, exchange->body_size, err);
}

static void run_at(struct exchange *exchange, enum endpoint endpoint)
{
    struct request request;
    struct sb_error err;
    const struct sb_policy *policy = NULL;
    int status = 0;
    if (read_body(exchange, endpoint, &request, &err) < 0)
        status = 400;
    if (status == 0)
        status = choose_policy(exchange, &request, &policy, &err);
    if (status == 0 && request_check(&request, policy, &err) < 0) {
        policies_blame(exchange->service->policies, policy, &request.job.limits, &err);
        status = 400;
    }
    if (status == 0)
        job_submit(exchange, &request, policy);
    else
        exchange_refuse(exchange, request.contract,
                        status == 403 ? REFUSED_FORBIDDEN : REFUSED_REQUEST, (unsigned)status,
                        err.field, err.message);
    request_free(&request);
}

static void run(struct exchange *exchange)
{
    run_at(exchange, ENDPOINT_RUN);
}

static void run_code(struct exchange *exchange)
{
    run_at(exchange, ENDPOINT_RUN_CODE);
}

static void execute(struct exchange *exchange)
{
    run_at(exchange, ENDPOINT_EXECUTE);
}

/* ── The service ─────────────────────────────────────────────────────────────────────────────── */

static void policies(struct exchange *exchange)
{
    answer(exchange, type_json,
           policies_json(exchange->service->policies, exchange->client.policy));
}

static void metrics(struct exchange *exchange)
{
    const struct service *service = exchange->service;
    answer(exchange, "text/plain; version=0.0.4; charset=utf-8",
           metrics_text(service->all_metrics, (size_t)service->config->workers));
}

static void version(struct exchange *exchange)
{
    struct json_writer writer;
    json_begin(&writer, 64);
    json_bracket(&writer, '{');
    json_key(&writer, "version");
    json_string(&writer, sb_version(), strlen(sb_version()));
    json_bracket(&writer, '}');
    answer(exchange, type_json, json_end(&writer));
}

static void openapi(struct exchange *exchange)
{
    answer(exchange, type_json, openapi_json());
}

const struct route routes[] = {
    {"POST", "/run", ROUTE_BODY | ROUTE_FORM, run},
    {"POST", "/run_code", ROUTE_BODY, run_code},
    {"POST", "/execute", ROUTE_BODY, execute},
    {"GET", "/health", ROUTE_PUBLIC, health_ask},
    {"GET", "/ready", ROUTE_PUBLIC, health_ready},
    {"GET", "/version", ROUTE_PUBLIC, version},
    {"GET", "/policies", 0, policies},
    {"GET", "/metrics", 0, metrics},
    {"GET", "/openapi.json", ROUTE_PUBLIC, openapi},
};

const size_t routes_count = sizeof(routes) / sizeof(routes[0]);
