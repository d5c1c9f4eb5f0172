/* Commands to Redis, and what its replies say. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "serve/store/redis_state.h"

/* ── Words of a command ──────────────────────────────────────────────────────────────────────── */

void add_bytes(struct words *words, const void *bytes, size_t size)
{
    words->word[words->count] = size > 0 ? bytes : "";
    words->size[words->count++] = size;
}

void add(struct words *words, const char *text)
{
    add_bytes(words, text, strlen(text));
}

void add_number(struct words *words, int64_t number)
{
    char *text = words->number[words->count];
    snprintf(text, NUMBER, "%" PRId64, number);
    add(words, text);
}

struct words redis_script(const struct store *store, const char *text)
{
    struct words words = {.count = 0};
    add(&words, "EVAL");
    add(&words, text);
    add(&words, "1");
    add(&words, store->key);
    add(&words, store->prefix);
    return words;
}

void redis_run(struct store *store, const struct words *words, redis_replied *replied, void *user)
{
    if (store->unfit[0] != '\0')
        replied(user, NULL, store->unfit);
    else
        redis_send(store->commands, replied, user, words->count, words->word, words->size);
}

/* ── Replies ─────────────────────────────────────────────────────────────────────────────────── */

struct call *redis_call_make(struct store *store, const char *id, const char *owner, void *user)
{
    struct call *call = calloc(1, sizeof(*call));
    if (call == NULL)
        return NULL;
    *call = (struct call){.store = store, .user = user, .sent_us = monotonic_us()};
    snprintf(call->id, sizeof(call->id), "%s", id != NULL ? id : "");
    call->owner = owner != NULL ? strdup(owner) : NULL;
    LIST_INSERT_HEAD(&store->calls, call, next);
    if (owner == NULL || call->owner != NULL)
        return call;
    redis_call_free(call);
    return NULL;
}

void redis_call_free(struct call *call)
{
    LIST_REMOVE(call, next);
    free(call->owner);
    free(call);
}

const char redis_no_memory[] = "the service is short of memory";

const char *redis_failure(const struct store *store, const redisReply *reply, const char *lost,
                          char text[FAILURE_SIZE])
{
    if (reply == NULL && lost == store->unfit)
        snprintf(text, FAILURE_SIZE, "the job store %s", lost);
    else if (reply == NULL)
        snprintf(text, FAILURE_SIZE, "the job store can't be reached: %.200s", lost);
    else if (reply->type != REDIS_REPLY_ERROR)
        return NULL;
    else if (strstr(reply->str, "OOM") != NULL)
        snprintf(text, FAILURE_SIZE,
                 "the job store is full: give Redis more maxmemory, or let results "
                 "expire sooner (--result-ttl)");
    else
        snprintf(text, FAILURE_SIZE, "the job store refuses: %.200s", reply->str);
    return text;
}

const char *redis_text(const redisReply *reply, size_t index)
{
    const redisReply *element = index < reply->elements ? reply->element[index] : NULL;
    return element != NULL && element->str != NULL ? element->str : "";
}

int64_t redis_number(const redisReply *reply, size_t index)
{
    const redisReply *element = index < reply->elements ? reply->element[index] : NULL;
    if (element == NULL)
        return 0;
    return element->type == REDIS_REPLY_INTEGER ? element->integer
           : element->str != NULL               ? strtoll(element->str, NULL, 10)
                                                : 0;
}

enum store_state redis_state(const char *name)
{
    for (int i = 0; i <= STORE_CANCELLED; i++)
        if (strcmp(store_state_names[i], name) == 0)
            return (enum store_state)i;
    return STORE_LOST;
}

struct store_job redis_job(const redisReply *reply, size_t at, const char *id, const char *owner)
{
    const char *reason = redis_text(reply, at + 8);
    return (struct store_job){.id = id,
                              .owner = owner,
                              .state = redis_state(redis_text(reply, at)),
                              .policy = redis_text(reply, at + 1),
                              .created_ms = redis_number(reply, at + 2),
                              .started_ms = redis_number(reply, at + 3),
                              .ended_ms = redis_number(reply, at + 4),
                              .tries = redis_number(reply, at + 5),
                              .before = redis_number(reply, at + 6),
                              .status = (int)redis_number(reply, at + 7),
                              .reason = *reason != '\0' ? reason : NULL};
}
