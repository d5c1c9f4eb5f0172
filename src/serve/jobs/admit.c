/* Admission. See admit.h. */
#include "serve/jobs/admit.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_US INT64_C(1000000)

TAILQ_HEAD(ticket_list, ticket);
TAILQ_HEAD(client_list, admit_client);

/* Exists as long as one of its tickets waits or runs. */
struct admit_client {
    char *key;
    int64_t most; /* jobs at once, 0: any number */
    int64_t running, waiting, waiting_bytes;
    struct ticket_list tickets;        /* that wait, oldest first */
    TAILQ_ENTRY(admit_client) in_turn; /* while any waits */
};

struct admit {
    struct admit_bounds bounds;
    void *clients;            /* by key: tsearch(3) */
    struct client_list turns; /* whose tickets wait, the next one first */
    struct ticket_list queue; /* all that wait, oldest first */
    struct admit_counts counts;
    bool held;              /* no ticket's turn comes */
    int64_t extra;          /* jobs that run beside the bound; one less whenever any job ends */
    int64_t reserved_bytes; /* promised out of the reserve */
    int64_t waiting_bytes;
    int64_t mean_us;        /* average time that jobs took, the latest counting most; 0: none yet */
    int64_t sum_started_us; /* of those that run */
};

/* ── Clients ─────────────────────────────────────────────────────────────────────────────────── */

static int compare_clients(const void *a, const void *b)
{
    return strcmp(((const struct admit_client *)a)->key, ((const struct admit_client *)b)->key);
}

static void free_client(void *data)
{
    struct admit_client *client = data;
    free(client->key);
    free(client);
}

static struct admit_client *find_client(struct admit *admit, const char *key)
{
    struct admit_client wanted = {.key = (char *)key};
    struct admit_client **found = tfind(&wanted, &admit->clients, compare_clients);
    if (found != NULL)
        return *found;
    struct admit_client *client = calloc(1, sizeof(*client));
    if (client == NULL)
        return NULL;
    TAILQ_INIT(&client->tickets);
    client->key = strdup(key);
    if (client->key != NULL && tsearch(client, &admit->clients, compare_clients) != NULL)
        return client;
    free_client(client);
    return NULL;
}

static void release_client(struct admit *admit, struct admit_client *client)
{
    if (client->running > 0 || client->waiting > 0)
        return;
    tdelete(client, &admit->clients, compare_clients);
    free_client(client);
}

/* ── Tickets ─────────────────────────────────────────────────────────────────────────────────── */

static void stop_waiting(struct admit *admit, struct ticket *ticket)
{
    struct admit_client *client = ticket->client;
    TAILQ_REMOVE(&client->tickets, ticket, in_client);
    TAILQ_REMOVE(&admit->queue, ticket, in_queue);
    admit->counts.waiting--;
    admit->waiting_bytes -= ticket->size;
    client->waiting_bytes -= ticket->size;
    if (--client->waiting == 0)
        TAILQ_REMOVE(&admit->turns, client, in_turn);
}

static void start_running(struct admit *admit, struct ticket *ticket, int64_t now_us)
{
    struct admit_client *client = ticket->client;
    stop_waiting(admit, ticket);
    if (client->waiting > 0) { /* other clients' turns come first */
        TAILQ_REMOVE(&admit->turns, client, in_turn);
        TAILQ_INSERT_TAIL(&admit->turns, client, in_turn);
    }
    ticket->state = TICKET_RUNNING;
    ticket->started_us = now_us;
    client->running++;
    admit->counts.running++;
    admit->counts.promised_bytes += ticket->memory_bytes;
    admit->counts.millicpus += ticket->millicpus;
    admit->reserved_bytes += ticket->reserved ? ticket->memory_bytes : 0;
    admit->sum_started_us += now_us;
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
    struct admit_client *client = find_client(admit, key);
    if (client == NULL)
        return -1;
    client->most = most;
    ticket->client = client;
    ticket->state = TICKET_WAITING;
    ticket->entered_us = now_us;
    TAILQ_INSERT_TAIL(&client->tickets, ticket, in_client);
    TAILQ_INSERT_TAIL(&admit->queue, ticket, in_queue);
    if (client->waiting++ == 0)
        TAILQ_INSERT_TAIL(&admit->turns, client, in_turn);
    client->waiting_bytes += ticket->size;
    admit->waiting_bytes += ticket->size;
    admit->counts.waiting++;
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
    struct admit_client *client;
    TAILQ_FOREACH(client, &admit->turns, in_turn)
    if (client->most == 0 || client->running < client->most)
        return TAILQ_FIRST(&client->tickets);
    return NULL;
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

static struct ticket *impatient(const struct admit *admit, const struct ticket *first,
                                int64_t now_us)
{
    struct admit_client *client;
    if (is_full(admit) && admit->extra >= extra_most(admit))
        return NULL;
    TAILQ_FOREACH(client, &admit->turns, in_turn)
    {
        struct ticket *ticket = TAILQ_FIRST(&client->tickets);
        if (client->running == 0 && now_us - ticket->entered_us >= admit->bounds.patience_us &&
            may_pass(admit, ticket, first))
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
    const struct ticket *first = admit->held ? NULL : first_in_turn(admit);
    if (first == NULL)
        return NULL;
    bool held = !fits(admit, first);
    struct ticket *ticket = is_full(admit) || held ? impatient(admit, first, now_us)
                                                   : TAILQ_FIRST(&first->client->tickets);
    if (ticket == NULL)
        return NULL;
    ticket->reserved = (held || ticket->memory_bytes > common_left(admit)) &&
                       ticket->memory_bytes <= reserve_left(admit);
    admit->extra += is_full(admit);
    start_running(admit, ticket, now_us);
    return ticket;
}

int64_t admit_position(const struct admit *admit, const struct ticket *ticket)
{
    const struct admit_client *client;
    const struct ticket *other;
    int64_t before = 0, position = 1;
    TAILQ_FOREACH(other, &ticket->client->tickets, in_client)
    {
        if (other == ticket)
            break;
        before++;
    }
    int64_t turns = before + 1; /* of each client whose turn is earlier; then one less */
    TAILQ_FOREACH(client, &admit->turns, in_turn)
    {
        if (client == ticket->client)
            turns--;
        position += client->waiting < turns ? client->waiting : turns;
    }
    return position;
}

int64_t admit_impatient_us(const struct admit *admit, int64_t now_us)
{
    struct ticket *ticket;
    TAILQ_FOREACH(ticket, &admit->queue, in_queue)
    {
        int64_t end_us = ticket->entered_us + admit->bounds.patience_us;
        if (ticket->client->running == 0 && end_us > now_us)
            return end_us;
    }
    return -1;
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
    struct admit_client *client, *heaviest = NULL;
    TAILQ_FOREACH(client, &admit->turns, in_turn)
    {
        int64_t weight = many ? client->waiting : client->waiting_bytes;
        int64_t most = heaviest == NULL ? -1 : many ? heaviest->waiting : heaviest->waiting_bytes;
        /* Of two with the same weight, the one that reached it last. */
        if (weight > most ||
            (weight == most && TAILQ_LAST(&client->tickets, ticket_list)->entered_us >=
                                   TAILQ_LAST(&heaviest->tickets, ticket_list)->entered_us))
            heaviest = client;
    }
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
    ticket->state = TICKET_OUTSIDE;
    release_client(admit, ticket->client);
    ticket->client = NULL;
}

/* ── The whole ───────────────────────────────────────────────────────────────────────────────── */

struct admit_counts admit_counts(const struct admit *admit)
{
    return admit->counts;
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
    TAILQ_INIT(&admit->turns);
    TAILQ_INIT(&admit->queue);
    *out = admit;
    return 0;
}

void admit_close(struct admit *admit)
{
    if (admit == NULL)
        return;
    tdestroy(admit->clients, free_client);
    free(admit);
}
