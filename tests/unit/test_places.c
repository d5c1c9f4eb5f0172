/* One queue for several workers: real processes, each with its loop, ask an arbiter in this one.
 * Their jobs are no more than a count in memory that all share, so there may be many more workers
 * than CPUs. */
#include "unit.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/util.h"
#include "serve/jobs/arbiter.h"
#include "serve/jobs/places.h"

#define SECOND INT64_C(1000000)
#define MIB (INT64_C(1) << 20)

enum { WORKERS = 16, ORDER = 1000 };

static const struct admit_bounds wide = {
    .jobs = 100,
    .millicpus = 1000 * 1000,
    .memory_bytes = 1024 * MIB,
    .patience_us = 3600 * SECOND,
    .queue = 1000000,
    .queue_bytes = 1024 * MIB,
    .queue_time_us = 3600 * SECOND,
};

/* What all processes see. */
struct shared {
    _Atomic(int64_t) running, most, bytes, most_bytes;
    _Atomic(int64_t) held[WORKERS]; /* jobs of each worker that run now */
    _Atomic(int64_t) by_client[8], most_by_client[8];
    _Atomic(int64_t) started, refused, expired, waits;
    _Atomic(int64_t) let_go; /* jobs may end */
    char order[ORDER];       /* clients, as their jobs started */
};

/* What one worker asks for. */
struct plan {
    const char *clients; /* each letter is one, in turn */
    int tickets, rounds; /* so many side by side, each so often */
    int64_t memory_bytes, most;
    bool waits_for_go; /* its jobs end only when shared->let_go is set */
    bool holds;        /* its host is short of memory */
};

struct job {
    struct ticket ticket; /* first */
    char client;
    int rounds;
    TAILQ_ENTRY(job) running;
};

struct process {
    struct loop *loop;
    struct places *places;
    struct timer tick;
    struct shared *shared;
    const struct plan *plan;
    size_t number;
    int left;
    struct job *jobs;
    TAILQ_HEAD(, job) running;
};

static void raise_most(_Atomic(int64_t) *most, int64_t number)
{
    int64_t seen = atomic_load(most);
    while (number > seen && !atomic_compare_exchange_weak(most, &seen, number))
        continue;
}

/* ── A worker ──────────────────────────────────────────────────────────────────────────────── */

static void enter(struct process *process, struct job *job)
{
    const char client[2] = {job->client, '\0'};
    job->ticket.memory_bytes = process->plan->memory_bytes;
    job->ticket.millicpus = 10;
    if (places_enter(process->places, &job->ticket, client, process->plan->most, false,
                     monotonic_us()) < 0)
        _exit(2);
}

static void done(struct process *process)
{
    if (--process->left == 0)
        loop_stop(process->loop);
}

static void changed(void *user)
{
    struct process *process = user;
    struct shared *shared = process->shared;
    struct ticket *ticket;
    enum place_refusal why;
    while ((ticket = places_next(process->places, monotonic_us())) != NULL) {
        struct job *job = (struct job *)ticket;
        int64_t order = atomic_fetch_add(&shared->started, 1);
        if (order < ORDER)
            shared->order[order] = job->client;
        atomic_fetch_add(&shared->held[process->number], 1);
        raise_most(&shared->most, atomic_fetch_add(&shared->running, 1) + 1);
        raise_most(&shared->most_bytes,
                   atomic_fetch_add(&shared->bytes, ticket->memory_bytes) + ticket->memory_bytes);
        raise_most(&shared->most_by_client[job->client - 'a'],
                   atomic_fetch_add(&shared->by_client[job->client - 'a'], 1) + 1);
        TAILQ_INSERT_TAIL(&process->running, job, running);
    }
    while ((ticket = places_refused(process->places, monotonic_us(), &why)) != NULL) {
        atomic_fetch_add(why == PLACE_TOO_MANY ? &shared->refused : &shared->expired, 1);
        places_leave(process->places, ticket, monotonic_us());
        done(process);
    }
    places_flush(process->places);
}

/* From time to time the jobs that run end. */
static void tick(void *user)
{
    struct process *process = user;
    struct shared *shared = process->shared;
    struct job *job;
    while ((!process->plan->waits_for_go || atomic_load(&shared->let_go)) &&
           (job = TAILQ_FIRST(&process->running)) != NULL) {
        TAILQ_REMOVE(&process->running, job, running);
        atomic_fetch_sub(&shared->running, 1);
        atomic_fetch_sub(&shared->bytes, job->ticket.memory_bytes);
        atomic_fetch_sub(&shared->by_client[job->client - 'a'], 1);
        atomic_fetch_sub(&shared->held[process->number], 1);
        places_leave(process->places, &job->ticket, monotonic_us());
        if (--job->rounds > 0)
            enter(process, job);
        else
            done(process);
    }
    timer_set(&process->tick, 1);
    changed(process);
}

static void waits(void *user, struct ticket *ticket)
{
    struct process *process = user;
    (void)ticket;
    atomic_fetch_add(&process->shared->waits, 1);
}

static void lost(void *user)
{
    (void)user;
    _exit(3);
}

static void be_worker(struct shared *shared, const struct plan *plan, size_t number,
                      const struct arbiter_seat *seat)
{
    struct sb_error err;
    struct process process = {.shared = shared, .plan = plan, .number = number};
    const struct places_events events = {changed, waits, lost, &process};
    TAILQ_INIT(&process.running);
    process.jobs = calloc((size_t)plan->tickets, sizeof(*process.jobs));
    if (process.jobs == NULL || loop_open(&process.loop, &err) < 0 ||
        places_open(&process.places, &wide, seat, &events, process.loop, &err) < 0 ||
        timer_open(&process.tick, process.loop, tick, &process) < 0)
        _exit(4);
    process.left = plan->tickets;
    if (plan->holds)
        places_hold(process.places, true);
    for (int i = 0; i < plan->tickets; i++) {
        process.jobs[i].client = plan->clients[(size_t)i % strlen(plan->clients)];
        process.jobs[i].rounds = plan->rounds;
        enter(&process, &process.jobs[i]);
    }
    tick(&process);
    loop_run(process.loop, &err);
    places_flush(process.places);
    places_close(process.places);
    _exit(0);
}

/* ── Their parent ──────────────────────────────────────────────────────────────────────────── */

struct parent {
    struct loop *loop;
    struct arbiter *arbiter;
    struct shared *shared;
    struct timer look;
    pid_t pids[WORKERS];
    int statuses[WORKERS];
    int living;
    void (*looked)(struct parent *parent); /* every few milliseconds; NULL: nothing */
    int stage;                             /* for it */
};

static void look(void *user)
{
    struct parent *parent = user;
    for (int i = 0; i < WORKERS; i++)
        if (parent->pids[i] > 0 && waitpid(parent->pids[i], &parent->statuses[i], WNOHANG) > 0) {
            /* What it held is nobody's now. */
            atomic_fetch_sub(&parent->shared->running,
                             atomic_exchange(&parent->shared->held[i], 0));
            arbiter_part(parent->arbiter, (size_t)i);
            parent->pids[i] = 0;
            parent->living--;
        }
    if (parent->looked != NULL)
        parent->looked(parent);
    if (parent->living == 0)
        loop_stop(parent->loop);
    timer_set(&parent->look, 2);
}

static void start(struct parent *parent, size_t number, const struct plan *plan)
{
    struct sb_error err;
    struct arbiter_seat seat;
    assert_int_equal(arbiter_seat(parent->arbiter, number, &seat, &err), 0);
    parent->pids[number] = fork();
    assert_true(parent->pids[number] >= 0);
    if (parent->pids[number] == 0) {
        arbiter_forked(parent->arbiter);
        loop_close(parent->loop);
        be_worker(parent->shared, plan, number, &seat);
    }
    close(seat.fd);
    parent->living++;
}

static void begin(struct parent *parent, const struct admit_bounds *bounds)
{
    struct sb_error err;
    *parent = (struct parent){0};
    parent->shared = mmap(NULL, sizeof(*parent->shared), PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(parent->shared, MAP_FAILED);
    assert_int_equal(loop_open(&parent->loop, &err), 0);
    assert_int_equal(arbiter_open(&parent->arbiter, bounds, WORKERS, parent->loop, &err), 0);
    assert_int_equal(timer_open(&parent->look, parent->loop, look, parent), 0);
}

/* Until all workers have ended. */
static void run(struct parent *parent)
{
    struct sb_error err;
    look(parent);
    assert_int_equal(loop_run(parent->loop, &err), 0);
    for (int i = 0; i < WORKERS; i++)
        if (!WIFSIGNALED(parent->statuses[i]))
            assert_int_equal(parent->statuses[i], 0);
}

static void end(struct parent *parent)
{
    arbiter_close(parent->arbiter);
    timer_close(&parent->look, parent->loop);
    loop_close(parent->loop);
    munmap(parent->shared, sizeof(*parent->shared));
}

/* ── What is promised ──────────────────────────────────────────────────────────────────────── */

static void jobs_memory_and_a_clients_jobs_are_bounded_over_all_workers_and_used_up(void **state)
{
    (void)state;
    static const struct {
        struct plan plan;
        int64_t most;
    } rows[] = {
        {{"ab", 20, 20, MIB, 0, false, false}, 5},       /* jobs */
        {{"ab", 20, 20, 400 * MIB, 0, false, false}, 2}, /* memory */
        {{"a", 20, 20, MIB, 3, false, false}, 3},        /* of one client */
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct admit_bounds bounds = wide;
        struct parent parent;
        bounds.jobs = 5;
        begin(&parent, &bounds);
        for (size_t worker = 0; worker < WORKERS; worker++)
            start(&parent, worker, &rows[i].plan);
        run(&parent);
        assert_int_equal(parent.shared->most, rows[i].most);
        assert_true(parent.shared->most_bytes <= bounds.memory_bytes);
        assert_int_equal(parent.shared->started, WORKERS * 20 * 20);
        assert_int_equal(parent.shared->running, 0);
        end(&parent);
    }
}

static void clients_take_turns_whichever_workers_they_are_in(void **state)
{
    (void)state;
    static const struct plan greedy = {"a", 60, 1, MIB, 0, false, false};
    static const struct plan modest = {"b", 20, 1, MIB, 0, false, false};
    struct admit_bounds bounds = wide;
    struct parent parent;
    bounds.jobs = 1;
    begin(&parent, &bounds);
    for (size_t worker = 0; worker < WORKERS; worker++)
        start(&parent, worker, worker == 7 ? &modest : &greedy);
    run(&parent);
    const char *first = memchr(parent.shared->order, 'b', ORDER);
    assert_non_null(first);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(first[2 * i], 'b');
        assert_int_equal(first[2 * i + 1], 'a');
    }
    end(&parent);
}

/* Stage 0: the first worker holds all places. Then it dies, and the others must get them all. */
static void kill_the_first(struct parent *parent)
{
    if (parent->stage == 0 && atomic_load(&parent->shared->held[0]) == 5) {
        static const struct plan others = {"b", 50, 4, 200 * MIB, 0, false, false};
        for (size_t worker = 1; worker < WORKERS; worker++)
            start(parent, worker, &others);
        parent->stage = 1;
    } else if (parent->stage == 1 && atomic_load(&parent->shared->waits) >= 15 * 50) {
        assert_int_equal(atomic_load(&parent->shared->started), 5);
        kill(parent->pids[0], SIGKILL);
        parent->stage = 2;
    }
}

static void what_a_killed_worker_held_is_given_to_the_others(void **state)
{
    (void)state;
    static const struct plan first = {"a", 100, 1, 200 * MIB, 0, true, false};
    struct admit_bounds bounds = wide;
    struct parent parent;
    bounds.jobs = 5;
    begin(&parent, &bounds);
    parent.looked = kill_the_first;
    start(&parent, 0, &first);
    run(&parent);
    assert_true(WIFSIGNALED(parent.statuses[0]));
    assert_int_equal(parent.shared->started, 5 + 15 * 50 * 4);
    assert_int_equal(parent.shared->most_by_client['b' - 'a'], 5);
    assert_true(parent.shared->most <= 5);
    end(&parent);
}

static void kill_who_holds(struct parent *parent)
{
    if (parent->stage == 0 && atomic_load(&parent->shared->waits) == 1) {
        static const struct plan others = {"b", 10, 1, MIB, 0, false, false};
        start(parent, 1, &others);
        parent->stage = 1;
    } else if (parent->stage == 1 && atomic_load(&parent->shared->waits) == 1 + 10) {
        assert_int_equal(atomic_load(&parent->shared->started), 0);
        kill(parent->pids[0], SIGKILL);
        parent->stage = 2;
    }
}

static void no_job_starts_in_any_worker_while_one_sees_too_little_memory(void **state)
{
    (void)state;
    static const struct plan first = {"a", 1, 1, MIB, 0, false, true};
    struct parent parent;
    begin(&parent, &wide);
    parent.looked = kill_who_holds;
    start(&parent, 0, &first);
    run(&parent);
    assert_true(WIFSIGNALED(parent.statuses[0]));
    assert_int_equal(parent.shared->started, 10);
    end(&parent);
}

/* All places are taken, and the rest has been told to wait, or refused. */
static void let_go(struct parent *parent)
{
    if (atomic_load(&parent->shared->waits) + atomic_load(&parent->shared->refused) >=
        WORKERS * 20 - 2)
        atomic_store(&parent->shared->let_go, 1);
}

static void the_queue_is_one_and_refuses_what_is_too_much_over_all_workers(void **state)
{
    (void)state;
    static const struct plan plan = {"a", 20, 1, MIB, 0, true, false};
    struct admit_bounds bounds = wide;
    struct parent parent;
    bounds.jobs = 2;
    bounds.queue = 100;
    begin(&parent, &bounds);
    parent.looked = let_go;
    for (size_t worker = 0; worker < WORKERS; worker++)
        start(&parent, worker, &plan);
    run(&parent);
    assert_int_equal(parent.shared->started, 2 + 100);
    assert_int_equal(parent.shared->refused, WORKERS * 20 - 102);
    end(&parent);
}

static void let_go_after_refusals(struct parent *parent)
{
    if (atomic_load(&parent->shared->held[0]) == 1 && parent->stage++ == 0) {
        static const struct plan late = {"b", 10, 1, MIB, 0, false, false};
        start(parent, 1, &late);
    }
    if (atomic_load(&parent->shared->expired) == 10)
        atomic_store(&parent->shared->let_go, 1);
}

static void what_has_waited_too_long_is_refused_in_its_worker(void **state)
{
    (void)state;
    static const struct plan holder = {"a", 1, 1, MIB, 0, true, false};
    struct admit_bounds bounds = wide;
    struct parent parent;
    bounds.jobs = 1;
    bounds.queue_time_us = SECOND / 10;
    begin(&parent, &bounds);
    parent.looked = let_go_after_refusals;
    start(&parent, 0, &holder);
    run(&parent);
    assert_int_equal(parent.shared->started, 1);
    assert_int_equal(parent.shared->expired, 10);
    end(&parent);
}

/* ── Cost ──────────────────────────────────────────────────────────────────────────────────── */

/* The time from the start to the end of `jobs` jobs in all, of 16 workers with so many tickets. */
static double each_us(int tickets, int rounds)
{
    const struct plan plan = {"abcdefgh", tickets, rounds, 1, 0, false, false};
    struct admit_bounds bounds = wide;
    struct parent parent;
    bounds.jobs = 4000;
    begin(&parent, &bounds);
    for (size_t worker = 0; worker < WORKERS; worker++)
        start(&parent, worker, &plan);
    int64_t began = monotonic_us();
    run(&parent);
    double took = (double)(monotonic_us() - began) / (WORKERS * tickets * rounds);
    assert_int_equal(parent.shared->started, WORKERS * tickets * rounds);
    assert_true(parent.shared->most <= 4000);
    end(&parent);
    return took;
}

static void with_thousands_running_and_waiting_a_job_costs_no_more_than_with_hundreds(void **state)
{
    (void)state;
    double hundreds = each_us(30, 100), thousands = each_us(3000, 1);
    print_message("# a job's way through admission, 16 workers: %.1f us with 480 tickets, "
                  "%.1f us with 48,000\n",
                  hundreds, thousands);
    assert_true(thousands < 10 * hundreds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_memory_and_a_clients_jobs_are_bounded_over_all_workers_and_used_up),
        cmocka_unit_test(clients_take_turns_whichever_workers_they_are_in),
        cmocka_unit_test(what_a_killed_worker_held_is_given_to_the_others),
        cmocka_unit_test(no_job_starts_in_any_worker_while_one_sees_too_little_memory),
        cmocka_unit_test(the_queue_is_one_and_refuses_what_is_too_much_over_all_workers),
        cmocka_unit_test(what_has_waited_too_long_is_refused_in_its_worker),
        cmocka_unit_test(with_thousands_running_and_waiting_a_job_costs_no_more_than_with_hundreds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
