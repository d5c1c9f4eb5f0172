/* See followers.h. A follower watches its job first and reads it then, so that it misses no end
 * that comes between the two. */
#include "serve/jobs/followers.h"

#include <search.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/util.h"
#include "serve/jobs/heap.h"
#include "serve/jobs/job_exchange.h"
#include "serve/jobs/runner.h"
#include "serve/jobs/service_state.h"
#include "serve/jobs/stored_job.h"

/* A job whose end is waited for. */
struct followed {
    char id[STORE_ID_SIZE]; /* first: the key of its tree */
    LIST_HEAD(, follower) followers;
};

struct follower {
    LIST_ENTRY(follower) next, in_job;
    struct followers *followers;
    struct followed *job;      /* NULL: it hears of no end */
    size_t in_ends;            /* its place in that heap */
    struct exchange *exchange; /* NULL: its client has left */
    char id[STORE_ID_SIZE];
    int64_t until_us;               /* it waits; 0: no longer */
    const struct stream_form *form; /* NULL: it wants one answer */
    bool begun;                     /* with its stream */
    bool slow;                      /* it takes no more of it now */
    int64_t try;                    /* of which it has been sent output; 0: of none */
    bool all;                       /* of that */
    struct stream_place place;
    bool asking, again; /* the store is being asked; and shall be once more */
};

struct followers {
    struct service *service;
    struct timer timer;
    bool draining;
    LIST_HEAD(, follower) all;
    size_t count;
    void *jobs;       /* struct followed: tsearch(3) */
    struct heap ends; /* those whose time will be over, by when */
};

void refuse_for_store(struct exchange *exchange, const char *message)
{
    exchange_refuse(exchange, NATIVE, REFUSED_INTERNAL, 503, NULL,
                    message != NULL ? message : "the store of jobs can't be reached");
}

/* ── Who follows which job ───────────────────────────────────────────────────────────────────── */

static int compare_ids(const void *a, const void *b)
{
    return strcmp(a, b);
}

static struct followed *find(const struct followers *followers, const char *id)
{
    struct followed *const *found = tfind(id, &followers->jobs, compare_ids);
    return found != NULL ? *found : NULL;
}

/* NULL: out of memory. */
static struct followed *find_or_make(struct followers *followers, const char *id)
{
    struct followed *job = find(followers, id);
    if (job != NULL)
        return job;
    job = calloc(1, sizeof(*job));
    if (job == NULL)
        return NULL;
    memcpy(job->id, id, sizeof(job->id));
    LIST_INIT(&job->followers);
    if (tsearch(job, &followers->jobs, compare_ids) == NULL) {
        free(job);
        return NULL;
    }
    store_watch(runner_store(followers->service->runner), id, true);
    return job;
}

static void leave_job(struct follower *follower)
{
    struct followed *job = follower->job;
    if (job == NULL)
        return;
    LIST_REMOVE(follower, in_job);
    if (!LIST_EMPTY(&job->followers))
        return;
    store_watch(runner_store(follower->followers->service->runner), job->id, false);
    tdelete(job, &follower->followers->jobs, compare_ids);
    free(job);
}

/* It waits no longer than that; 0: not at all. */
static void wait_until(struct follower *follower, int64_t until_us)
{
    follower->until_us = until_us;
    heap_keep(&follower->followers->ends, follower, until_us > 0 && until_us < INT64_MAX);
}

static bool ends_earlier(const void *a, const void *b)
{
    return ((const struct follower *)a)->until_us < ((const struct follower *)b)->until_us;
}

static void release(struct follower *follower)
{
    if (follower->exchange != NULL)
        follower->exchange->gone = NULL;
    follower->exchange = NULL;
    LIST_REMOVE(follower, next);
    follower->followers->count--;
    wait_until(follower, 0);
    leave_job(follower);
    free(follower);
}

static void left(struct exchange *exchange)
{
    struct follower *follower = exchange->state;
    exchange->gone = NULL;
    follower->exchange = NULL;
    if (!follower->asking)
        release(follower);
}

static void set_timer(struct followers *followers)
{
    const struct follower *first = heap_first(&followers->ends);
    int64_t now_us = monotonic_us();
    if (first != NULL) /* many that are over at about the same time share one look */
        timer_set(&followers->timer,
                  first->until_us <= now_us ? 0 : (first->until_us - now_us) / 1000 + 20);
}

/* ── What the store says ─────────────────────────────────────────────────────────────────────── */

void job_not_found(struct exchange *exchange)
{
    exchange_error(exchange, 404, NULL,
                   "there is no such job: it is unknown or another client's, or its answer has "
                   "expired");
}

static void answer_job(struct exchange *exchange, const struct store_job *job)
{
    struct json_writer writer;
    json_begin(&writer, job->answer_size + 512);
    stored_job_write(&writer, job, true);
    size_t size = writer.size;
    exchange_answer(exchange, 200, "application/json", json_end(&writer), size);
}

/* Sends what the job has put out by now, if it runs here. A follower that is slow is sent the rest
 * when it can take it, or when the record is about to go. */
static void send_output(struct follower *follower, bool last)
{
    struct runner *runner = follower->followers->service->runner;
    int64_t number = runner_try(runner, follower->id);
    if (number == 0 || (follower->slow && !last))
        return;
    if (follower->try != 0 && follower->try != number)
        return; /* of an earlier try: see send_events */
    follower->try = number;
    follower->slow = !runner_replay(runner, follower->id, &follower->place, follower->form,
                                    follower->exchange, last);
    follower->all = last;
}

static void drained(struct exchange *exchange)
{
    struct follower *follower = exchange->state;
    follower->slow = false;
    send_output(follower, false);
}

/* Sends what can be sent of its stream. False: it goes on later. */
static bool send_events(struct follower *follower, const struct store_job *job)
{
    struct exchange *exchange = follower->exchange;
    if (!follower->begun && stream_form_begin(follower->form, exchange, drained) < 0) {
        exchange_answer(exchange, 500, "application/json", NULL, 0);
        return true;
    }
    /* The output of a try that came to nothing has been sent: the next one's begins with a start of
     * its own. */
    bool again = follower->try != 0 && job->tries != follower->try && job->tries != 0;
    if (!follower->begun || again)
        stored_job_send_start(job, follower->form, exchange);
    follower->begun = true;
    if (again) {
        follower->try = 0;
        follower->all = false;
        follower->place = (struct stream_place){0};
    }
    bool over = job->state > STORE_RUNNING;
    if (!over)
        send_output(follower, false);
    if (!over && follower->until_us > 0)
        return false;
    stored_job_send_end(job, follower->form, exchange, !follower->all);
    exchange->no_refusal = true;
    exchange_end(exchange, 200);
    return true;
}

static void refuse(struct follower *follower, enum store_result result, const char *message)
{
    struct exchange *exchange = follower->exchange;
    if (follower->begun) /* the stream ends without a verdict: its client asks again */
        exchange_end(exchange, result == STORE_NONE ? 404 : 503);
    else if (result == STORE_NONE)
        job_not_found(exchange);
    else
        refuse_for_store(exchange, message);
}

static void ask(struct follower *follower);

static void found(void *user, enum store_result result, const char *message,
                  const struct store_job *job)
{
    struct follower *follower = user;
    struct exchange *exchange = follower->exchange;
    follower->asking = false;
    if (exchange == NULL) {
        release(follower);
        return;
    }
    bool over = job == NULL || job->state > STORE_RUNNING;
    if (!over && follower->until_us > 0 && follower->again) {
        ask(follower);
        return;
    }
    bool answered = true;
    exchange->gone = NULL; /* answering may be the end of the exchange */
    if (job == NULL)
        refuse(follower, result, message);
    else if (follower->form != NULL)
        answered = send_events(follower, job);
    else if (over || follower->until_us == 0)
        answer_job(exchange, job);
    else
        answered = false;
    if (answered) {
        follower->exchange = NULL;
        release(follower);
        return;
    }
    exchange->gone = left;
}

static void ask(struct follower *follower)
{
    struct store *store = runner_store(follower->followers->service->runner);
    follower->asking = true;
    follower->again = false;
    store_driver(store)->get(store, follower->id, follower->exchange->client.key, found, follower);
}

/* ── Waiting ─────────────────────────────────────────────────────────────────────────────────── */

static void end_wait(struct follower *follower)
{
    wait_until(follower, 0);
    if (!follower->asking && follower->exchange != NULL)
        ask(follower);
}

static void over(void *user)
{
    struct followers *followers = user;
    struct follower *follower;
    int64_t now_us = monotonic_us();
    while ((follower = heap_first(&followers->ends)) != NULL && follower->until_us <= now_us)
        end_wait(follower);
    set_timer(followers);
}

/* NULL: out of memory. */
static struct follower *make_follower(struct followers *followers, const char *id, int64_t until_us)
{
    struct follower *follower = calloc(1, sizeof(*follower));
    if (follower == NULL || heap_reserve(&followers->ends, followers->count + 1) < 0) {
        free(follower);
        return NULL;
    }
    follower->followers = followers;
    memcpy(follower->id, id, sizeof(follower->id));
    follower->job = until_us > 0 ? find_or_make(followers, id) : NULL;
    if (until_us > 0 && follower->job == NULL) {
        free(follower);
        return NULL;
    }
    if (follower->job != NULL)
        LIST_INSERT_HEAD(&follower->job->followers, follower, in_job);
    LIST_INSERT_HEAD(&followers->all, follower, next);
    followers->count++;
    wait_until(follower, followers->draining ? 0 : until_us);
    set_timer(followers);
    return follower;
}

static void follow(struct exchange *exchange, const char *id, int64_t until_us,
                   const struct stream_form *form)
{
    if (strlen(id) != STORE_ID_SIZE - 1) {
        job_not_found(exchange);
        return;
    }
    struct follower *follower = make_follower(exchange->service->followers, id, until_us);
    if (follower == NULL) {
        exchange_answer(exchange, 500, "application/json", NULL, 0);
        return;
    }
    follower->exchange = exchange;
    follower->form = form;
    exchange->state = follower;
    exchange->gone = left;
    ask(follower);
}

void follow_answer(struct exchange *exchange, const char *id, int64_t wait_ms)
{
    follow(exchange, id, wait_ms > 0 ? monotonic_us() + wait_ms * 1000 : 0, NULL);
}

void follow_events(struct exchange *exchange, const char *id, const struct stream_form *form)
{
    follow(exchange, id, INT64_MAX, form);
}

void followers_ended(void *user, const char *id)
{
    const struct followed *job = find(user, id);
    struct follower *follower, *next;
    for (follower = job != NULL ? LIST_FIRST(&job->followers) : NULL; follower != NULL;
         follower = next) {
        next = LIST_NEXT(follower, in_job);
        if (follower->exchange == NULL)
            continue;
        follower->again = true;
        if (!follower->asking)
            ask(follower);
    }
}

/* A follower that came while the job waited learns here that it runs. */
void followers_heard(void *user, const char *id, bool last)
{
    const struct followed *job = find(user, id);
    struct follower *follower, *next;
    for (follower = job != NULL ? LIST_FIRST(&job->followers) : NULL; follower != NULL;
         follower = next) {
        next = LIST_NEXT(follower, in_job);
        if (follower->begun && follower->exchange != NULL)
            send_output(follower, last);
    }
}

void followers_drain(struct followers *followers)
{
    struct follower *follower, *next;
    followers->draining = true;
    for (follower = LIST_FIRST(&followers->all); follower != NULL; follower = next) {
        next = LIST_NEXT(follower, next);
        if (follower->until_us > 0)
            end_wait(follower);
    }
}

struct followers *followers_open(struct service *service)
{
    struct followers *followers = calloc(1, sizeof(*followers));
    if (followers == NULL)
        return NULL;
    followers->service = service;
    LIST_INIT(&followers->all);
    followers->ends =
        (struct heap){.before = ends_earlier, .place_at = offsetof(struct follower, in_ends)};
    if (timer_open(&followers->timer, service->loop, over, followers) == 0)
        return followers;
    free(followers);
    return NULL;
}

void followers_close(struct followers *followers)
{
    if (followers == NULL)
        return;
    struct follower *follower;
    while ((follower = LIST_FIRST(&followers->all)) != NULL) {
        LIST_REMOVE(follower, next);
        free(follower);
    }
    tdestroy(followers->jobs, free);
    heap_free(&followers->ends);
    timer_close(&followers->timer, followers->service->loop);
    free(followers);
}
