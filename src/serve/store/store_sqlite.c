/* Stored jobs in a SQLite file: for the workers of one host, or of several programs on it. What
 * was accepted outlasts the death of any process; with synchronous=full, that of the host.
 *
 * A disk may stand still for seconds, and the loop must not: all calls are carried out by one
 * thread, in their order. It knows nothing of the sandbox, and takes no signals.
 *
 * There is no lease: each process holds a lock as long as it lives (sqlite_file.h), and the jobs of
 * a process whose lock is free are given to others at once. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>

#include "common/error.h"
#include "common/util.h"
#include "serve/store/drivers.h"
#include "serve/store/sqlite_jobs.h"

/* For how long a call waits for other processes' writes, and how often it tries meanwhile; how
 * often the thread looks after dead ones. */
enum { BUSY_MS = 3000, BUSY_TRY_MS = 5, TEND_MS = 1000, STACK_BYTES = 512 * 1024 };
/* Copies of requests and answers that wait for the thread: a disk that stands still must not fill
 * the memory. */
#define WAITING_BYTES_MAX ((size_t)256 * 1024 * 1024)

STAILQ_HEAD(calls, sqlite_call);

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

    struct sqlite_jobs jobs;  /* the thread's, once it runs */
    int64_t patient_until_us; /* the thread's, too: its call waits no longer for other processes */
    pthread_t thread;
    bool begun;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t given;
    struct calls todo, done;
    bool closing;
};

/* ── The thread ──────────────────────────────────────────────────────────────────────────────── */

/* NULL: the store is being closed, and nothing is left to do. */
static struct sqlite_call *next_call(struct store *store)
{
    pthread_mutex_lock(&store->lock);
    while (STAILQ_EMPTY(&store->todo) && !store->closing)
        pthread_cond_wait(&store->given, &store->lock);
    struct sqlite_call *call = STAILQ_FIRST(&store->todo);
    if (call != NULL)
        STAILQ_REMOVE_HEAD(&store->todo, next);
    pthread_mutex_unlock(&store->lock);
    return call;
}

static void hand_back(struct store *store, struct sqlite_call *call)
{
    const uint64_t one = 1;
    pthread_mutex_lock(&store->lock);
    STAILQ_INSERT_TAIL(&store->done, call, next);
    pthread_mutex_unlock(&store->lock);
    (void)!write(store->answers.fd, &one, sizeof(one));
}

/* A busy handler of SQLite. The time of a call begins when it was given, so that calls which come
 * while another program holds the file wait together, and not each for all before it. */
static int be_patient(void *user, int count)
{
    const struct store *store = user;
    (void)count;
    if (monotonic_us() >= store->patient_until_us)
        return 0;
    sqlite3_sleep(BUSY_TRY_MS);
    return 1;
}

static void *serve(void *user)
{
    struct store *store = user;
    struct sqlite_call *call;
    while ((call = next_call(store)) != NULL) {
        store->patient_until_us = call->given_us + BUSY_MS * INT64_C(1000);
        sqlite_jobs_call(&store->jobs, call);
        if (call->rings)
            (void)!pwrite(store->jobs.file.nodes, "!", 1, 0);
        hand_back(store, call);
    }
    return NULL;
}

/* ── Calls ───────────────────────────────────────────────────────────────────────────────────── */

static void give(struct store *store, struct sqlite_call *call)
{
    store->bytes += call->size;
    call->given_us = monotonic_us();
    pthread_mutex_lock(&store->lock);
    STAILQ_INSERT_TAIL(&store->todo, call, next);
    pthread_cond_signal(&store->given);
    pthread_mutex_unlock(&store->lock);
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

static void answers_come(void *user, uint32_t events)
{
    struct store *store = user;
    struct calls done = STAILQ_HEAD_INITIALIZER(done);
    struct sqlite_call *call;
    uint64_t number;
    (void)events;
    (void)!read(store->answers.fd, &number, sizeof(number));
    pthread_mutex_lock(&store->lock);
    STAILQ_CONCAT(&done, &store->done);
    pthread_mutex_unlock(&store->lock);
    while ((call = STAILQ_FIRST(&done)) != NULL) {
        STAILQ_REMOVE_HEAD(&done, next);
        store->bytes -= call->size;
        if (call->kind == CALL_LOOK)
            looked(store, call);
        else if (call->kind == CALL_TEND)
            store->tending = false;
        else
            tell(call);
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

static int start_thread(struct store *store)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    sigfillset(&all);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&store->thread, &attributes, serve, store);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    store->begun = error == 0;
    return error;
}

static int open_parts(struct store *store, struct sb_error *err)
{
    if (sqlite_jobs_begin(&store->jobs, err) < 0)
        return -1;
    sqlite3_busy_handler(store->jobs.file.db, be_patient, store);
    store->answers = (struct watch){eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), answers_come, store};
    if (store->answers.fd < 0 || loop_add(store->loop, &store->answers, EPOLLIN) < 0) {
        close_fd(&store->answers.fd);
        return sb_fail(err, "store", errno, "can't create a descriptor for --store");
    }
    if (timer_open(&store->tend, store->loop, tend_now, store) < 0)
        return sb_fail(err, "store", errno, "can't create a timer for --store");
    open_doorbell(store);
    int error = start_thread(store);
    if (error != 0)
        return sb_fail(err, "store", error, "can't start a thread for --store");
    tend_now(store);
    return 0;
}

/* What has been called is carried out before. */
static void close_sqlite(struct store *store)
{
    struct sqlite_call *call;
    if (store->begun) {
        pthread_mutex_lock(&store->lock);
        store->closing = true;
        pthread_cond_signal(&store->given);
        pthread_mutex_unlock(&store->lock);
        pthread_join(store->thread, NULL);
    }
    while ((call = STAILQ_FIRST(&store->done)) != NULL) {
        STAILQ_REMOVE_HEAD(&store->done, next);
        sqlite_call_free(call);
    }
    if (store->answers.fd >= 0)
        loop_remove(store->loop, &store->answers);
    if (store->doorbell.fd >= 0)
        loop_remove(store->loop, &store->doorbell);
    timer_close(&store->tend, store->loop);
    close_fd(&store->answers.fd);
    close_fd(&store->doorbell.fd);
    sqlite_jobs_end(&store->jobs);
    pthread_mutex_destroy(&store->lock);
    pthread_cond_destroy(&store->given);
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
    STAILQ_INIT(&store->todo);
    STAILQ_INIT(&store->done);
    pthread_mutex_init(&store->lock, NULL);
    pthread_cond_init(&store->given, NULL);
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
