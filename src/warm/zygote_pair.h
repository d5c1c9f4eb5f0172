/* The zygotes of a pool. One serves. It is replaced without a gap when it is old, and started again
 * when it died, after a pause that grows with each failure. */
#ifndef WARM_ZYGOTE_PAIR_H
#define WARM_ZYGOTE_PAIR_H

#include "warm/pool.h"

void zygote_pair_init(struct pool *pool);
/* Ends both zygotes. Jobs that wait for a child start cold. */
void zygote_pair_close(struct pool *pool);
/* Handles an event. True: the source was one of these zygotes'. */
bool zygote_pair_heard(struct pool *pool, const struct source *source);
/* A step of a child failed: ends the serving zygote, which is started again after a pause. */
void zygote_pair_child_failed(struct pool *pool, const struct report *report);
/* Whether a zygote is starting. After START_US it does not count any more, so that other pools need
 * not wait for it. */
bool zygote_pair_starting(const struct pool *pool);
/* Called at first and after each turn: starts a zygote that is due, if `may_start`, and replaces an
 * old one. */
void zygote_pair_keep(struct pool *pool, const struct sb_warm_options *options, bool may_start);

static inline const struct zygote *zygote_pair_serving(const struct pool *pool)
{
    return &pool->zygotes[pool->serving];
}

#endif
