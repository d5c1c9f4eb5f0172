/* The routes and their handlers: requests for jobs, and information about the service. The web
 * pages are assets, not routes. */
#include "serve/http/route.h"

#include <stdlib.h>
#include <string.h>

#include "common/json_writer.h"
#include "serve/api/job_routes.h"
#include "serve/api/openapi.h"
#include "serve/jobs/graded_exchange.h"
#include "serve/jobs/job_exchange.h"
#include "serve/jobs/request_admit.h"
#include "serve/jobs/service_state.h"

static const char type_json[] = "application/json";

static void answer(struct exchange *exchange, const char *type, char *text)
{
    exchange_answer(exchange, 200, type, text, text != NULL ? strlen(text) : 0);
}

/* ── Jobs ────────────────────────────────────────────────────────────────────────────────────── */

static void run_at(struct exchange *exchange, enum endpoint endpoint)
{
    struct request request;
    struct sb_error err;
    const struct sb_policy *policy = NULL;
    int status = exchange_request(exchange, endpoint, false, &request, &policy, &err);
    if (status == 0 && request.cases.count > 0)
        graded_submit(exchange, &request, policy);
    else if (status == 0)
        job_submit(exchange, &request, policy);
    else
        exchange_refuse_request(exchange, &request, (unsigned)status, &err);
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
    {"POST", "/jobs", ROUTE_BODY | ROUTE_FORM, jobs_submit},
    {"GET", "/jobs", 0, jobs_list},
    {"GET", "/jobs/{id}", 0, jobs_get},
    {"DELETE", "/jobs/{id}", 0, jobs_cancel},
    {"GET", "/jobs/{id}/events", 0, jobs_events},
    {"GET", "/health", ROUTE_PUBLIC, health_ask},
    {"GET", "/ready", ROUTE_PUBLIC, health_ready},
    {"GET", "/version", ROUTE_PUBLIC, version},
    {"GET", "/policies", 0, policies},
    {"GET", "/metrics", 0, metrics},
    {"GET", "/openapi.json", ROUTE_PUBLIC, openapi},
};

const size_t routes_count = sizeof(routes) / sizeof(routes[0]);
