/* The zygotes of a pool: one serves, is replaced without a gap when it is old, and is started again
 * when it died, after a while that grows with its failures. */
#ifndef WARM_ZYGOTE_PAIR_H
#define WARM_ZYGOTE_PAIR_H

#include "warm/pool.h"

void zygote_pair_init(struct pool *pool);
/* Ends all. Jobs that wait for their children start cold. */
void zygote_pair_close(struct pool *pool);
/* An event: true when the source was one of theirs. */
bool zygote_pair_heard(struct pool *pool, const struct source *source);
/* A child could not be isolated as a cold start's would be: no others are made for a while. */
void zygote_pair_child_failed(struct pool *pool, const struct report *report);
/* Whether one has begun to start, and is not there yet. After a while others need not wait for it.
 */
bool zygote_pair_starting(const struct pool *pool);
/* At first and after each turn: starts, if it may, and replaces what is due. */
void zygote_pair_keep(struct pool *pool, const struct sb_warm_options *options, bool may_start);

static inline const struct zygote *zygote_pair_serving(const struct pool *pool)
{
    return &pool->zygotes[pool->serving];
}

#endif
