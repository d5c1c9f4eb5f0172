/* See graded.h. The cases of a run enter the queue a few at a time, as places become free: so a
 * thousand cases fill no queue, and clients go on taking turns. The first case enters alone: as
 * long as nothing has run, its refusal is that of the run. */
#include "serve/jobs/graded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "serve/http/route.h"
#include "serve/jobs/graded_run.h"
#include "serve/jobs/job_exchange.h"
#include "serve/jobs/jobs.h"
#include "serve/jobs/service_state.h"

enum {
    RETRY_MS = 100,
    TRIES_MAX = 3,  /* of a case that the host was too busy for */
    INDEX_CHARS = 5 /* ".999" and a NUL */
};

static void settle(struct graded *graded);

static size_t index_of(const struct one_case *one)
{
    return (size_t)(one - one->graded->cases);
}

static const struct graded_case *case_of(const struct one_case *one)
{
    return &one->graded->request.cases.cases[index_of(one)];
}

static void id_of(char id[static 65], const struct one_case *one)
{
    snprintf(id, 65, "%.*s.%zu", 64 - INDEX_CHARS, one->graded->exchange->id, index_of(one));
}

static void free_graded(struct graded *graded)
{
    LIST_REMOVE(graded, link);
    request_free(&graded->request);
    kept_body_free(graded->kept);
    case_results_free(&graded->results);
    stream_release(graded->stream);
    policies_release(graded->policies);
    free(graded);
}

/* ── The end of a case ───────────────────────────────────────────────────────────────────────── */

static void leave(struct one_case *one, int state)
{
    struct graded *graded = one->graded;
    size_t index = index_of(one);
    one->state = state;
    one->job = NULL;
    graded->entered--;
    if (state == CASE_TO_DO && index < graded->next)
        graded->next = index;
}

/* Cases that have not ended, and now will not. */
static void leave_out(struct graded *graded, const char *why)
{
    for (size_t i = 0; i < graded->results.count; i++) {
        struct one_case *one = &graded->cases[i];
        char id[65];
        if (one->state == CASE_ENDED)
            continue;
        struct service_job *job = one->job;
        if (one->state == CASE_ENTERED) {
            leave(one, CASE_ENDED);
            job_abandon(job, why);
        }
        one->state = CASE_ENDED;
        id_of(id, one);
        case_results_leave_out(&graded->results, i, case_of(one), id, why);
        graded_tell_case(graded, i);
    }
}

static void stop_for(struct graded *graded, size_t failed)
{
    char why[64];
    snprintf(why, sizeof(why), "not run to its end: case %zu failed", failed);
    graded->over = true;
    leave_out(graded, why);
}

/* ── As a requester ──────────────────────────────────────────────────────────────────────────── */

static void started(void *owner)
{
    struct one_case *one = owner;
    struct graded *graded = one->graded;
    bool first = !graded->started;
    graded->started = true;
    if (first) {
        graded_tell_position(graded, 0);
        settle(graded);
    }
}

static struct answer compose(struct service_job *job, const struct sb_verdict *verdict)
{
    struct one_case *one = job->owner;
    if (one == NULL)
        return (struct answer){0};
    struct graded *graded = one->graded;
    size_t index = index_of(one);
    graded->stopping |= job->killed;
    graded->over |= job->killed;
    one->again = verdict->host_busy && !graded->over && ++one->tries < TRIES_MAX;
    if (!one->again) {
        enum case_grade grade = case_judge(case_of(one), verdict);
        /* Without memory for it, there is none for the answer either: case_results_json. */
        case_results_put(&graded->results, index, case_of(one), verdict, grade, job->flags,
                         sb_verdict_json);
        one->failed =
            graded->request.cases.stop_at_failure && case_failed(grade, verdict) && !graded->over;
    }
    return (struct answer){.status = contracts[NATIVE].status[verdict->word]};
}

static void deliver(void *owner, struct answer *answer)
{
    struct one_case *one = owner;
    struct graded *graded = one->graded;
    bool inside = graded->inside;
    (void)answer;
    graded->inside = true;
    graded->started = true;
    leave(one, one->again ? CASE_TO_DO : CASE_ENDED);
    if (!one->again)
        graded_tell_case(graded, index_of(one));
    if (one->failed)
        stop_for(graded, index_of(one));
    graded->inside = inside;
    settle(graded);
}

static void refuse(void *owner, enum contract_id contract, enum refusal reason, const char *message)
{
    struct one_case *one = owner;
    struct graded *graded = one->graded;
    (void)contract;
    leave(one, CASE_TO_DO);
    if (reason == REFUSED_STOPPING)
        graded->over = graded->stopping = true;
    if (!graded->started) {
        graded->over = true;
        graded->refusal = reason;
        snprintf(graded->refused, sizeof(graded->refused), "%s", message);
    } else if (!graded->over && graded->entered == 0) {
        timer_set(&graded->service->graded_timer, RETRY_MS);
        return; /* it would be refused again at once */
    }
    if (graded->entered == 0)
        settle(graded);
}

static void forget(void *owner)
{
    struct one_case *one = owner;
    if (one->graded->exchange != NULL)
        one->graded->exchange->gone = NULL;
    one->graded->exchange = NULL;
}

static void waits(struct service_job *job)
{
    const struct one_case *one = job->owner;
    if (one != NULL && !one->graded->started)
        graded_tell_position(one->graded,
                             places_position(one->graded->service->places, &job->ticket));
}

static const struct requester grader = {compose, deliver, refuse, forget, started, waits};

/* ── Entering ────────────────────────────────────────────────────────────────────────────────── */

static struct service_job *make_job(struct one_case *one)
{
    struct graded *graded = one->graded;
    struct exchange *exchange = graded->exchange;
    char id[65], endpoint[ENDPOINT_SIZE];
    struct request request;
    if (request_case(&request, &graded->request, index_of(one)) < 0)
        return NULL;
    id_of(id, one);
    snprintf(endpoint, sizeof(endpoint), "%s %s", exchange->route->method, exchange->route->path);
    /* What waits of the run holds its request together. */
    const struct job_origin origin = {.requester = &grader,
                                      .owner = one,
                                      .client = &exchange->client,
                                      .id = id,
                                      .endpoint = endpoint,
                                      .request = &request,
                                      .policy = graded->policy,
                                      .policies = graded->policies,
                                      .size = exchange->body_size /
                                              (size_t)MAX(graded->service->bounds.jobs, 1)};
    struct service_job *job = job_make(graded->service, &origin);
    if (job != NULL)
        job->watched = graded->stream != NULL;
    request_free(&request);
    return job;
}

/* A case that there is no memory for is as one that failed to start. */
static void fail_for_memory(struct one_case *one)
{
    char id[65];
    id_of(id, one);
    const struct sb_verdict verdict =
        sb_verdict_unstarted(id, "out of memory (a case): try again later");
    case_results_put(&one->graded->results, index_of(one), case_of(one), &verdict, CASE_UNGRADED, 0,
                     sb_verdict_json);
    leave(one, CASE_ENDED);
    graded_tell_case(one->graded, index_of(one));
}

static void enter(struct one_case *one)
{
    struct graded *graded = one->graded;
    one->state = CASE_ENTERED;
    graded->entered++;
    struct service_job *job = one->job = make_job(one);
    enum job_entered entered = job != NULL ? job_enter(job) : JOB_NOT_ENTERED;
    if (entered == JOB_NOT_ENTERED && job != NULL)
        job_free(job);
    if (entered == JOB_NOT_ENTERED)
        fail_for_memory(one);
}

/* NULL: none may enter now. */
static struct one_case *next_case(struct graded *graded)
{
    size_t most = graded->started ? (size_t)MAX(graded->service->bounds.jobs, 1) : 1;
    while (graded->next < graded->results.count && graded->cases[graded->next].state != CASE_TO_DO)
        graded->next++;
    return graded->over || graded->paused || graded->entered >= most ||
                   graded->next == graded->results.count
               ? NULL
               : &graded->cases[graded->next];
}

/* Lets cases enter; answers and frees the run when none is left. */
static void settle(struct graded *graded)
{
    struct one_case *one;
    if (graded->inside)
        return;
    graded->inside = true;
    while ((one = next_case(graded)) != NULL) {
        size_t before = graded->entered;
        enter(one);
        if (one->state == CASE_TO_DO && graded->entered == before)
            break; /* refused at once: later */
    }
    graded->inside = false;
    if (graded->refused[0] != '\0') {
        graded_refuse(graded);
        free_graded(graded);
        return;
    }
    if (graded->over && graded->entered == 0 && graded->results.ended < graded->results.count) {
        graded->inside = true;
        leave_out(graded, "not run: the service is stopping");
        graded->inside = false;
    }
    if (graded->results.ended < graded->results.count)
        return;
    graded_answer(graded);
    free_graded(graded);
}

/* ── From outside ────────────────────────────────────────────────────────────────────────────── */

void graded_drained(struct exchange *exchange)
{
    struct graded *graded = exchange->state;
    graded->paused = false;
    settle(graded);
}

static void client_left(struct exchange *exchange)
{
    struct graded *graded = exchange->state;
    metrics_add(&exchange->service->metrics->refused[REFUSED_CLIENT_LEFT], 1);
    graded->inside = graded->over = true;
    for (size_t i = 0; i < graded->results.count; i++) {
        struct one_case *one = &graded->cases[i];
        struct service_job *job = one->job;
        if (one->state != CASE_ENTERED)
            continue;
        leave(one, CASE_ENDED);
        job_abandon(job, "the client left before the job had ended");
    }
    free_graded(graded);
}

static struct graded *make_graded(struct exchange *exchange, struct request *request,
                                  const struct sb_policy *policy)
{
    struct service *service = exchange->service;
    const struct stream_form *form = stream_form_asked(exchange->accept);
    size_t count = request->cases.count;
    struct graded *graded = calloc(1, sizeof(*graded) + count * sizeof(graded->cases[0]));
    if (graded == NULL)
        return NULL;
    graded->service = service;
    graded->exchange = exchange;
    graded->request = *request;
    graded->policy = policy;
    graded->policies = policies_use(service->policies);
    *request = (struct request){.contract = NATIVE};
    for (size_t i = 0; i < count; i++)
        graded->cases[i].graded = graded;
    LIST_INSERT_HEAD(&service->graded, graded, link);
    graded->stream = form != NULL ? stream_make(form) : NULL;
    bool keep = exchange->body_in_file; /* the request has been read in place */
    graded->kept = keep ? exchange_keep_body(exchange) : NULL;
    if (case_results_open(&graded->results, count) == 0 && (form == NULL || graded->stream) &&
        (!keep || graded->kept != NULL))
        return graded;
    free_graded(graded);
    return NULL;
}

/* Whether a case asks for more than all jobs together get: all ask for the same. */
static bool never_fits(struct graded *graded, char *text, size_t size)
{
    struct service_job *job = make_job(&graded->cases[0]);
    bool never = job != NULL && job_never_fits(job, text, size);
    if (job != NULL)
        job_free(job);
    return never;
}

void graded_submit(struct exchange *exchange, struct request *request,
                   const struct sb_policy *policy)
{
    enum refusal reason;
    char text[200];
    const char *lack = jobs_lack(exchange->service, &reason);
    if (lack != NULL) {
        exchange_refuse(exchange, NATIVE, reason, 503, NULL, lack);
        return;
    }
    struct graded *graded = make_graded(exchange, request, policy);
    if (graded == NULL) {
        exchange_refuse(exchange, NATIVE, REFUSED_INTERNAL, 500, NULL,
                        "out of memory (the request)");
        return;
    }
    if (never_fits(graded, text, sizeof(text))) {
        free_graded(graded);
        exchange_refuse(exchange, NATIVE, REFUSED_REQUEST, 400, "limits.memory_bytes", text);
        return;
    }
    exchange->state = graded;
    exchange->gone = client_left;
    settle(graded);
}

/* Its end may let the service, which drains, go. */
static void settle_idle(struct service *service)
{
    struct graded *graded, *next;
    for (graded = LIST_FIRST(&service->graded); graded != NULL; graded = next) {
        next = LIST_NEXT(graded, link);
        if (graded->entered == 0)
            settle(graded);
    }
}

void graded_retry(void *user)
{
    struct service *service = user;
    settle_idle(service);
    jobs_pump(service);
}

bool graded_look(struct service *service)
{
    struct graded *graded;
    bool any = false;
    LIST_FOREACH(graded, &service->graded, link)
    {
        const struct service_job *first = graded->cases[0].job;
        any |= graded->stream != NULL;
        if (graded->stream != NULL && !graded->started && first != NULL &&
            places_waits(service->places, &first->ticket))
            graded_tell_position(graded, places_position(service->places, &first->ticket));
    }
    return any;
}

void graded_stop(struct service *service)
{
    struct graded *graded;
    LIST_FOREACH(graded, &service->graded, link)
    {
        graded->over = graded->stopping = true;
    }
    settle_idle(service);
}

void graded_free(struct service *service)
{
    struct graded *graded;
    while ((graded = LIST_FIRST(&service->graded)) != NULL) {
        if (graded->exchange != NULL)
            graded->exchange->gone = NULL;
        free_graded(graded);
    }
}
