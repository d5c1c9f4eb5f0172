/* Admission. See admit.h. */
#include "serve/jobs/admit.h"

#include <stdlib.h>

#include "serve/jobs/admit_state.h"

#define SECOND_US INT64_C(1000000)

/* How many clients that have lost their patience are looked at for one whose job fits. */
#define LOOKED_AT 16

/* ── Tickets ─────────────────────────────────────────────────────────────────────────────────── */

/* The caller sorts the client. */
static void stop_waiting(struct admit *admit, struct ticket *ticket)
{
    struct admit_client *client = ticket->client;
    if (ticket == TAILQ_FIRST(&client->tickets))
        client->impatient = false; /* the next one has waited for less */
    TAILQ_REMOVE(&client->tickets, ticket, in_client);
    TAILQ_REMOVE(&admit->queue, ticket, in_queue);
    admit->counts.waiting--;
    admit->waiting_bytes -= ticket->size;
    client->waiting_bytes -= ticket->size;
    client->waiting--;
}

static void start_running(struct admit *admit, struct ticket *ticket, int64_t now_us)
{
    struct admit_client *client = ticket->client;
    stop_waiting(admit, ticket);
    client->turn = ++admit->last_turn; /* other clients' turns come first */
    ticket->state = TICKET_RUNNING;
    ticket->started_us = now_us;
    client->running++;
    admit->counts.running++;
    admit->counts.promised_bytes += ticket->memory_bytes;
    admit->counts.millicpus += ticket->millicpus;
    admit->reserved_bytes += ticket->reserved ? ticket->memory_bytes : 0;
    admit->sum_started_us += now_us;
    clients_sort(admit, client);
}

static void stop_running(struct admit *admit, struct ticket *ticket, int64_t now_us)
{
    int64_t took_us = now_us - ticket->started_us;
    ticket->client->running--;
    admit->counts.running--;
    admit->counts.promised_bytes -= ticket->memory_bytes;
    admit->counts.millicpus -= ticket->millicpus;
    admit->reserved_bytes -= ticket->reserved ? ticket->memory_bytes : 0;
    admit->extra -= admit->extra > 0;
    admit->sum_started_us -= ticket->started_us;
    admit->mean_us = admit->mean_us == 0 ? took_us : (15 * admit->mean_us + took_us) / 16;
}

int admit_enter(struct admit *admit, struct ticket *ticket, const char *key, int64_t most,
                int64_t now_us)
{
    struct admit_client *client = clients_find(admit, key);
    if (client == NULL)
        return -1;
    client->most = most;
    ticket->client = client;
    ticket->state = TICKET_WAITING;
    ticket->entered_us = now_us;
    TAILQ_INSERT_TAIL(&client->tickets, ticket, in_client);
    TAILQ_INSERT_TAIL(&admit->queue, ticket, in_queue);
    if (client->waiting++ == 0)
        client->turn = ++admit->last_turn;
    client->waiting_bytes += ticket->size;
    admit->waiting_bytes += ticket->size;
    admit->counts.waiting++;
    clients_sort(admit, client);
    return 0;
}

/* ── Whose turn it is ────────────────────────────────────────────────────────────────────────── */

bool admit_is_busy(const struct admit *admit)
{
    return admit->counts.millicpus >= admit->bounds.millicpus;
}

static bool is_full(const struct admit *admit)
{
    return admit->counts.running >= admit->bounds.jobs || admit_is_busy(admit);
}

/* What is left of all memory except for the reserve. Negative: a client that had no job running
 * took more. */
static int64_t common_left(const struct admit *admit)
{
    int64_t promised_bytes = admit->counts.promised_bytes - admit->reserved_bytes;
    return admit->bounds.memory_bytes - admit->bounds.reserve_bytes - promised_bytes;
}

static int64_t reserve_left(const struct admit *admit)
{
    return admit->bounds.reserve_bytes - admit->reserved_bytes;
}

static bool fits(const struct admit *admit, const struct ticket *ticket)
{
    int64_t left = admit->bounds.memory_bytes - admit->counts.promised_bytes;
    return ticket->memory_bytes <= left &&
           (ticket->client->running == 0 || ticket->memory_bytes <= common_left(admit));
}

static const struct ticket *first_in_turn(const struct admit *admit)
{
    const struct admit_client *client = heap_first(&admit->turns);
    return client != NULL ? TAILQ_FIRST(&client->tickets) : NULL;
}

/* Whether a ticket of a client that has no job running may pass `first`, which waits for memory: it
 * may, as long as it takes nothing that `first` waits for. */
static bool may_pass(const struct admit *admit, const struct ticket *ticket,
                     const struct ticket *first)
{
    if (!fits(admit, ticket))
        return false;
    if (ticket == first || fits(admit, first))
        return true;
    return ticket->memory_bytes <= reserve_left(admit) &&
           first->memory_bytes <= admit->bounds.memory_bytes - admit->bounds.reserve_bytes;
}

/* How many jobs may run beside the bound: a quarter more, of places or of CPUs. */
static int64_t extra_most(const struct admit *admit)
{
    int64_t by_cpus = admit->bounds.millicpus / 1000 / 4;
    int64_t most = admit->bounds.extra_jobs;
    return !admit_is_busy(admit) || most <= by_cpus ? most : by_cpus > 1 ? by_cpus : 1;
}

static int64_t patience_end_us(const struct admit *admit, const struct admit_client *client)
{
    return TAILQ_FIRST(&client->tickets)->entered_us + admit->bounds.patience_us;
}

static void lose_patience(struct admit *admit, int64_t now_us)
{
    struct admit_client *client;
    while ((client = heap_first(&admit->calm)) != NULL &&
           patience_end_us(admit, client) <= now_us) {
        client->impatient = true;
        clients_sort(admit, client);
    }
}

/* The ticket of an impatient client that may run now. If the first client's does not fit, a few
 * others are looked at, and further ones the next time. */
static struct ticket *impatient(struct admit *admit, const struct ticket *first)
{
    const struct heap *clients = &admit->impatient;
    if (clients->count == 0 || (is_full(admit) && admit->extra >= extra_most(admit)))
        return NULL;
    size_t looks = clients->count < LOOKED_AT ? clients->count : LOOKED_AT;
    for (size_t i = 0; i < looks; i++) {
        size_t at = clients->count == looks || i == 0 ? i : admit->looked_at++ % clients->count;
        const struct admit_client *client = clients->items[at];
        struct ticket *ticket = TAILQ_FIRST(&client->tickets);
        if (may_pass(admit, ticket, first))
            return ticket;
    }
    return NULL;
}

void admit_hold(struct admit *admit, bool held)
{
    admit->held = held;
}

struct ticket *admit_next(struct admit *admit, int64_t now_us)
{
    lose_patience(admit, now_us);
    const struct ticket *first = admit->held ? NULL : first_in_turn(admit);
    if (first == NULL)
        return NULL;
    bool held = !fits(admit, first);
    struct ticket *ticket =
        is_full(admit) || held ? impatient(admit, first) : TAILQ_FIRST(&first->client->tickets);
    if (ticket == NULL)
        return NULL;
    ticket->reserved = (held || ticket->memory_bytes > common_left(admit)) &&
                       ticket->memory_bytes <= reserve_left(admit);
    admit->extra += is_full(admit);
    start_running(admit, ticket, now_us);
    return ticket;
}

int64_t admit_impatient_us(const struct admit *admit)
{
    const struct admit_client *client = heap_first(&admit->calm);
    return client != NULL ? patience_end_us(admit, client) : -1;
}

void admit_want(struct admit *admit, struct ticket *ticket, int64_t millicpus)
{
    admit->counts.millicpus += millicpus - ticket->millicpus;
    ticket->millicpus = millicpus;
}

/* ── Who is refused ──────────────────────────────────────────────────────────────────────────── */

struct ticket *admit_overflow(struct admit *admit)
{
    bool many = admit->counts.waiting > admit->bounds.queue;
    if (!many && admit->waiting_bytes <= admit->bounds.queue_bytes)
        return NULL;
    const struct admit_client *heaviest = heap_first(many ? &admit->many : &admit->large);
    return TAILQ_LAST(&heaviest->tickets, ticket_list);
}

int64_t admit_expiry_us(const struct admit *admit)
{
    const struct ticket *oldest = TAILQ_FIRST(&admit->queue);
    return oldest != NULL ? oldest->entered_us + admit->bounds.queue_time_us : -1;
}

struct ticket *admit_expired(struct admit *admit, int64_t now_us)
{
    int64_t expiry_us = admit_expiry_us(admit);
    return expiry_us >= 0 && expiry_us <= now_us ? TAILQ_FIRST(&admit->queue) : NULL;
}

void admit_leave(struct admit *admit, struct ticket *ticket, int64_t now_us)
{
    if (ticket->state == TICKET_WAITING)
        stop_waiting(admit, ticket);
    else if (ticket->state == TICKET_RUNNING)
        stop_running(admit, ticket, now_us);
    else
        return;
    clients_sort(admit, ticket->client);
    ticket->state = TICKET_OUTSIDE;
    ticket->client = NULL;
}

/* ── The whole ───────────────────────────────────────────────────────────────────────────────── */

struct admit_counts admit_counts(const struct admit *admit)
{
    return admit->counts;
}

int64_t admit_free(const struct admit *admit)
{
    if (admit->held || admit->counts.waiting > 0 || admit_is_busy(admit))
        return 0;
    return admit->bounds.jobs - admit->counts.running;
}

int64_t admit_retry_after(const struct admit *admit, int64_t now_us)
{
    /* If no job has ended yet, the running ones show how long jobs take at least. */
    int64_t running = admit->counts.running > 0 ? admit->counts.running : 1;
    int64_t so_far_us = (admit->counts.running * now_us - admit->sum_started_us) / running;
    int64_t each_us = admit->mean_us > so_far_us ? admit->mean_us : so_far_us;
    int64_t wait_us = each_us / running * (admit->counts.waiting + 1);
    /* By then each request that waits now has had its turn, or has been refused. */
    if (wait_us > admit->bounds.queue_time_us)
        wait_us = admit->bounds.queue_time_us;
    return wait_us < SECOND_US ? 1 : (wait_us + SECOND_US - 1) / SECOND_US;
}

int admit_open(struct admit **out, const struct admit_bounds *bounds)
{
    struct admit *admit = calloc(1, sizeof(*admit));
    if (admit == NULL)
        return -1;
    admit->bounds = *bounds;
    clients_open(admit);
    TAILQ_INIT(&admit->queue);
    *out = admit;
    return 0;
}

void admit_close(struct admit *admit)
{
    if (admit == NULL)
        return;
    clients_close(admit);
    free(admit);
}
