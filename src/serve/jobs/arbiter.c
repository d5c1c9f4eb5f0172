/* See arbiter.h. A message costs the arbiter about a microsecond, and those that come or go
 * together cost one system call, so one arbiter suffices for far more workers than a host has CPUs.
 */
#include "serve/jobs/arbiter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/queue.h>

#include "common/error.h"
#include "common/util.h"
#include "serve/jobs/place_link.h"
#include "serve/jobs/places.h"

enum { LOOK_MS = 50, POSITIONS_MS = 1000 };

/* A worker's ticket, as we keep it. */
struct remote {
    struct ticket ticket; /* first */
    struct branch *branch;
    bool watched;
    bool answered; /* its worker knows that it waits */
    int64_t told;  /* the position that its worker knows */
    TAILQ_ENTRY(remote) in_new;
};

/* A worker. */
struct branch {
    struct arbiter *arbiter;
    struct place_link link;
    struct remote **remotes; /* by the slots in their names; NULL: free */
    size_t room;
    size_t running;
    bool holds;
};

struct arbiter {
    struct admit *admit;
    struct loop *loop;
    struct arbiter_board *board; /* in memory that the workers share */
    struct timer queue_timer;    /* for what changes in the queue by time alone */
    struct timer look_timer;     /* to have the demand of jobs measured while others wait */
    struct timer position_timer;
    TAILQ_HEAD(remotes, remote) fresh; /* that have entered since the last round */
    int64_t watched;                   /* tickets that wait or run */
    size_t holding;                    /* workers that hold all others */
    struct branch *branches;
    size_t count;
};

static struct remote *remote_of(struct ticket *ticket)
{
    return (struct remote *)ticket;
}

static void say(const struct remote *remote, enum place_word word, int64_t number)
{
    const struct place_message message = {
        .word = word, .name = remote->ticket.name, .number = number};
    place_link_say(&remote->branch->link, &message);
}

/* ── Tickets ────────────────────────────────────────────────────────────────────────────────── */

/* The slot of a name; NULL: out of memory. */
static struct remote **slot_of(struct branch *branch, uint64_t name)
{
    size_t slot = place_slot(name);
    if (slot >= branch->room) {
        size_t room = MAX(MAX(2 * branch->room, slot + 1), (size_t)64);
        struct remote **more = reallocarray(branch->remotes, room, sizeof(struct remote *));
        if (more == NULL)
            return NULL;
        memset(more + branch->room, 0, (room - branch->room) * sizeof(struct remote *));
        branch->remotes = more;
        branch->room = room;
    }
    return &branch->remotes[slot];
}

/* NULL: it has left already, or was refused while its worker's message was on the way. */
static struct remote *find(struct branch *branch, uint64_t name)
{
    size_t slot = place_slot(name);
    struct remote *remote = slot < branch->room ? branch->remotes[slot] : NULL;
    return remote != NULL && remote->ticket.name == name ? remote : NULL;
}

static void drop(struct remote *remote)
{
    struct branch *branch = remote->branch;
    struct arbiter *arbiter = branch->arbiter;
    branch->running -= remote->ticket.state == TICKET_RUNNING;
    arbiter->watched -= remote->watched;
    if (!remote->answered)
        TAILQ_REMOVE(&arbiter->fresh, remote, in_new);
    admit_leave(arbiter->admit, &remote->ticket, monotonic_us());
    branch->remotes[place_slot(remote->ticket.name)] = NULL;
    free(remote);
}

static void enter(struct branch *branch, const struct place_message *message)
{
    struct arbiter *arbiter = branch->arbiter;
    struct remote **slot = slot_of(branch, message->name);
    struct remote *remote = slot != NULL && *slot == NULL ? calloc(1, sizeof(*remote)) : NULL;
    if (remote != NULL) {
        remote->branch = branch;
        remote->watched = message->watched;
        remote->ticket.name = message->name;
        remote->ticket.memory_bytes = message->memory_bytes;
        remote->ticket.millicpus = message->millicpus;
        remote->ticket.size = message->size;
    }
    if (remote == NULL || admit_enter(arbiter->admit, &remote->ticket, message->client,
                                      message->most, monotonic_us()) < 0) {
        /* There is no memory for one more that waits. */
        free(remote);
        const struct place_message full = {.word = PLACE_OVERFLOW, .name = message->name};
        place_link_say(&branch->link, &full);
        return;
    }
    *slot = remote;
    arbiter->watched += remote->watched;
    TAILQ_INSERT_TAIL(&arbiter->fresh, remote, in_new);
}

static void hold(struct branch *branch, bool holds)
{
    struct arbiter *arbiter = branch->arbiter;
    if (branch->holds == holds)
        return;
    branch->holds = holds;
    arbiter->holding += holds ? 1 : (size_t)-1;
    admit_hold(arbiter->admit, arbiter->holding > 0);
}

/* ── Decisions ──────────────────────────────────────────────────────────────────────────────── */

static void start_and_refuse(struct arbiter *arbiter)
{
    struct ticket *ticket;
    while ((ticket = admit_next(arbiter->admit, monotonic_us())) != NULL) {
        remote_of(ticket)->branch->running++;
        say(remote_of(ticket), PLACE_START, 0);
    }
    while ((ticket = admit_expired(arbiter->admit, monotonic_us())) != NULL) {
        say(remote_of(ticket), PLACE_EXPIRED, 0);
        drop(remote_of(ticket));
    }
    while ((ticket = admit_overflow(arbiter->admit)) != NULL) {
        say(remote_of(ticket), PLACE_OVERFLOW, 0);
        drop(remote_of(ticket));
    }
}

/* Those that have entered and have to wait are told so, once. */
static void answer_fresh(struct arbiter *arbiter)
{
    struct remote *remote;
    while ((remote = TAILQ_FIRST(&arbiter->fresh)) != NULL) {
        TAILQ_REMOVE(&arbiter->fresh, remote, in_new);
        remote->answered = true;
        if (remote->ticket.state != TICKET_WAITING)
            continue;
        if (remote->watched)
            remote->told = admit_position(arbiter->admit, &remote->ticket);
        say(remote, PLACE_WAIT, remote->told);
    }
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

static void set_timers(struct arbiter *arbiter)
{
    const struct admit *admit = arbiter->admit;
    bool waiting = admit_counts(admit).waiting > 0;
    int64_t next_us = waiting ? sooner(admit_expiry_us(admit), admit_impatient_us(admit)) : -1;
    int64_t in_ms = (next_us - monotonic_us() + 999) / 1000;
    timer_set(&arbiter->queue_timer, next_us < 0 ? -1 : in_ms < 0 ? 0 : in_ms);
    if (waiting && admit_is_busy(admit) && !arbiter->look_timer.armed)
        timer_set(&arbiter->look_timer, LOOK_MS);
    if (waiting && arbiter->watched > 0 && !arbiter->position_timer.armed)
        timer_set(&arbiter->position_timer, POSITIONS_MS);
}

static void flush(struct arbiter *arbiter)
{
    for (size_t i = 0; i < arbiter->count; i++)
        if (arbiter->branches[i].link.count > 0 && !arbiter->branches[i].link.full)
            place_link_flush(&arbiter->branches[i].link);
}

static void decide(void *user)
{
    struct arbiter *arbiter = user;
    start_and_refuse(arbiter);
    answer_fresh(arbiter);
    metrics_set(&arbiter->board->waiting, admit_counts(arbiter->admit).waiting);
    metrics_set(&arbiter->board->free, admit_free(arbiter->admit));
    metrics_set(&arbiter->board->retry_after, admit_retry_after(arbiter->admit, monotonic_us()));
    set_timers(arbiter);
    flush(arbiter);
}

/* Those whose jobs run measure what these want. */
static void have_demand_measured(void *user)
{
    struct arbiter *arbiter = user;
    const struct place_message look = {.word = PLACE_LOOK};
    for (size_t i = 0; i < arbiter->count; i++)
        if (arbiter->branches[i].running > 0)
            place_link_say(&arbiter->branches[i].link, &look);
    decide(arbiter);
}

static void tell_positions(void *user)
{
    struct arbiter *arbiter = user;
    struct ticket *ticket = NULL;
    if (admit_positions(arbiter->admit) == 0)
        while ((ticket = admit_waiting(arbiter->admit, ticket)) != NULL) {
            struct remote *remote = remote_of(ticket);
            if (!remote->watched || remote->told == ticket->position)
                continue;
            remote->told = ticket->position;
            say(remote, PLACE_WAIT, remote->told);
        }
    decide(arbiter);
}

/* ── Workers ────────────────────────────────────────────────────────────────────────────────── */

static void heard(void *user, const struct place_message *message)
{
    struct branch *branch = user;
    struct remote *remote = find(branch, message->name);
    if (message->word == PLACE_ENTER)
        enter(branch, message);
    else if (message->word == PLACE_HOLD)
        hold(branch, message->number != 0);
    else if (message->word == PLACE_LEAVE && remote != NULL)
        drop(remote);
    else if (message->word == PLACE_WANT && remote != NULL)
        admit_want(branch->arbiter->admit, &remote->ticket, message->number);
}

static void round_over(void *user)
{
    const struct branch *branch = user;
    decide(branch->arbiter);
}

static void part(struct branch *branch)
{
    place_link_close(&branch->link);
    for (size_t i = 0; i < branch->room; i++)
        if (branch->remotes[i] != NULL)
            drop(branch->remotes[i]);
    free(branch->remotes);
    branch->remotes = NULL;
    branch->room = 0;
    hold(branch, false);
}

/* The worker closes its end only by its own end, which its parent sees, too; arbiter_part follows
 * then. If it is we who have closed the link, it ends for want of it. */
static void lost(void *user)
{
    (void)user;
}

int arbiter_seat(struct arbiter *arbiter, size_t worker, struct arbiter_seat *seat,
                 struct sb_error *err)
{
    int ends[2];
    struct branch *branch = &arbiter->branches[worker];
    part(branch);
    if (place_link_pair(ends) < 0)
        return sb_fail(err, "workers", errno, "can't create a socket for a worker");
    if (place_link_open(&branch->link, arbiter->loop, ends[0]) < 0) {
        int saved = errno;
        close(ends[1]);
        return sb_fail(err, "workers", saved, "can't wait for a worker");
    }
    *seat = (struct arbiter_seat){arbiter->board, ends[1]};
    return 0;
}

void arbiter_part(struct arbiter *arbiter, size_t worker)
{
    part(&arbiter->branches[worker]);
    decide(arbiter);
}

/* ── The whole ──────────────────────────────────────────────────────────────────────────────── */

static int open_timers(struct arbiter *arbiter)
{
    return timer_open(&arbiter->queue_timer, arbiter->loop, decide, arbiter) < 0 ||
                   timer_open(&arbiter->look_timer, arbiter->loop, have_demand_measured, arbiter) <
                       0 ||
                   timer_open(&arbiter->position_timer, arbiter->loop, tell_positions, arbiter) < 0
               ? -1
               : 0;
}

static int open_all(struct arbiter *arbiter, const struct admit_bounds *bounds, size_t workers,
                    struct sb_error *err)
{
    void *board = mmap(NULL, sizeof(*arbiter->board), PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    arbiter->board = board != MAP_FAILED ? board : NULL;
    arbiter->branches = calloc(workers, sizeof(struct branch));
    if (arbiter->board == NULL || arbiter->branches == NULL ||
        admit_open(&arbiter->admit, bounds) < 0)
        return sb_fail(err, "memory", ENOMEM, "out of memory (the workers' queue)");
    arbiter->count = workers;
    for (size_t i = 0; i < workers; i++) {
        struct branch *branch = &arbiter->branches[i];
        branch->arbiter = arbiter;
        branch->link = (struct place_link){
            .heard = heard, .round = round_over, .lost = lost, .user = branch, .watch.fd = -1};
    }
    if (open_timers(arbiter) < 0)
        return sb_fail(err, "timerfd", errno, "can't create a timer for the queue");
    metrics_set(&arbiter->board->free, bounds->jobs);
    metrics_set(&arbiter->board->retry_after, 1);
    return 0;
}

int arbiter_open(struct arbiter **out, const struct admit_bounds *bounds, size_t workers,
                 struct loop *loop, struct sb_error *err)
{
    struct arbiter *arbiter = calloc(1, sizeof(*arbiter));
    if (arbiter == NULL)
        return sb_fail(err, "memory", ENOMEM, "out of memory (the workers' queue)");
    arbiter->loop = loop;
    TAILQ_INIT(&arbiter->fresh);
    if (open_all(arbiter, bounds, workers, err) < 0) {
        arbiter_close(arbiter);
        return -1;
    }
    *out = arbiter;
    return 0;
}

void arbiter_forked(struct arbiter *arbiter)
{
    for (size_t i = 0; i < arbiter->count; i++)
        place_link_forked(&arbiter->branches[i].link);
    close_fd(&arbiter->queue_timer.watch.fd);
    close_fd(&arbiter->look_timer.watch.fd);
    close_fd(&arbiter->position_timer.watch.fd);
}

void arbiter_close(struct arbiter *arbiter)
{
    if (arbiter == NULL)
        return;
    for (size_t i = 0; i < arbiter->count; i++)
        part(&arbiter->branches[i]);
    timer_close(&arbiter->queue_timer, arbiter->loop);
    timer_close(&arbiter->look_timer, arbiter->loop);
    timer_close(&arbiter->position_timer, arbiter->loop);
    admit_close(arbiter->admit);
    if (arbiter->board != NULL)
        munmap(arbiter->board, sizeof(*arbiter->board));
    free(arbiter->branches);
    free(arbiter);
}
