/* Clients of admission, and the orders in which they stand: whose turn is next, whose patience ends
 * first, who has most in the queue. */
#include <search.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "serve/jobs/admit_state.h"

/* ── Orders of clients ───────────────────────────────────────────────────────────────────────── */

static bool turn_comes_first(const void *a, const void *b)
{
    return ((const struct admit_client *)a)->turn < ((const struct admit_client *)b)->turn;
}

static bool has_waited_longer(const void *a, const void *b)
{
    const struct admit_client *one = a, *other = b;
    return TAILQ_FIRST(&one->tickets)->entered_us < TAILQ_FIRST(&other->tickets)->entered_us;
}

/* Of two with the same weight, the one that reached it last. */
static bool is_heavier(const struct admit_client *a, int64_t weight, const struct admit_client *b,
                       int64_t other)
{
    return weight != other ? weight > other
                           : TAILQ_LAST(&a->tickets, ticket_list)->entered_us >
                                 TAILQ_LAST(&b->tickets, ticket_list)->entered_us;
}

static bool has_more(const void *a, const void *b)
{
    const struct admit_client *one = a, *other = b;
    return is_heavier(one, one->waiting, other, other->waiting);
}

static bool has_larger(const void *a, const void *b)
{
    const struct admit_client *one = a, *other = b;
    return is_heavier(one, one->waiting_bytes, other, other->waiting_bytes);
}

void clients_open(struct admit *admit)
{
#define HEAP(order, member)                                                                        \
    ((struct heap){.before = (order), .place_at = offsetof(struct admit_client, member)})
    admit->turns = HEAP(turn_comes_first, in_turns);
    admit->calm = HEAP(has_waited_longer, in_calm);
    admit->impatient = HEAP(turn_comes_first, in_impatient);
    admit->many = HEAP(has_more, in_many);
    admit->large = HEAP(has_larger, in_large);
#undef HEAP
}

static int reserve_heaps(struct admit *admit, size_t count)
{
    return heap_reserve(&admit->turns, count) < 0 || heap_reserve(&admit->calm, count) < 0 ||
                   heap_reserve(&admit->impatient, count) < 0 ||
                   heap_reserve(&admit->many, count) < 0 || heap_reserve(&admit->large, count) < 0
               ? -1
               : 0;
}

static void keep_in_order(struct admit *admit, struct admit_client *client)
{
    bool waits = client->waiting > 0, idle = waits && client->running == 0;
    heap_keep(&admit->many, client, waits);
    heap_keep(&admit->large, client, waits);
    heap_keep(&admit->turns, client,
              waits && (client->most == 0 || client->running < client->most));
    heap_keep(&admit->calm, client, idle && !client->impatient);
    heap_keep(&admit->impatient, client, idle && client->impatient);
}

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

struct admit_client *clients_find(struct admit *admit, const char *key)
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
    if (client->key != NULL && reserve_heaps(admit, admit->clients_count + 1) == 0 &&
        tsearch(client, &admit->clients, compare_clients) != NULL) {
        admit->clients_count++;
        return client;
    }
    free_client(client);
    return NULL;
}

void clients_sort(struct admit *admit, struct admit_client *client)
{
    keep_in_order(admit, client);
    if (client->running > 0 || client->waiting > 0)
        return;
    tdelete(client, &admit->clients, compare_clients);
    admit->clients_count--;
    free_client(client);
}

void clients_close(struct admit *admit)
{
    tdestroy(admit->clients, free_client);
    heap_free(&admit->turns);
    heap_free(&admit->calm);
    heap_free(&admit->impatient);
    heap_free(&admit->many);
    heap_free(&admit->large);
}
