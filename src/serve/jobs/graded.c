/* See graded_run.h. The cases of a run enter the queue a few at a time, as places become free: so a
 * thousand cases fill no queue, and clients go on taking turns. The first case enters alone: as
 * long as nothing has run, its refusal is that of the run. */
#include "serve/jobs/graded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "serve/jobs/client_copy.h"
#include "serve/jobs/graded_run.h"
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
    snprintf(id, 65, "%.*s.%zu", 64 - INDEX_CHARS, one->graded->id, index_of(one));
}

void graded_release(struct graded *graded)
{
    LIST_REMOVE(graded, link);
    client_free(&graded->client);
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

static void tell_case(struct graded *graded, size_t index)
{
    graded->requester->case_ended(graded, index);
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
        tell_case(graded, i);
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

static void note_trouble(struct graded *graded, const struct sb_verdict *verdict)
{
    snprintf(graded->trouble, sizeof(graded->trouble), "%s",
             verdict->error != NULL ? verdict->error : "the sandbox failed");
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
    if (job->killed || verdict->word == SB_INTERNAL)
        note_trouble(graded, verdict);
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
        tell_case(graded, index_of(one));
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

/* The whole run is forgotten: graded_free. */
static void forget(void *owner)
{
    (void)owner;
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
    char id[65];
    struct request request;
    if (request_case(&request, &graded->request, index_of(one)) < 0)
        return NULL;
    id_of(id, one);
    /* What waits of the run holds its request together. */
    const struct job_origin origin = {.requester = &grader,
                                      .owner = one,
                                      .client = &graded->client,
                                      .id = id,
                                      .endpoint = graded->endpoint,
                                      .request = &request,
                                      .policy = graded->policy,
                                      .policies = graded->policies,
                                      .size = graded->size /
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
    note_trouble(one->graded, &verdict);
    case_results_put(&one->graded->results, index_of(one), case_of(one), &verdict, CASE_UNGRADED, 0,
                     sb_verdict_json);
    leave(one, CASE_ENDED);
    tell_case(one->graded, index_of(one));
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

/* How many of its cases may run at once. More would only wait. */
static size_t places_for(const struct graded *graded)
{
    int64_t all = MAX(graded->service->bounds.jobs, 1), own = graded->client.jobs;
    return (size_t)(own > 0 ? MIN(own, all) : all);
}

/* NULL: none may enter now. */
static struct one_case *next_case(struct graded *graded)
{
    size_t most = graded->started ? places_for(graded) : 1;
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
        graded->requester->refuse(graded);
        graded_release(graded);
        return;
    }
    if (graded->over && graded->entered == 0 && graded->results.ended < graded->results.count) {
        graded->inside = true;
        leave_out(graded, "not run: the service is stopping");
        graded->inside = false;
    }
    if (graded->results.ended < graded->results.count)
        return;
    graded->requester->answer(graded);
    graded_release(graded);
}

/* ── From outside ────────────────────────────────────────────────────────────────────────────── */

struct graded *graded_make(struct service *service, const struct graded_requester *requester,
                           const struct job_origin *origin)
{
    size_t count = origin->request->cases.count;
    struct graded *graded = calloc(1, sizeof(*graded) + count * sizeof(graded->cases[0]));
    if (graded == NULL)
        return NULL;
    graded->service = service;
    graded->requester = requester;
    graded->owner = origin->owner;
    graded->size = origin->size;
    graded->request = *origin->request;
    graded->policy = origin->policy;
    graded->policies = policies_use(origin->policies);
    *origin->request = (struct request){.contract = NATIVE};
    snprintf(graded->id, sizeof(graded->id), "%s", origin->id);
    snprintf(graded->endpoint, sizeof(graded->endpoint), "%s", origin->endpoint);
    for (size_t i = 0; i < count; i++)
        graded->cases[i].graded = graded;
    LIST_INSERT_HEAD(&service->graded, graded, link);
    if (client_copy(&graded->client, origin->client) == 0 &&
        case_results_open(&graded->results, count) == 0)
        return graded;
    graded_release(graded);
    return NULL;
}

/* All cases ask for the same. */
bool graded_never_fits(struct graded *graded, char *text, size_t size)
{
    struct service_job *job = make_job(&graded->cases[0]);
    bool never = job != NULL && job_never_fits(job, text, size);
    if (job != NULL)
        job_free(job);
    return never;
}

void graded_begin(struct graded *graded)
{
    settle(graded);
}

void graded_go_on(struct graded *graded)
{
    graded->paused = false;
    settle(graded);
}

void graded_abandon(struct graded *graded, const char *reason)
{
    graded->inside = graded->over = true;
    for (size_t i = 0; i < graded->results.count; i++) {
        struct one_case *one = &graded->cases[i];
        struct service_job *job = one->job;
        if (one->state != CASE_ENTERED)
            continue;
        leave(one, CASE_ENDED);
        job_abandon(job, reason);
    }
    graded_release(graded);
}

unsigned graded_status(const struct graded *graded)
{
    const struct case_results *results = &graded->results;
    if (graded->stopping || results->host_busy)
        return 503;
    return results->any_ran ? contracts[NATIVE].status[results->results[results->worst].word] : 500;
}

bool graded_replay(const struct graded *graded, size_t *sent, const struct stream_form *form,
                   struct exchange *exchange, bool last)
{
    const struct case_results *results = &graded->results;
    bool more = true;
    while (*sent < results->ended && (more || last)) {
        _cleanup_free_ char *text = case_results_event(results, results->order[(*sent)++]);
        if (text != NULL)
            more = stream_form_send(form, exchange, "case", text, strlen(text));
    }
    return more;
}

/* ── All of them ─────────────────────────────────────────────────────────────────────────────── */

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
        graded->requester->forget(graded);
        graded_release(graded);
    }
}
