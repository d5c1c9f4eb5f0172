/* Whether a Redis server lets us in, and keeps what it is given. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/util.h"
#include "serve/store/redis_state.h"

enum { LOOK_MS = 10, WAIT_US = 5000000 };

/* ── Whether the server is fit ───────────────────────────────────────────────────────────────── */

/* A server that evicts keys loses jobs. */
static void judge(char unfit[UNFIT_SIZE], const redisReply *reply)
{
    const char *policy = reply->str != NULL ? strstr(reply->str, "maxmemory_policy:") : NULL;
    unfit[0] = '\0';
    if (reply->type == REDIS_REPLY_ERROR)
        snprintf(unfit, UNFIT_SIZE, "does not answer INFO (%.100s): allow it (ACL: +info)",
                 reply->str);
    else if (policy == NULL || strncmp(policy, "maxmemory_policy:noeviction", 27) != 0)
        snprintf(unfit, UNFIT_SIZE,
                 "may evict keys, and with them jobs: set maxmemory-policy to noeviction");
}

static void judged(void *user, const redisReply *reply, const char *lost)
{
    struct store *store = user;
    (void)lost;
    if (reply == NULL)
        return;
    bool first = !store->judged;
    judge(store->unfit, reply);
    store->judged = true;
    if (store->unfit[0] != '\0') {
        if (!first) /* at the start it is an error */
            log_say(store->setup.log, LOG_ERR, "the job store %s %s", store->address.shown,
                    store->unfit);
        return;
    }
    if (store->held_count > 0)
        lease_renew(store);
    store->setup.changed(store->setup.user);
}

void fit_ask(void *user)
{
    struct store *store = user;
    if (store->unheard)
        lease_return(store);
    redis_send(store->commands, judged, store, 2, (const char *[]){"INFO", "memory"}, NULL);
}

/* ── Waiting for it at the start ─────────────────────────────────────────────────────────────── */

struct wait {
    const struct store *store;
    struct loop *loop;
    struct timer timer;
    int64_t until_us;
};

/* Why it is of no use to wait any longer; NULL: it may still come. */
static const char *remedy(const struct store *store)
{
    const char *commands = redis_link_remedy(store->commands);
    return commands != NULL ? commands : redis_link_remedy(store->events);
}

static bool is_there(const struct store *store)
{
    return store->judged && redis_link_is_up(store->commands) && redis_link_is_up(store->events);
}

static void look(void *user)
{
    struct wait *wait = user;
    const struct store *store = wait->store;
    if (is_there(store) || store->unfit[0] != '\0' || remedy(store) != NULL ||
        monotonic_us() >= wait->until_us)
        loop_stop(wait->loop);
    else
        timer_set(&wait->timer, LOOK_MS);
}

static int say_wait(const struct store *store, struct sb_error *err)
{
    if (store->unfit[0] != '\0')
        return sb_fail_field(err, "store", "store", "--store: %s %s", store->address.shown,
                             store->unfit);
    if (remedy(store) != NULL)
        return sb_fail_field(err, "store", "store", "--store: %s: %s; %s", store->address.shown,
                             redis_link_lost(redis_link_remedy(store->commands) != NULL
                                                 ? store->commands
                                                 : store->events),
                             remedy(store));
    return 0; /* if it can't be reached, it may come later */
}

int fit_await(const struct store *store, struct loop *loop, struct sb_error *err)
{
    struct wait wait = {.store = store, .loop = loop, .until_us = monotonic_us() + WAIT_US};
    if (timer_open(&wait.timer, loop, look, &wait) < 0)
        return sb_fail(err, "store", errno, "can't create a timer");
    look(&wait);
    int result = loop_run(loop, err);
    timer_close(&wait.timer, loop);
    return result < 0 ? -1 : say_wait(store, err);
}
