/* Stored jobs in a SQLite file: for the workers of one host, or of several programs on it. What
 * was accepted outlasts the death of any process; with synchronous=full, that of the host.
 *
 * A disk may stand still for seconds, and the loop must not: a thread carries out calls
 * (sqlite_thread.h). But most calls write a few pages to the journal, in the page cache, and take
 * some 50 us, less than handing them over and back on a host that is busy. So the loop carries out
 * a small call itself, unless the thread has one, another process holds the file, the disk is to
 * be waited for (synchronous=full), or such a call took long of late.
 *
 * There is no lease: each process holds a lock as long as it lives (sqlite_file.h), and the jobs of
 * a process whose lock is free are given to others at once. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>

#include "common/error.h"
#include "common/util.h"
#include "serve/store/drivers.h"
#include "serve/store/sqlite_thread.h"

/* How often dead processes are looked after; what a call of the loop may take, or else the thread
 * has them all for a while. */
enum { TEND_MS = 1000, LONG_US = 10000, LONG_AGO_US = 10000000 };
/* What a call of the loop may carry. */
#define SMALL_BYTES ((size_t)64 * 1024)
/* Copies of requests and answers that wait for the thread: a disk that stands still must not fill
 * the memory. */
#define WAITING_BYTES_MAX ((size_t)256 * 1024 * 1024)

struct store {
    const struct store_driver *driver;
    void (*changed)(void *user);
    void (*ended)(void *user, const char *id);
    void *user;
    struct loop *loop;
    struct watch answers;  /* an eventfd: calls have been carried out */
    struct watch doorbell; /* an inotify descriptor: another process, or we, have written */
    struct timer tend;
    struct store_counts counts;
    size_t bytes; /* of calls that the thread has */
    bool looking, look_again, tending;

    struct sqlite_jobs jobs;
    struct sqlite_thread thread;
    bool begun;
    size_t given;            /* calls that the thread has */
    int64_t thread_until_us; /* it has all of them until then */
};

/* ── Calls ───────────────────────────────────────────────────────────────────────────────────── */

/* Takes note of the outcome of a call, and tells its caller. */
static void answered(struct store *store, const struct sqlite_call *call);

/* True: it is carried out. */
static bool try_here(struct store *store, struct sqlite_call *call)
{
    int64_t began_us = monotonic_us();
    if (store->given > 0 || store->jobs.file.full || call->size > SMALL_BYTES ||
        call->kind == CALL_TEND || began_us < store->thread_until_us)
        return false;
    bool done = sqlite_thread_try_here(&store->thread, call);
    int64_t ended_us = monotonic_us();
    if (ended_us - began_us > LONG_US)
        store->thread_until_us = ended_us + LONG_AGO_US;
    return done;
}

static struct sqlite_call *make(enum sqlite_kind kind, const char *id, void *user);

static void give_thread(struct store *store, struct sqlite_call *call)
{
    store->given++;
    sqlite_thread_give(&store->thread, call);
}

/* After a call of the loop: the thread checkpoints where that is due, as it does after each of its
 * own. Without memory for it, the next call makes up for it. */
static void tidy(struct store *store)
{
    bool due = store->given == 0 && store->jobs.journal_pages >= JOURNAL_PAGES;
    struct sqlite_call *call = due ? make(CALL_CHECKPOINT, NULL, NULL) : NULL;
    if (call != NULL)
        give_thread(store, call);
}

static void give(struct store *store, struct sqlite_call *call)
{
    store->bytes += call->size;
    call->here = try_here(store, call);
    if (!call->here) {
        give_thread(store, call);
        return;
    }
    if (call->kind == CALL_LOOK) { /* another may follow, from its outcome */
        sqlite_thread_hand_back(&store->thread, call);
    } else {
        answered(store, call);
        sqlite_call_free(call);
    }
    tidy(store);
}

static void *copy_of(const void *data, size_t size, bool *failed)
{
    char *copy = data != NULL ? malloc(size + 1) : NULL;
    *failed |= data != NULL && copy == NULL;
    if (copy == NULL)
        return NULL;
    memcpy(copy, data, size);
    copy[size] = '\0';
    return copy;
}

static char *text_of(const char *text, bool *failed)
{
    return copy_of(text, text != NULL ? strlen(text) : 0, failed);
}

/* What its caller is told, by its kind. */
static void tell(const struct sqlite_call *call)
{
    const char *message = call->message[0] != '\0' ? call->message : NULL;
    bool good = call->result == STORE_OK || call->result == STORE_EXISTS;
    switch (call->kind) {
    case CALL_SUBMIT:
    case CALL_GET:
        call->tell.found(call->user, call->result, message,
                         good && call->jobs_count > 0 ? call->jobs : NULL);
        break;
    case CALL_CLAIM:
    case CALL_LIST:
        call->tell.list(call->user, call->result, message, call->jobs, good ? call->jobs_count : 0);
        break;
    case CALL_FINISH:
    case CALL_FAIL:
    case CALL_CANCEL:
        call->tell.done(call->user, call->result, message);
        break;
    default:
        break;
    }
}

static struct sqlite_call *make(enum sqlite_kind kind, const char *id, void *user)
{
    struct sqlite_call *call = calloc(1, sizeof(*call));
    if (call == NULL)
        return NULL;
    call->kind = kind;
    call->user = user;
    if (id != NULL)
        snprintf(call->id, sizeof(call->id), "%s", id);
    return call;
}

/* Gives it to the thread, or says why not. */
static void give_or_fail(struct store *store, struct sqlite_call *call, bool failed)
{
    bool slow = store->bytes + call->size > WAITING_BYTES_MAX;
    if (!failed && !slow) {
        give(store, call);
        return;
    }
    call->result = STORE_FAILED;
    snprintf(call->message, sizeof(call->message), "%s",
             failed ? "out of memory (the store of jobs)"
                    : "the store of jobs is slow: its disk does not take what has come before");
    tell(call);
    sqlite_call_free(call);
}

static const char no_memory[] = "out of memory (the store of jobs)";

static void submit(struct store *store, const struct store_submission *given, store_found *found,
                   void *user)
{
    bool failed = false;
    struct sqlite_call *call = make(CALL_SUBMIT, given->id, user);
    if (call == NULL) {
        found(user, STORE_FAILED, no_memory, NULL);
        return;
    }
    call->tell.found = found;
    snprintf(call->digest, sizeof(call->digest), "%s", given->digest);
    call->owner = text_of(given->owner, &failed);
    call->policy = text_of(given->policy, &failed);
    call->key = text_of(given->key, &failed);
    call->data = copy_of(given->request, given->size, &failed);
    call->size = given->size;
    give_or_fail(store, call, failed);
}

static void claim(struct store *store, size_t most, store_list *claimed, void *user)
{
    struct sqlite_call *call = make(CALL_CLAIM, NULL, user);
    if (call == NULL) {
        claimed(user, STORE_FAILED, no_memory, NULL, 0);
        return;
    }
    call->tell.list = claimed;
    call->most = most;
    give_or_fail(store, call, false);
}

static void finish(struct store *store, const char *id, int64_t try, const char *answer,
                   size_t size, int status, store_done *done, void *user)
{
    bool failed = false;
    struct sqlite_call *call = make(CALL_FINISH, id, user);
    if (call == NULL) {
        done(user, STORE_FAILED, no_memory);
        return;
    }
    call->tell.done = done;
    call->try = try;
    call->data = copy_of(answer, size, &failed);
    call->size = size;
    call->status = status;
    give_or_fail(store, call, failed);
}

static void fail(struct store *store, const char *id, int64_t try, bool counts, const char *reason,
                 store_done *done, void *user)
{
    bool failed = false;
    struct sqlite_call *call = make(CALL_FAIL, id, user);
    if (call == NULL) {
        done(user, STORE_FAILED, no_memory);
        return;
    }
    call->tell.done = done;
    call->try = try;
    call->counts = counts;
    call->reason = text_of(reason, &failed);
    give_or_fail(store, call, failed);
}

static void get(struct store *store, const char *id, const char *owner, store_found *found,
                void *user)
{
    bool failed = false;
    struct sqlite_call *call = make(CALL_GET, id, user);
    if (call == NULL) {
        found(user, STORE_FAILED, no_memory, NULL);
        return;
    }
    call->tell.found = found;
    call->owner = text_of(owner, &failed);
    give_or_fail(store, call, failed);
}

static void list(struct store *store, const char *owner, size_t most, store_list *listed,
                 void *user)
{
    bool failed = false;
    struct sqlite_call *call = make(CALL_LIST, NULL, user);
    if (call == NULL) {
        listed(user, STORE_FAILED, no_memory, NULL, 0);
        return;
    }
    call->tell.list = listed;
    call->most = most;
    call->owner = text_of(owner, &failed);
    give_or_fail(store, call, failed);
}

static void cancel(struct store *store, const char *id, const char *owner, store_done *done,
                   void *user)
{
    bool failed = false;
    struct sqlite_call *call = make(CALL_CANCEL, id, user);
    if (call == NULL) {
        done(user, STORE_FAILED, no_memory);
        return;
    }
    call->tell.done = done;
    call->owner = text_of(owner, &failed);
    give_or_fail(store, call, failed);
}

static struct store_counts counts(const struct store *store)
{
    return store->counts;
}

/* ── What others change ──────────────────────────────────────────────────────────────────────── */

/* Without memory for it, the next doorbell or tend_now makes up for it. */
static void look(struct store *store)
{
    store->look_again = store->looking;
    struct sqlite_call *call = store->looking ? NULL : make(CALL_LOOK, NULL, NULL);
    if (call == NULL)
        return;
    store->looking = true;
    give(store, call);
}

static void looked(struct store *store, const struct sqlite_call *call)
{
    store->looking = false;
    if (call->result == STORE_OK)
        store->counts = call->numbers;
    for (size_t i = 0; i < call->jobs_count; i++)
        if (call->jobs[i].id != NULL)
            store->ended(store->user, call->jobs[i].id);
    if (store->look_again || call->jobs_count > 0)
        look(store);
    if (store->counts.queued > 0)
        store->changed(store->user);
}

static void tend_now(void *user)
{
    struct store *store = user;
    struct sqlite_call *call = store->tending ? NULL : make(CALL_TEND, NULL, NULL);
    timer_set(&store->tend, TEND_MS);
    if (call == NULL)
        return;
    store->tending = true;
    give(store, call);
    look(store); /* numbers, and whatever a doorbell has missed */
}

static void doorbell_rings(void *user, uint32_t events)
{
    struct store *store = user;
    char buffer[4096] __attribute__((aligned(8)));
    (void)events;
    while (read(store->doorbell.fd, buffer, sizeof(buffer)) > 0)
        ;
    look(store);
}

/* What a call of ours has changed need not wait for the doorbell. */
static void tell_change(struct store *store, const struct sqlite_call *call)
{
    if (call->result != STORE_OK)
        return;
    if (call->kind == CALL_SUBMIT || call->kind == CALL_FAIL)
        store->changed(store->user);
    if (call->kind == CALL_FINISH || call->kind == CALL_FAIL || call->kind == CALL_CANCEL)
        store->ended(store->user, call->id);
}

static void answered(struct store *store, const struct sqlite_call *call)
{
    store->bytes -= call->size;
    store->given -= call->here ? 0 : 1;
    if (call->kind == CALL_LOOK) {
        looked(store, call);
    } else if (call->kind == CALL_TEND) {
        store->tending = false;
    } else {
        tell(call);
        tell_change(store, call);
    }
}

static void answers_come(void *user, uint32_t events)
{
    struct store *store = user;
    struct sqlite_calls done = sqlite_thread_take(&store->thread);
    struct sqlite_call *call;
    (void)events;
    while ((call = STAILQ_FIRST(&done)) != NULL) {
        STAILQ_REMOVE_HEAD(&done, next);
        answered(store, call);
        sqlite_call_free(call);
    }
}

/* ── Opening, closing ────────────────────────────────────────────────────────────────────────── */

/* Without inotify, what others change is seen by tend_now, a second later. */
static void open_doorbell(struct store *store)
{
    char path[PATH_MAX + 8];
    snprintf(path, sizeof(path), "%s-nodes", store->jobs.file.path);
    store->doorbell =
        (struct watch){inotify_init1(IN_CLOEXEC | IN_NONBLOCK), doorbell_rings, store};
    if (store->doorbell.fd >= 0 && (inotify_add_watch(store->doorbell.fd, path, IN_MODIFY) < 0 ||
                                    loop_add(store->loop, &store->doorbell, EPOLLIN) < 0))
        close_fd(&store->doorbell.fd);
}

static int open_parts(struct store *store, struct sb_error *err)
{
    if (sqlite_jobs_begin(&store->jobs, err) < 0)
        return -1;
    int error = sqlite_thread_start(&store->thread, &store->jobs);
    if (error != 0)
        return sb_fail(err, "store", error, "can't start a thread for --store");
    store->begun = true;
    store->answers = (struct watch){store->thread.answers, answers_come, store};
    if (loop_add(store->loop, &store->answers, EPOLLIN) < 0) {
        store->answers.fd = -1;
        return sb_fail(err, "store", errno, "can't wait for --store");
    }
    if (timer_open(&store->tend, store->loop, tend_now, store) < 0)
        return sb_fail(err, "store", errno, "can't create a timer for --store");
    open_doorbell(store);
    tend_now(store);
    return 0;
}

static void close_sqlite(struct store *store)
{
    if (store->answers.fd >= 0)
        loop_remove(store->loop, &store->answers);
    if (store->begun)
        sqlite_thread_stop(&store->thread);
    if (store->doorbell.fd >= 0)
        loop_remove(store->loop, &store->doorbell);
    timer_close(&store->tend, store->loop);
    close_fd(&store->doorbell.fd);
    sqlite_jobs_end(&store->jobs);
    free(store);
}

static int open_sqlite(struct store **out, const struct store_setup *setup, struct sb_error *err)
{
    struct store *store = calloc(1, sizeof(*store));
    if (store == NULL)
        return sb_fail(err, "store", ENOMEM, "%s", no_memory);
    *store = (struct store){.driver = &store_sqlite,
                            .changed = setup->changed,
                            .ended = setup->ended,
                            .user = setup->user,
                            .loop = setup->loop,
                            .answers.fd = -1,
                            .doorbell.fd = -1,
                            .jobs = {.bounds = setup->bounds, .node = strdup(setup->node)}};
    if (store->jobs.node == NULL) {
        free(store);
        return sb_fail(err, "store", ENOMEM, "%s", no_memory);
    }
    if (sqlite_file_open(&store->jobs.file, setup->address, setup->log, err) < 0 ||
        open_parts(store, err) < 0) {
        close_sqlite(store);
        return -1;
    }
    *out = store;
    return 0;
}

const struct store_driver store_sqlite = {
    .scheme = "sqlite:",
    .open = open_sqlite,
    .close = close_sqlite,
    .submit = submit,
    .claim = claim,
    .finish = finish,
    .fail = fail,
    .get = get,
    .list = list,
    .cancel = cancel,
    .counts = counts,
};
