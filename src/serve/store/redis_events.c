/* What Redis tells by channels: "new", a job waits; "n:NODE", a job of this node is no longer its
 * own; "e:ID", a job has ended, for those whose end somebody here waits for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serve/store/redis_state.h"

static void follow(struct store *store, const char *verb, const char *kind, const char *name)
{
    char channel[512];
    snprintf(channel, sizeof(channel), "%s%s%s", store->prefix, kind, name);
    redis_send(store->events, NULL, NULL, 2, (const char *[]){verb, channel}, NULL);
}

static struct watched *find_watched(struct store *store, const char *id)
{
    struct watched *watched;
    LIST_FOREACH(watched, &store->watched[redis_bucket(id)], next)
    if (strcmp(watched->id, id) == 0)
        break;
    return watched;
}

void events_watch(struct store *store, const char *id, bool on)
{
    struct watched *watched = find_watched(store, id);
    if (on && watched == NULL) {
        watched = calloc(1, sizeof(*watched));
        if (watched == NULL)
            return; /* who waits asks again when its time is over */
        snprintf(watched->id, sizeof(watched->id), "%s", id);
        LIST_INSERT_HEAD(&store->watched[redis_bucket(id)], watched, next);
        follow(store, "SUBSCRIBE", "e:", id);
    } else if (!on && watched != NULL) {
        LIST_REMOVE(watched, next);
        follow(store, "UNSUBSCRIBE", "e:", id);
        free(watched);
    }
}

static void state_came(void *user, const redisReply *reply, const char *lost)
{
    struct call *call = user;
    (void)lost; /* it is asked again when the connection is there */
    if (reply != NULL && reply->type == REDIS_REPLY_STRING && redis_state(reply->str) >= STORE_DONE)
        call->store->setup.ended(call->store->setup.user, call->id);
    redis_call_free(call);
}

/* From now on its end is heard of; it may have come before. */
static void follows(struct store *store, const char *id)
{
    char key[512];
    struct call *call = redis_call_make(store, id, NULL, NULL);
    if (call == NULL)
        return;
    snprintf(key, sizeof(key), "%sj:%s", store->prefix, id);
    redis_send(store->commands, state_came, call, 3, (const char *[]){"HGET", key, "state"}, NULL);
}

void events_message(void *user, const char *verb, const char *channel, const char *text)
{
    struct store *store = user;
    const char *kind = channel + strlen(store->prefix);
    bool message = strcmp(verb, "message") == 0;
    if (strncmp(channel, store->prefix, strlen(store->prefix)) != 0)
        return;
    if (message && strcmp(kind, "new") == 0) {
        store->setup.changed(store->setup.user);
    } else if (message && kind[0] == 'n') {
        char id[STORE_ID_SIZE];
        snprintf(id, sizeof(id), "%s", text);
        lease_end(store, id);
        store->setup.ended(store->setup.user, id);
    } else if (message && kind[0] == 'e') {
        store->setup.ended(store->setup.user, kind + 2);
    } else if (kind[0] == 'e' && strcmp(verb, "subscribe") == 0) {
        follows(store, kind + 2);
    }
}

/* What was said meanwhile was not heard: it is asked again. */
void events_up(void *user)
{
    struct store *store = user;
    follow(store, "SUBSCRIBE", "new", "");
    follow(store, "SUBSCRIBE", "n:", store->name);
    for (size_t i = 0; i < BUCKETS; i++) {
        struct watched *watched;
        LIST_FOREACH(watched, &store->watched[i], next)
        follow(store, "SUBSCRIBE", "e:", watched->id);
    }
    store->setup.changed(store->setup.user);
}

void events_end(struct store *store)
{
    for (size_t i = 0; i < BUCKETS; i++)
        while (!LIST_EMPTY(&store->watched[i])) {
            struct watched *watched = LIST_FIRST(&store->watched[i]);
            LIST_REMOVE(watched, next);
            free(watched);
        }
}
