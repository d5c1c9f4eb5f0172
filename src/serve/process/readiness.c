/* Readiness, from the metrics that all workers share. */
#include "serve/process/readiness.h"

#include <stdio.h>

/* Whether a request would be refused because too many wait. Without a queue a request is refused
 * when no slot is free. */
static bool is_full(const struct readiness *readiness, int64_t queue)
{
    return queue > 0 ? readiness->queued >= queue : readiness->running >= readiness->slots;
}

static void judge(struct readiness *readiness, const char *failing, int64_t queue)
{
    const char *reason = "";
    if (readiness->stage == STAGE_DRAINS)
        reason = "the service is stopping";
    else if (readiness->stage == STAGE_LINGERS)
        reason = "the service is about to stop";
    else if (failing != NULL)
        reason = failing;
    else if (is_full(readiness, queue))
        reason = "the queue is full";
    snprintf(readiness->reason, sizeof(readiness->reason), "%s", reason);
    readiness->failing = failing != NULL;
    readiness->ready = *reason == '\0';
}

struct readiness readiness_of(const struct metrics *metrics, size_t workers)
{
    struct readiness all = {.stage = STAGE_SERVES};
    const char *failing = NULL;
    int64_t queue = 0;
    for (size_t i = 0; i < workers; i++) {
        const struct metrics *one = &metrics[i];
        enum stage stage = (enum stage)metrics_get(&one->stage);
        all.stage = stage > all.stage ? stage : all.stage;
        all.running += metrics_get(&one->running);
        all.slots += metrics_get(&one->slots);
        all.queued += metrics_get(&one->waiting);
        all.promised_bytes += metrics_get(&one->promised_bytes);
        queue += metrics_get(&one->queue);
        all.store_fails |= metrics_get(&one->store_failing) != 0;
        if (failing == NULL && atomic_load_explicit(&one->failing, memory_order_acquire) != 0)
            failing = one->failing_reason;
    }
    judge(&all, failing, queue);
    return all;
}

int readiness_free_percent(const struct readiness *readiness)
{
    int64_t free = readiness->slots - readiness->running;
    int64_t percent = readiness->slots > 0 ? free * 100 / readiness->slots : 0;
    return percent < 1 ? 1 : (int)percent;
}
