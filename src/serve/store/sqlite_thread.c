/* See sqlite_thread.h. */
#include "serve/store/sqlite_thread.h"

#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/util.h"

/* For how long a call waits for other processes' writes, and how often it tries meanwhile. */
enum { BUSY_MS = 3000, BUSY_TRY_MS = 5, STACK_BYTES = 512 * 1024 };

/* A busy handler of SQLite. The time of a call begins when it was given, so that calls which come
 * while another program holds the file wait together, and not each for all before it. */
static int be_patient(void *user, int count)
{
    const struct sqlite_thread *thread = user;
    (void)count;
    if (monotonic_us() >= thread->patient_until_us)
        return 0;
    sqlite3_sleep(BUSY_TRY_MS);
    return 1;
}

static void carry_out(struct sqlite_thread *thread, struct sqlite_call *call)
{
    sqlite_jobs_call(thread->jobs, call);
    if (call->rings)
        (void)!pwrite(thread->jobs->file.nodes, "!", 1, 0);
}

void sqlite_thread_hand_back(struct sqlite_thread *thread, struct sqlite_call *call)
{
    const uint64_t one = 1;
    pthread_mutex_lock(&thread->lock);
    STAILQ_INSERT_TAIL(&thread->done, call, next);
    pthread_mutex_unlock(&thread->lock);
    (void)!write(thread->answers, &one, sizeof(one));
}

/* NULL: it is to stop, and nothing is left to do. */
static struct sqlite_call *next_call(struct sqlite_thread *thread)
{
    pthread_mutex_lock(&thread->lock);
    while (STAILQ_EMPTY(&thread->todo) && !thread->closing)
        pthread_cond_wait(&thread->given, &thread->lock);
    struct sqlite_call *call = STAILQ_FIRST(&thread->todo);
    if (call != NULL)
        STAILQ_REMOVE_HEAD(&thread->todo, next);
    pthread_mutex_unlock(&thread->lock);
    return call;
}

static void *serve(void *user)
{
    struct sqlite_thread *thread = user;
    struct sqlite_call *call;
    while ((call = next_call(thread)) != NULL) {
        thread->patient_until_us = call->given_us + BUSY_MS * INT64_C(1000);
        carry_out(thread, call);
        sqlite_jobs_tidy(thread->jobs);
        sqlite_thread_hand_back(thread, call);
    }
    return NULL;
}

void sqlite_thread_give(struct sqlite_thread *thread, struct sqlite_call *call)
{
    call->given_us = monotonic_us();
    pthread_mutex_lock(&thread->lock);
    STAILQ_INSERT_TAIL(&thread->todo, call, next);
    pthread_cond_signal(&thread->given);
    pthread_mutex_unlock(&thread->lock);
}

bool sqlite_thread_try_here(struct sqlite_thread *thread, struct sqlite_call *call)
{
    thread->patient_until_us = 0;
    carry_out(thread, call);
    if (call->busy) {
        call->result = STORE_OK;
        call->message[0] = '\0';
    }
    return !call->busy;
}

struct sqlite_calls sqlite_thread_take(struct sqlite_thread *thread)
{
    struct sqlite_calls done = STAILQ_HEAD_INITIALIZER(done);
    uint64_t number;
    (void)!read(thread->answers, &number, sizeof(number));
    pthread_mutex_lock(&thread->lock);
    STAILQ_CONCAT(&done, &thread->done);
    pthread_mutex_unlock(&thread->lock);
    return done;
}

int sqlite_thread_start(struct sqlite_thread *thread, struct sqlite_jobs *jobs)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    *thread =
        (struct sqlite_thread){.jobs = jobs, .answers = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (thread->answers < 0)
        return errno;
    STAILQ_INIT(&thread->todo);
    STAILQ_INIT(&thread->done);
    pthread_mutex_init(&thread->lock, NULL);
    pthread_cond_init(&thread->given, NULL);
    sqlite3_busy_handler(jobs->file.db, be_patient, thread);
    sigfillset(&all);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&thread->thread, &attributes, serve, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (error != 0)
        close_fd(&thread->answers);
    return error;
}

void sqlite_thread_stop(struct sqlite_thread *thread)
{
    struct sqlite_call *call;
    pthread_mutex_lock(&thread->lock);
    thread->closing = true;
    pthread_cond_signal(&thread->given);
    pthread_mutex_unlock(&thread->lock);
    pthread_join(thread->thread, NULL);
    while ((call = STAILQ_FIRST(&thread->done)) != NULL) {
        STAILQ_REMOVE_HEAD(&thread->done, next);
        sqlite_call_free(call);
    }
    close_fd(&thread->answers);
    pthread_mutex_destroy(&thread->lock);
    pthread_cond_destroy(&thread->given);
}
