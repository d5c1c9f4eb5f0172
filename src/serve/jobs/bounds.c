/* See bounds.h. */
#include "serve/jobs/bounds.h"

#include "serve/jobs/capacity.h"

/* How much memory waiting requests may hold: a queue of large bodies must not take what has been
 * promised to jobs. */
#define QUEUE_BYTES (INT64_C(128) * 1024 * 1024)
/* How long a client that has no job running waits for the jobs of others. */
#define PATIENCE_US INT64_C(250000)

/* The memory reserved for clients that have no job running; 0 if no policy's job fits into it. */
static int64_t reserve_of(const struct policies *policies, int64_t memory_bytes)
{
    int64_t reserve_bytes = memory_bytes / 8;
    for (size_t i = 0; i < policies->count; i++)
        if (sb_policy_limit(policies->policy[i], SB_MEMORY_BYTES) <= reserve_bytes)
            return reserve_bytes;
    return 0;
}

struct admit_bounds bounds_of(const struct config *config, const struct policies *policies)
{
    int64_t jobs = config->jobs > 0 ? config->jobs : capacity_jobs();
    int64_t memory_bytes = config->memory_bytes > 0 ? config->memory_bytes : capacity_memory();
    return (struct admit_bounds){
        .jobs = jobs,
        .extra_jobs = config_extra_jobs(jobs),
        .millicpus = capacity_millicpus(),
        .memory_bytes = memory_bytes,
        .reserve_bytes = reserve_of(policies, memory_bytes),
        .patience_us = PATIENCE_US,
        .queue = config->queue,
        .queue_bytes = QUEUE_BYTES,
        .queue_time_us = config->queue_time_ms * 1000,
    };
}

int bounds_read(struct admit_bounds *bounds, const struct config *config, struct sb_error *err)
{
    struct policies *policies;
    if (policies_load(&policies, config->policies, err) < 0)
        return -1;
    *bounds = bounds_of(config, policies);
    policies_release(policies);
    return 0;
}
