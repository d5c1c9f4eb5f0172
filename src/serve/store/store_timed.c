/* See store_timed.h. A call for which there is no memory to measure it is made all the same. */
#include "serve/store/store_timed.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "common/util.h"

union callback {
    store_done *done;
    store_found *found;
    store_list *list;
};

/* A call that waits for its callback. */
struct timed {
    LIST_ENTRY(timed) next;
    struct store *store;
    enum store_call call;
    int64_t since_us;
    union callback callback;
    void *user;
};

struct store {
    const struct store_driver *driver;
    struct store *inner;
    struct metrics *metrics;
    LIST_HEAD(timed_calls, timed) calls;
};

/* Whether it is measured: then *user is what our own callback is to be given. */
static bool begin(struct store *store, enum store_call call, union callback callback, void **user)
{
    struct timed *timed = malloc(sizeof(*timed));
    if (timed == NULL)
        return false;
    *timed = (struct timed){.store = store,
                            .call = call,
                            .since_us = monotonic_us(),
                            .callback = callback,
                            .user = *user};
    LIST_INSERT_HEAD(&store->calls, timed, next);
    *user = timed;
    return true;
}

/* What the callback needs; the callback itself is not part of the time. */
static struct timed end(struct timed *timed, enum store_result result)
{
    struct timed ended = *timed;
    metrics_store_call(timed->store->metrics, timed->call, monotonic_us() - timed->since_us,
                       result == STORE_FAILED);
    LIST_REMOVE(timed, next);
    free(timed);
    return ended;
}

static void done(void *user, enum store_result result, const char *message)
{
    struct timed timed = end(user, result);
    if (timed.callback.done != NULL)
        timed.callback.done(timed.user, result, message);
}

static void found(void *user, enum store_result result, const char *message,
                  const struct store_job *job)
{
    struct timed timed = end(user, result);
    timed.callback.found(timed.user, result, message, job);
}

static void listed(void *user, enum store_result result, const char *message,
                   const struct store_job *jobs, size_t count)
{
    struct timed timed = end(user, result);
    timed.callback.list(timed.user, result, message, jobs, count);
}

/* ── Calls ───────────────────────────────────────────────────────────────────────────────────── */

static void submit(struct store *store, const struct store_submission *submission,
                   store_found *callback, void *user)
{
    bool timed = begin(store, STORE_CALL_SUBMIT, (union callback){.found = callback}, &user);
    store_driver(store->inner)->submit(store->inner, submission, timed ? found : callback, user);
}

static void claim(struct store *store, size_t most, store_list *callback, void *user)
{
    bool timed = begin(store, STORE_CALL_CLAIM, (union callback){.list = callback}, &user);
    store_driver(store->inner)->claim(store->inner, most, timed ? listed : callback, user);
}

static void finish(struct store *store, const char *id, int64_t try, const char *answer,
                   size_t size, int status, store_done *callback, void *user)
{
    bool timed = begin(store, STORE_CALL_FINISH, (union callback){.done = callback}, &user);
    store_driver(store->inner)
        ->finish(store->inner, id, try, answer, size, status, timed ? done : callback, user);
}

static void fail(struct store *store, const char *id, int64_t try, bool count, const char *reason,
                 store_done *callback, void *user)
{
    bool timed = begin(store, STORE_CALL_FAIL, (union callback){.done = callback}, &user);
    (store_driver(store->inner)->fail)(store->inner, id, try, count, reason,
                                       timed ? done : callback, user);
}

static void get(struct store *store, const char *id, const char *owner, store_found *callback,
                void *user)
{
    bool timed = begin(store, STORE_CALL_GET, (union callback){.found = callback}, &user);
    store_driver(store->inner)->get(store->inner, id, owner, timed ? found : callback, user);
}

static void list(struct store *store, const char *owner, size_t most, store_list *callback,
                 void *user)
{
    bool timed = begin(store, STORE_CALL_LIST, (union callback){.list = callback}, &user);
    store_driver(store->inner)->list(store->inner, owner, most, timed ? listed : callback, user);
}

static void cancel(struct store *store, const char *id, const char *owner, store_done *callback,
                   void *user)
{
    bool timed = begin(store, STORE_CALL_CANCEL, (union callback){.done = callback}, &user);
    store_driver(store->inner)->cancel(store->inner, id, owner, timed ? done : callback, user);
}

static void watch(struct store *store, const char *id, bool on)
{
    store_watch(store->inner, id, on);
}

static struct store_counts counts(const struct store *store)
{
    return store_driver(store->inner)->counts(store->inner);
}

/* ── Open, close ─────────────────────────────────────────────────────────────────────────────── */

static void close_store(struct store *store)
{
    struct timed *timed;
    store_driver(store->inner)->close(store->inner);
    while ((timed = LIST_FIRST(&store->calls)) != NULL) {
        LIST_REMOVE(timed, next);
        free(timed);
    }
    free(store);
}

static const struct store_driver driver = {
    .close = close_store,
    .submit = submit,
    .claim = claim,
    .finish = finish,
    .fail = fail,
    .get = get,
    .list = list,
    .cancel = cancel,
    .watch = watch,
    .counts = counts,
};

struct store *store_timed(struct store *inner, struct metrics *metrics)
{
    struct store *store = calloc(1, sizeof(*store));
    if (store != NULL)
        *store = (struct store){.driver = &driver, .inner = inner, .metrics = metrics};
    return store;
}
