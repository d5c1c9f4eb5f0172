/* The leases of the jobs that this node has claimed: renewed, ended, or lost. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "serve/store/redis_state.h"

/* ── What this node holds ────────────────────────────────────────────────────────────────────── */

size_t redis_bucket(const char *id)
{
    size_t sum = 0;
    for (; *id != '\0'; id++)
        sum = sum * 31 + (unsigned char)*id;
    return sum % BUCKETS;
}

struct held *lease_find(struct store *store, const char *id)
{
    struct held *held;
    LIST_FOREACH(held, &store->held[redis_bucket(id)], next)
    if (strcmp(held->id, id) == 0)
        break;
    return held;
}

bool lease_holds(struct store *store, const char *id, int64_t try)
{
    const struct held *held = lease_find(store, id);
    return held != NULL && held->try == try;
}

void lease_end(struct store *store, const char *id)
{
    struct held *held = lease_find(store, id);
    if (held == NULL)
        return;
    LIST_REMOVE(held, next);
    free(held);
    if (--store->held_count == 0)
        timer_set(&store->fence, -1);
}

void lease_end_all(struct store *store)
{
    for (size_t i = 0; i < BUCKETS; i++)
        while (!LIST_EMPTY(&store->held[i]))
            lease_end(store, LIST_FIRST(&store->held[i])->id);
}

static int64_t quarter_us(const struct store *store)
{
    return store->setup.bounds.lease_ms * 1000 / 4;
}

static void set_fence(struct store *store, int64_t renewed_us)
{
    store->renewed_us = renewed_us;
    int64_t left_ms = (renewed_us + 3 * quarter_us(store) - monotonic_us()) / 1000;
    timer_set(&store->fence, left_ms > 0 ? left_ms : 0);
}

int lease_begin(struct store *store, const char *id, int64_t try, int64_t since_us)
{
    struct held *held = lease_find(store, id);
    if (held != NULL) { /* it was thought lost, and came back to us */
        held->try = try;
        held->known_us = monotonic_us();
        return 0;
    }
    held = calloc(1, sizeof(*held));
    if (held == NULL)
        return -1;
    snprintf(held->id, sizeof(held->id), "%s", id);
    held->try = try;
    held->known_us = monotonic_us();
    LIST_INSERT_HEAD(&store->held[redis_bucket(id)], held, next);
    if (store->held_count++ == 0)
        set_fence(store, since_us);
    return 0;
}

/* Another node may claim our jobs soon. */
void lease_fence(void *user)
{
    struct store *store = user;
    log_say(store->setup.log, LOG_ERR,
            "the job store %s could not be reached for three quarters of the lease: jobs that were "
            "claimed from it are ended, another node runs them",
            store->address.shown);
    lease_end_all(store);
    store->setup.fenced(store->setup.user);
}

/* ── Renewal ─────────────────────────────────────────────────────────────────────────────────── */

void redis_note_counts(struct store *store, const redisReply *reply)
{
    store->counts.queued = redis_number(reply, 0);
    store->counts.running = redis_number(reply, 1);
}

static void renewed(void *user, const redisReply *reply, const char *lost)
{
    struct call *call = user;
    struct store *store = call->store;
    char text[FAILURE_SIZE];
    if (redis_failure(store, reply, lost, text) == NULL && reply->elements == 3) {
        redis_note_counts(store, reply);
        if (store->held_count > 0)
            set_fence(store, call->sent_us);
        const redisReply *gone = reply->element[2];
        for (size_t i = 0; i < gone->elements; i++) {
            char id[STORE_ID_SIZE];
            snprintf(id, sizeof(id), "%s", redis_text(gone, i));
            const struct held *held = lease_find(store, id);
            if (held == NULL || held->known_us > call->sent_us)
                continue; /* an older try was asked for */
            lease_end(store, id);
            store->setup.ended(store->setup.user, id);
        }
    }
    redis_call_free(call);
}

/* A command that names all jobs that are held, however many they are, with their tries if it wants
 * them. */
static void send_held(struct store *store, const struct words *begin, bool with_tries,
                      redis_replied *replied)
{
    size_t most = begin->count + 2 * store->held_count, count = begin->count;
    struct call *call = redis_call_make(store, NULL, NULL, NULL);
    const char **words = calloc(most, sizeof(*words));
    size_t *sizes = calloc(most, sizeof(*sizes));
    char(*tries)[NUMBER] = calloc(store->held_count + 1, sizeof(*tries));
    if (call == NULL || words == NULL || sizes == NULL || tries == NULL) {
        if (call != NULL)
            redis_call_free(call);
        goto end; /* the next renewal, or the fence */
    }
    memcpy(words, begin->word, count * sizeof(*words));
    memcpy(sizes, begin->size, count * sizeof(*sizes));
    for (size_t i = 0, number = 0; i < BUCKETS; i++) {
        struct held *held;
        LIST_FOREACH(held, &store->held[i], next)
        {
            words[count] = held->id;
            sizes[count++] = strlen(held->id);
            if (!with_tries)
                continue;
            snprintf(tries[number], NUMBER, "%" PRId64, held->try);
            words[count] = tries[number];
            sizes[count++] = strlen(tries[number++]);
        }
    }
    redis_send(store->commands, replied, call, count, words, sizes);
end:
    free(words);
    free(sizes);
    free(tries);
}

void lease_renew(struct store *store)
{
    struct words begin = redis_script(store, SCRIPT_RENEW);
    add_number(&begin, store->setup.bounds.lease_ms);
    add_number(&begin, store->setup.bounds.job_ttl_ms);
    send_held(store, &begin, true, renewed);
}

static void returned(void *user, const redisReply *reply, const char *lost)
{
    struct call *call = user;
    (void)reply, (void)lost; /* what is not given back waits for the end of its lease */
    redis_call_free(call);
}

void lease_return(struct store *store)
{
    struct words begin = redis_script(store, SCRIPT_RETURN);
    add(&begin, store->name);
    add_number(&begin, store->heard);
    send_held(store, &begin, false, returned);
}

void lease_plan(struct store *store)
{
    int64_t quarter_ms = quarter_us(store) / 1000;
    timer_set(&store->renewal, quarter_ms - quarter_ms * (random() % 16) / 100);
}

/* The time to look for jobs of lost nodes, too. */
void lease_due(void *user)
{
    struct store *store = user;
    lease_plan(store);
    if (store->held_count > 0 && monotonic_us() - store->renewed_us >= 3 * quarter_us(store))
        lease_fence(store); /* this process was stopped for long */
    lease_renew(store);
    if (!redis_link_is_up(store->commands))
        return;
    if (store->unheard) /* once more: what a lost connection had sent has run by now */
        lease_return(store);
    store->unheard = false;
    store->setup.changed(store->setup.user);
}
