/* See followers.h. A follower watches its job first and reads it then, so that it misses no end
 * that comes between the two. */
#include "serve/jobs/followers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/util.h"
#include "serve/jobs/job_exchange.h"
#include "serve/jobs/runner.h"
#include "serve/jobs/service_state.h"
#include "serve/jobs/stored_job.h"

struct follower {
    LIST_ENTRY(follower) next;
    struct followers *followers;
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
    bool waits;         /* its job is watched */
};

struct followers {
    struct service *service;
    struct timer timer;
    bool draining;
    LIST_HEAD(, follower) all;
};

void refuse_for_store(struct exchange *exchange, const char *message)
{
    exchange_refuse(exchange, NATIVE, REFUSED_INTERNAL, 503, NULL,
                    message != NULL ? message : "the store of jobs can't be reached");
}

static void release(struct follower *follower)
{
    struct followers *followers = follower->followers;
    struct store *store = runner_store(followers->service->runner);
    int64_t number;
    if (follower->exchange != NULL)
        follower->exchange->gone = NULL;
    follower->exchange = NULL;
    LIST_REMOVE(follower, next);
    if (follower->waits && !followers_watch(followers, follower->id) &&
        runner_job(followers->service->runner, follower->id, &number) == NULL)
        store_driver(store)->watch(store, follower->id, false);
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
    const struct follower *follower;
    int64_t next_us = INT64_MAX, now_us = monotonic_us();
    LIST_FOREACH(follower, &followers->all, next)
    {
        if (follower->until_us > 0 && !follower->asking)
            next_us = MIN(next_us, follower->until_us);
    }
    if (next_us != INT64_MAX) /* many that are over at about the same time share one look */
        timer_set(&followers->timer, next_us <= now_us ? 0 : (next_us - now_us) / 1000 + 20);
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
    int64_t number;
    const struct service_job *job =
        runner_job(follower->followers->service->runner, follower->id, &number);
    if (job == NULL || (follower->slow && !last))
        return;
    if (follower->try != 0 && follower->try != number)
        return; /* of an earlier try: see send_events */
    follower->try = number;
    follower->slow =
        !stream_replay(job, &follower->place, follower->form, follower->exchange, last);
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
    struct followers *followers = follower->followers;
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
    set_timer(followers);
}

static void ask(struct follower *follower)
{
    struct store *store = runner_store(follower->followers->service->runner);
    follower->asking = true;
    follower->again = false;
    store_driver(store)->get(store, follower->id, follower->exchange->client.key, found, follower);
}

/* ── Waiting ─────────────────────────────────────────────────────────────────────────────────── */

static void over(void *user)
{
    struct followers *followers = user;
    struct follower *follower, *next;
    int64_t now_us = monotonic_us();
    for (follower = LIST_FIRST(&followers->all); follower != NULL; follower = next) {
        next = LIST_NEXT(follower, next);
        if (follower->until_us == 0 || (follower->until_us > now_us && !followers->draining))
            continue;
        follower->until_us = 0;
        if (!follower->asking && follower->exchange != NULL)
            ask(follower);
    }
    set_timer(followers);
}

static void follow(struct exchange *exchange, const char *id, int64_t until_us,
                   const struct stream_form *form)
{
    struct followers *followers = exchange->service->followers;
    struct store *store = runner_store(exchange->service->runner);
    struct follower *follower = NULL;
    if (strlen(id) != STORE_ID_SIZE - 1) {
        job_not_found(exchange);
        return;
    }
    follower = calloc(1, sizeof(*follower));
    if (follower == NULL) {
        exchange_answer(exchange, 500, "application/json", NULL, 0);
        return;
    }
    *follower = (struct follower){.followers = followers,
                                  .exchange = exchange,
                                  .until_us = followers->draining ? 0 : until_us,
                                  .form = form,
                                  .waits = until_us > 0};
    memcpy(follower->id, id, sizeof(follower->id));
    LIST_INSERT_HEAD(&followers->all, follower, next);
    exchange->state = follower;
    exchange->gone = left;
    if (follower->waits)
        store_driver(store)->watch(store, id, true);
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
    struct followers *followers = user;
    struct follower *follower, *next;
    for (follower = LIST_FIRST(&followers->all); follower != NULL; follower = next) {
        next = LIST_NEXT(follower, next);
        if (!follower->waits || follower->exchange == NULL || strcmp(follower->id, id) != 0)
            continue;
        follower->again = true;
        if (!follower->asking)
            ask(follower);
    }
}

/* A follower that came while the job waited learns here that it runs. */
void followers_heard(void *user, const char *id, bool last)
{
    struct followers *followers = user;
    struct follower *follower;
    LIST_FOREACH(follower, &followers->all, next)
    {
        if (follower->begun && follower->exchange != NULL && strcmp(follower->id, id) == 0)
            send_output(follower, last);
    }
}

bool followers_watch(void *user, const char *id)
{
    const struct followers *followers = user;
    const struct follower *follower;
    LIST_FOREACH(follower, &followers->all, next)
    {
        if (follower->waits && strcmp(follower->id, id) == 0)
            return true;
    }
    return false;
}

void followers_drain(struct followers *followers)
{
    followers->draining = true;
    over(followers);
}

struct followers *followers_open(struct service *service)
{
    struct followers *followers = calloc(1, sizeof(*followers));
    if (followers == NULL)
        return NULL;
    followers->service = service;
    LIST_INIT(&followers->all);
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
    timer_close(&followers->timer, followers->service->loop);
    free(followers);
}
