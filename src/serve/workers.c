/* The parent of several workers. It keeps the sockets open, so that clients who connect while a
 * worker is started again reach the next one. It decides whose job runs next (arbiter.h). It speaks
 * for all workers to the service manager. Workers die with it. Each has a pipe on which it says
 * that it is ready, and that it is alive. */
#include "serve/workers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/error.h"
#include "common/util.h"
#include "serve/jobs/bounds.h"
#include "serve/process/loop.h"

enum { BACKOFF_MIN_MS = 100, BACKOFF_MAX_MS = 10000, GOOD_RUN_US = 60000000, MISSED_MAX = 3 };

struct parent;

struct worker {
    struct parent *parent;
    size_t number;
    pid_t pid; /* 0: none now */
    struct watch pipe;
    bool ready;
    int missed; /* intervals without a sign of life */
    int64_t started_us, backoff_ms;
    struct timer restart;
};

struct parent {
    const struct server_setup *setup;
    struct loop *loop;
    struct watch signals;
    struct timer alive;
    struct arbiter *arbiter;
    struct timer linger; /* after it, no worker accepts connections */
    struct worker *workers;
    size_t count;
    bool begun;     /* all were ready once */
    bool announced; /* the manager knows that we are ready */
    bool stopping, failed;
    unsigned told_to_stop; /* how often */
};

static void signal_all(struct parent *parent, int signal)
{
    for (size_t i = 0; i < parent->count; i++)
        if (parent->workers[i].pid > 0)
            kill(parent->workers[i].pid, signal);
}

/* ── What workers say ───────────────────────────────────────────────────────────────────────── */

static void tell_parent(void *user, enum notice notice)
{
    const char letter = (char)('0' + notice);
    (void)!write(*(int *)user, &letter, 1);
}

static void tell_ready(const struct parent *parent)
{
    char status[512];
    metrics_status(parent->setup->metrics, parent->count, status, sizeof(status));
    manager_tell(parent->setup->manager, NOTICE_READY, status);
}

static void announce(struct parent *parent)
{
    for (size_t i = 0; i < parent->count; i++)
        if (!parent->workers[i].ready)
            return;
    if (!parent->begun)
        server_say_listening(parent->setup);
    parent->begun = true;
    if (!parent->announced)
        tell_ready(parent);
    parent->announced = true;
}

static void worker_says(void *user, uint32_t events)
{
    (void)events;
    struct worker *worker = user;
    char letters[64];
    ssize_t size = read(worker->pipe.fd, letters, sizeof(letters));
    if (size == 0) /* it is gone: SIGCHLD follows */
        loop_remove(worker->parent->loop, &worker->pipe);
    for (ssize_t i = 0; i < size; i++) {
        worker->missed = 0;
        if (letters[i] == '0' + NOTICE_READY) {
            worker->ready = true;
            announce(worker->parent);
        }
    }
}

/* Kills workers that give no sign of life; they are started again. */
static void watch_over(void *user)
{
    struct parent *parent = user;
    bool all = true;
    for (size_t i = 0; i < parent->count; i++) {
        struct worker *worker = &parent->workers[i];
        if (worker->pid <= 0 || !worker->ready || ++worker->missed <= MISSED_MAX)
            continue;
        all = false;
        log_say(parent->setup->log, LOG_ERR, "worker %zu (pid %d) hangs and is killed",
                worker->number, (int)worker->pid);
        kill(worker->pid, SIGKILL);
    }
    if (all)
        manager_tell(parent->setup->manager, NOTICE_ALIVE, NULL);
    timer_set(&parent->alive, parent->setup->alive_ms);
}

/* ── Starting ───────────────────────────────────────────────────────────────────────────────── */

/* The worker's process. It never returns into the parent's loop. */
__attribute__((noreturn)) static void be_worker(struct worker *worker, pid_t parent_pid, int pipe,
                                                const struct arbiter_seat *seat)
{
    struct parent *parent = worker->parent;
    struct server_setup setup = *parent->setup;
    struct sb_error err;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent_pid)
        exit(1); /* our parent died before PR_SET_PDEATHSIG was set */
    /* Ctrl-C goes to all of a terminal's foreground group. Workers must get it only from the
     * parent, since a second signal means: stop at once. */
    setpgid(0, 0);
    for (size_t i = 0; i < parent->count; i++) {
        struct worker *other = &parent->workers[i];
        close_fd(&other->pipe.fd);
        close_fd(&other->restart.watch.fd);
    }
    close_fd(&parent->alive.watch.fd);
    close_fd(&parent->linger.watch.fd);
    close_fd(&parent->signals.fd);
    log_forked(setup.log);
    manager_forked(setup.manager);
    arbiter_forked(parent->arbiter);
    setup.manager = NULL;
    loop_close(parent->loop);
    setup.worker = worker->number;
    setup.seat = *seat;
    setup.notify = tell_parent;
    setup.user = &pipe;
    int result = server_run(&setup, &err);
    if (result < 0)
        log_say(setup.log, LOG_ERR, "%s", err.message);
    log_close(setup.log);
    exit(result < 0 ? 1 : 0);
}

static int start_worker(struct worker *worker, struct sb_error *err)
{
    int ends[2];
    pid_t self = getpid();
    struct arbiter_seat seat;
    if (arbiter_seat(worker->parent->arbiter, worker->number, &seat, err) < 0)
        return -1;
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
        int saved = errno;
        close(seat.fd);
        return sb_fail(err, "workers", saved, "can't create a pipe for a worker");
    }
    worker->pipe = (struct watch){ends[0], worker_says, worker};
    pid_t pid = loop_add(worker->parent->loop, &worker->pipe, EPOLLIN) == 0 ? fork() : -1;
    if (pid == 0)
        be_worker(worker, self, ends[1], &seat);
    int saved = errno;
    close(ends[1]);
    close(seat.fd);
    if (pid < 0) {
        close_fd(&worker->pipe.fd);
        return sb_fail(err, "workers", saved, "can't start a worker");
    }
    worker->pid = pid;
    worker->ready = false;
    worker->missed = 0;
    worker->started_us = monotonic_us();
    return 0;
}

static void plan_restart(struct worker *worker)
{
    bool good = monotonic_us() - worker->started_us >= GOOD_RUN_US;
    int64_t wait = good || worker->backoff_ms == 0 ? BACKOFF_MIN_MS : worker->backoff_ms * 2;
    worker->backoff_ms = wait < BACKOFF_MAX_MS ? wait : BACKOFF_MAX_MS;
    timer_set(&worker->restart, worker->backoff_ms);
}

static void restart_worker(void *user)
{
    struct worker *worker = user;
    struct sb_error err;
    if (worker->parent->stopping || start_worker(worker, &err) == 0)
        return;
    log_say(worker->parent->setup->log, LOG_ERR, "%s", err.message);
    plan_restart(worker);
}

/* ── Signals ────────────────────────────────────────────────────────────────────────────────── */

static void close_listeners(void *user)
{
    struct parent *parent = user;
    timer_set(&parent->linger, -1);
    listeners_close(parent->setup->listeners, true);
}

/* Workers linger by themselves; the sockets stay open for as long. Each signal counts, but the
 * kernel makes one of two with the same number: so every second one is SIGINT, which means the
 * same. */
static void stop(struct parent *parent)
{
    int64_t linger_ms = parent->setup->config->linger_ms;
    if (!parent->stopping)
        manager_tell(parent->setup->manager, NOTICE_STOPPING, NULL);
    if (!parent->stopping && linger_ms > 0)
        timer_set(&parent->linger, linger_ms);
    else
        close_listeners(parent);
    parent->stopping = true;
    signal_all(parent, parent->told_to_stop++ % 2 == 0 ? SIGTERM : SIGINT);
}

static void worker_ended(struct worker *worker, int status)
{
    struct parent *parent = worker->parent;
    if (worker->pipe.fd >= 0)
        loop_remove(parent->loop, &worker->pipe);
    close_fd(&worker->pipe.fd);
    log_writer_ended(parent->setup->log, worker->pid);
    worker->pid = 0;
    arbiter_part(parent->arbiter, worker->number);
    if (parent->stopping) /* it is not replaced */
        return;
    if (!parent->begun && !worker->ready) { /* the next one would fail for the same reason */
        parent->failed = true;
        stop(parent);
        return;
    }
    log_say(parent->setup->log, LOG_ERR, "worker %zu %s %d and is started again", worker->number,
            WIFSIGNALED(status) ? "was killed by signal" : "exited with status",
            WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    metrics_add(&parent->setup->metrics[worker->number].restarts, 1);
    plan_restart(worker);
}

static void reap(struct parent *parent)
{
    int status;
    pid_t pid;
    bool left = false;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (size_t i = 0; i < parent->count; i++)
            if (parent->workers[i].pid == pid)
                worker_ended(&parent->workers[i], status);
    for (size_t i = 0; i < parent->count; i++)
        left = left || parent->workers[i].pid > 0;
    if (parent->stopping && !left)
        loop_stop(parent->loop);
}

static void reload(struct parent *parent)
{
    manager_tell(parent->setup->manager, NOTICE_RELOADING, NULL);
    parent->announced = false;
    for (size_t i = 0; i < parent->count; i++)
        parent->workers[i].ready = false;
    signal_all(parent, SIGHUP);
}

static void signal_ready(void *user, uint32_t events)
{
    (void)events;
    struct parent *parent = user;
    struct signalfd_siginfo info;
    if (read(parent->signals.fd, &info, sizeof(info)) != sizeof(info))
        return;
    if (info.ssi_signo == SIGHUP)
        reload(parent);
    else if (info.ssi_signo != SIGCHLD)
        stop(parent);
    reap(parent);
}

/* ── The parent ─────────────────────────────────────────────────────────────────────────────── */

static int open_arbiter(struct parent *parent, struct sb_error *err)
{
    struct admit_bounds bounds;
    if (bounds_read(&bounds, parent->setup->config, err) < 0)
        return -1;
    return arbiter_open(&parent->arbiter, &bounds, parent->count, parent->loop, err);
}

static int open_parent(struct parent *parent, struct sb_error *err)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    parent->signals =
        (struct watch){signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), signal_ready, parent};
    if (parent->signals.fd < 0 || loop_add(parent->loop, &parent->signals, EPOLLIN) < 0 ||
        timer_open(&parent->alive, parent->loop, watch_over, parent) < 0 ||
        timer_open(&parent->linger, parent->loop, close_listeners, parent) < 0 ||
        log_attach(parent->setup->log, parent->loop, &parent->setup->metrics[0].log_lost) < 0 ||
        manager_attach(parent->setup->manager, parent->loop) < 0)
        return sb_fail(err, "workers", errno, "can't create descriptors for signals and timers");
    if (open_arbiter(parent, err) < 0)
        return -1;
    for (size_t i = 0; i < parent->count; i++) {
        struct worker *worker = &parent->workers[i];
        *worker = (struct worker){.parent = parent, .number = i, .pipe.fd = -1};
        if (timer_open(&worker->restart, parent->loop, restart_worker, worker) < 0)
            return sb_fail(err, "workers", errno, "can't create timers");
    }
    for (size_t i = 0; i < parent->count; i++)
        if (start_worker(&parent->workers[i], err) < 0)
            return -1;
    if (parent->setup->alive_ms > 0)
        watch_over(parent);
    return 0;
}

static void close_parent(struct parent *parent)
{
    for (size_t i = 0; i < parent->count; i++) {
        struct worker *worker = &parent->workers[i];
        if (worker->pid > 0) { /* only when we ourselves have failed */
            kill(worker->pid, SIGKILL);
            waitpid(worker->pid, NULL, 0);
        }
        close_fd(&worker->pipe.fd);
        timer_close(&worker->restart, parent->loop);
    }
    arbiter_close(parent->arbiter);
    timer_close(&parent->alive, parent->loop);
    timer_close(&parent->linger, parent->loop);
    log_detach(parent->setup->log);
    manager_detach(parent->setup->manager);
    close_fd(&parent->signals.fd);
    loop_close(parent->loop);
    free(parent->workers);
}

int workers_run(const struct server_setup *setup, struct sb_error *err)
{
    struct parent parent = {
        .setup = setup, .count = (size_t)setup->config->workers, .signals.fd = -1};
    parent.workers = calloc(parent.count, sizeof(struct worker));
    for (size_t i = 0; parent.workers != NULL && i < parent.count; i++)
        parent.workers[i].pipe.fd = -1;
    int result = parent.workers == NULL ? sb_fail(err, "workers", 0, "out of memory (the workers)")
                                        : loop_open(&parent.loop, err);
    if (result == 0)
        result = open_parent(&parent, err);
    if (result == 0)
        result = loop_run(parent.loop, err);
    if (parent.loop != NULL)
        close_parent(&parent);
    if (result == 0 && parent.failed)
        return sb_fail(err, "workers", 0, "a worker failed to start: see its message above");
    return result;
}
