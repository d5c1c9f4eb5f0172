/* The driver for Redis 7 and Valkey: many nodes share one store. Each step is one script
 * (redis_scripts.h), which Redis runs as a whole or not at all. Scripts are sent each time: they
 * are short, and so a server that has forgotten them is no case of its own.
 *
 * A node renews the leases of its jobs every quarter of a lease. One that could not for three
 * quarters ends its jobs itself, before another may claim them. */
#include "serve/store/drivers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/util.h"
#include "serve/store/redis_state.h"

/* ── Submit, claim ───────────────────────────────────────────────────────────────────────────── */

static void submitted(void *user, const redisReply *reply, const char *lost)
{
    struct call *call = user;
    char text[FAILURE_SIZE];
    const char *message = redis_failure(call->store, reply, lost, text);
    const char *word = message == NULL ? redis_text(reply, 0) : "";
    struct store_job job = {.id = call->id, .owner = call->owner, .state = STORE_QUEUED};
    if (strcmp(word, "ok") == 0) {
        call->found(call->user, STORE_OK, NULL, &job);
    } else if (strcmp(word, "exists") == 0) {
        job.id = redis_text(reply, 1);
        job.state = redis_state(redis_text(reply, 2));
        call->found(call->user, STORE_EXISTS, NULL, &job);
    } else if (strcmp(word, "conflict") == 0) {
        call->found(call->user, STORE_CONFLICT, NULL, NULL);
    } else if (strcmp(word, "full") == 0) {
        bool queue = strcmp(redis_text(reply, 1), "queue") == 0;
        call->found(call->user, STORE_FULL,
                    queue ? "the queue is full" : "too many of your jobs wait or run", NULL);
    } else {
        call->found(call->user, STORE_FAILED, message != NULL ? message : "the job store lies",
                    NULL);
    }
    redis_call_free(call);
}

static void submit(struct store *store, const struct store_submission *submission,
                   store_found *found, void *user)
{
    const struct store_bounds *bounds = &store->setup.bounds;
    struct call *call = redis_call_make(store, submission->id, submission->owner, user);
    if (call == NULL) {
        found(user, STORE_FAILED, redis_no_memory, NULL);
        return;
    }
    call->found = found;
    struct words words = redis_script(store, SCRIPT_SUBMIT);
    add(&words, submission->id);
    add(&words, submission->owner);
    add(&words, submission->policy);
    add(&words, submission->key != NULL ? submission->key : "");
    add(&words, submission->digest);
    add_bytes(&words, submission->request, submission->size);
    add_number(&words, bounds->queue);
    add_number(&words, bounds->per_owner);
    add_number(&words, bounds->job_ttl_ms);
    add_number(&words, bounds->job_ttl_ms + bounds->result_ttl_ms);
    redis_run(store, &words, submitted, call);
}

/* {id, owner, policy, created, try, request} */
static struct store_job claimed_job(const redisReply *reply)
{
    const redisReply *request = reply->elements == 6 ? reply->element[5] : NULL;
    bool whole = request != NULL && request->str != NULL;
    return (struct store_job){.id = redis_text(reply, 0),
                              .owner = redis_text(reply, 1),
                              .policy = redis_text(reply, 2),
                              .state = STORE_RUNNING,
                              .created_ms = redis_number(reply, 3),
                              .tries = redis_number(reply, 4),
                              .request = whole ? request->str : "",
                              .request_size = whole ? request->len : 0};
}

static void claimed(void *user, const redisReply *reply, const char *lost)
{
    struct call *call = user;
    struct store *store = call->store;
    char text[FAILURE_SIZE];
    const char *message = redis_failure(store, reply, lost, text);
    store->heard = call->try;
    if (message == NULL && reply->elements != 4)
        message = "the job store lies";
    size_t count = message == NULL ? reply->element[2]->elements : 0;
    struct store_job *jobs = count > 0 ? calloc(count, sizeof(*jobs)) : NULL;
    if (count > 0 && jobs == NULL) /* they are given back later */
        message = redis_no_memory;
    size_t good = 0;
    for (size_t i = 0; message == NULL && i < count; i++) {
        jobs[good] = claimed_job(reply->element[2]->element[i]);
        if (lease_begin(store, jobs[good].id, jobs[good].tries, call->sent_us) == 0)
            good++;
    }
    store->unheard = store->unheard || reply == NULL || good < count;
    if (message == NULL) {
        redis_note_counts(store, reply);
        store->counts.lost += redis_number(reply, 3);
    }
    call->list(call->user, message == NULL ? STORE_OK : STORE_FAILED, message, jobs, good);
    free(jobs);
    redis_call_free(call);
}

static void claim(struct store *store, size_t most, store_list *list, void *user)
{
    const struct store_bounds *bounds = &store->setup.bounds;
    if (redis_link_is_coming(store->commands)) { /* `changed` is called when it is there */
        list(user, STORE_OK, NULL, NULL, 0);
        return;
    }
    struct call *call = redis_call_make(store, NULL, NULL, user);
    if (call == NULL) {
        list(user, STORE_FAILED, redis_no_memory, NULL, 0);
        return;
    }
    call->list = list;
    struct words words = redis_script(store, SCRIPT_CLAIM);
    add(&words, store->name);
    add_number(&words, (int64_t)most);
    add_number(&words, bounds->lease_ms);
    add_number(&words, bounds->tries);
    add_number(&words, bounds->result_ttl_ms);
    add_number(&words, bounds->job_ttl_ms);
    call->try = ++store->claims;
    add_number(&words, call->try);
    redis_run(store, &words, claimed, call);
}

/* ── Finish, fail ────────────────────────────────────────────────────────────────────────────── */

/* While Redis has not confirmed it, the job stays ours, and the caller tries again. */
static void given_back(void *user, const redisReply *reply, const char *lost)
{
    struct call *call = user;
    char text[FAILURE_SIZE];
    const char *message = redis_failure(call->store, reply, lost, text);
    if (message == NULL && lease_holds(call->store, call->id, call->try))
        lease_end(call->store, call->id);
    if (message == NULL && reply->integer == 2)
        call->store->counts.lost++;
    if (call->done != NULL)
        call->done(call->user,
                   message != NULL       ? STORE_FAILED
                   : reply->integer >= 1 ? STORE_OK
                                         : STORE_NONE,
                   message);
    redis_call_free(call);
}

/* NULL: *done has been called. */
static struct call *call_for_held(struct store *store, const char *id, int64_t try,
                                  store_done *done, void *user)
{
    bool held = lease_holds(store, id, try);
    struct call *call = held ? redis_call_make(store, id, NULL, user) : NULL;
    if (call == NULL && done != NULL)
        done(user, held ? STORE_FAILED : STORE_NONE,
             held ? redis_no_memory : "the job is no longer this node's");
    if (call == NULL)
        return NULL;
    call->done = done;
    call->try = try;
    return call;
}

static void finish(struct store *store, const char *id, int64_t try, const char *answer,
                   size_t size, int status, store_done *done, void *user)
{
    struct call *call = call_for_held(store, id, try, done, user);
    if (call == NULL)
        return;
    struct words words = redis_script(store, SCRIPT_FINISH);
    add(&words, id);
    add_number(&words, try);
    add_number(&words, status);
    add_bytes(&words, answer, size);
    add_number(&words, store->setup.bounds.result_ttl_ms);
    redis_run(store, &words, given_back, call);
}

static void fail(struct store *store, const char *id, int64_t try, bool count, const char *reason,
                 store_done *done, void *user)
{
    struct call *call = call_for_held(store, id, try, done, user);
    if (call == NULL)
        return;
    struct words words = redis_script(store, SCRIPT_FAIL);
    add(&words, id);
    add_number(&words, try);
    add_number(&words, count);
    add_number(&words, store->setup.bounds.tries);
    add_number(&words, store->setup.bounds.result_ttl_ms);
    add(&words, reason != NULL ? reason : "the sandbox failed");
    redis_run(store, &words, given_back, call);
}

/* ── Get, list, cancel ───────────────────────────────────────────────────────────────────────── */

static void got(void *user, const redisReply *reply, const char *lost)
{
    struct call *call = user;
    char text[FAILURE_SIZE];
    const char *message = redis_failure(call->store, reply, lost, text);
    if (message != NULL || reply->elements != 10) {
        call->found(call->user, message != NULL ? STORE_FAILED : STORE_NONE, message, NULL);
        redis_call_free(call);
        return;
    }
    struct store_job job = redis_job(reply, 0, call->id, call->owner);
    const redisReply *answer = reply->element[9];
    if (job.state == STORE_DONE) {
        job.answer = answer->str;
        job.answer_size = answer->len;
    }
    call->found(call->user, STORE_OK, NULL, &job);
    redis_call_free(call);
}

static void get(struct store *store, const char *id, const char *owner, store_found *found,
                void *user)
{
    struct call *call = redis_call_make(store, id, owner, user);
    if (call == NULL) {
        found(user, STORE_FAILED, redis_no_memory, NULL);
        return;
    }
    call->found = found;
    struct words words = redis_script(store, SCRIPT_GET);
    add(&words, id);
    add(&words, owner);
    redis_run(store, &words, got, call);
}

static void listed(void *user, const redisReply *reply, const char *lost)
{
    struct call *call = user;
    char text[FAILURE_SIZE];
    const char *message = redis_failure(call->store, reply, lost, text);
    size_t count = message == NULL ? reply->elements : 0;
    struct store_job *jobs = calloc(count + 1, sizeof(*jobs));
    if (jobs == NULL)
        message = redis_no_memory;
    for (size_t i = 0; message == NULL && i < count; i++)
        jobs[i] = redis_job(reply->element[i], 1, redis_text(reply->element[i], 0), call->owner);
    call->list(call->user, message == NULL ? STORE_OK : STORE_FAILED, message, jobs,
               message == NULL ? count : 0);
    free(jobs);
    redis_call_free(call);
}

static void list(struct store *store, const char *owner, size_t most, store_list *callback,
                 void *user)
{
    struct call *call = redis_call_make(store, NULL, owner, user);
    if (call == NULL) {
        callback(user, STORE_FAILED, redis_no_memory, NULL, 0);
        return;
    }
    call->list = callback;
    struct words words = redis_script(store, SCRIPT_LIST);
    add(&words, owner);
    add_number(&words, (int64_t)most);
    redis_run(store, &words, listed, call);
}

/* 1: done; 0: there is none. */
static void done_or_none(void *user, const redisReply *reply, const char *lost)
{
    struct call *call = user;
    char text[FAILURE_SIZE];
    const char *message = redis_failure(call->store, reply, lost, text);
    call->done(call->user,
               message != NULL       ? STORE_FAILED
               : reply->integer == 1 ? STORE_OK
                                     : STORE_NONE,
               message);
    redis_call_free(call);
}

static void cancel(struct store *store, const char *id, const char *owner, store_done *done,
                   void *user)
{
    struct call *call = redis_call_make(store, id, owner, user);
    if (call == NULL) {
        done(user, STORE_FAILED, redis_no_memory);
        return;
    }
    call->done = done;
    struct words words = redis_script(store, SCRIPT_CANCEL);
    add(&words, id);
    add(&words, owner);
    add_number(&words, store->setup.bounds.result_ttl_ms);
    redis_run(store, &words, done_or_none, call);
}

/* ── Open, close ─────────────────────────────────────────────────────────────────────────────── */

static void close_store(struct store *store)
{
    if (store == NULL)
        return;
    redis_link_close(store->commands);
    redis_link_close(store->events);
    lease_end_all(store);
    while (!LIST_EMPTY(&store->calls))
        redis_call_free(LIST_FIRST(&store->calls));
    events_end(store);
    if (store->renewal.watch.fd >= 0)
        timer_close(&store->renewal, store->setup.loop);
    if (store->fence.watch.fd >= 0)
        timer_close(&store->fence, store->setup.loop);
    redis_address_free(&store->address);
    free(store->key);
    free(store->prefix);
    free(store->name);
    free(store);
}

static int open_links(struct store *store, struct loop *loop, struct sb_error *err)
{
    struct redis_link_setup setup = {.address = &store->address,
                                     .name = store->name,
                                     .loop = loop,
                                     .log = store->setup.log,
                                     .up = fit_ask,
                                     .user = store};
    store->commands = redis_link_open(&setup);
    setup.up = events_up;
    setup.message = events_message;
    store->events = store->commands != NULL ? redis_link_open(&setup) : NULL;
    if (store->events == NULL)
        return sb_fail_field(err, "store", "store",
                             "--store: %s can't be set up; does its ca name a PEM file with "
                             "certificates?",
                             store->address.shown);
    return 0;
}

static int move_links(struct store *store, struct sb_error *err)
{
    if (redis_link_move(store->commands, store->setup.loop) < 0 ||
        redis_link_move(store->events, store->setup.loop) < 0)
        return sb_fail(err, "store", errno, "can't wait for %s", store->address.shown);
    return 0;
}

/* Whoever is told that the service is there shall find its store: the links begin in a loop of
 * their own, in which nothing else can happen meanwhile. */
static int connect_both(struct store *store, struct sb_error *err)
{
    struct loop *first;
    if (loop_open(&first, err) < 0)
        return -1;
    bool good = open_links(store, first, err) == 0 && fit_await(store, first, err) == 0 &&
                move_links(store, err) == 0;
    if (!good) {
        redis_link_close(store->commands);
        redis_link_close(store->events);
        store->commands = store->events = NULL;
    }
    loop_close(first);
    return good ? 0 : -1;
}

static int open_parts(struct store *store, struct sb_error *err)
{
    const struct store_setup *setup = &store->setup;
    if (redis_address_read(&store->address, setup->address, err) < 0)
        return -1;
    store->name = strdup(setup->node);
    if (store->name == NULL || asprintf(&store->prefix, "{%s}:", store->address.prefix) < 0 ||
        asprintf(&store->key, "%sq", store->prefix) < 0)
        return sb_fail(err, "store", ENOMEM, "out of memory (--store)");
    if (timer_open(&store->renewal, setup->loop, lease_due, store) < 0 ||
        timer_open(&store->fence, setup->loop, lease_fence, store) < 0)
        return sb_fail(err, "store", errno, "can't create timers");
    lease_plan(store);
    return connect_both(store, err);
}

static int open_store(struct store **made, const struct store_setup *setup, struct sb_error *err)
{
    struct store *store = calloc(1, sizeof(*store));
    *made = NULL;
    if (store == NULL)
        return sb_fail(err, "store", ENOMEM, "out of memory (--store)");
    store->driver = &store_redis;
    store->setup = *setup;
    store->renewal.watch.fd = store->fence.watch.fd = -1;
    if (open_parts(store, err) < 0) {
        close_store(store);
        return -1;
    }
    *made = store;
    return 0;
}

static struct store_counts counts(const struct store *store)
{
    return store->counts;
}

const struct store_driver store_redis = {
    .scheme = "redis",
    .open = open_store,
    .close = close_store,
    .submit = submit,
    .claim = claim,
    .finish = finish,
    .fail = fail,
    .get = get,
    .list = list,
    .cancel = cancel,
    .watch = events_watch,
    .counts = counts,
};
