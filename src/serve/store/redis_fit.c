/* Whether a Redis server lets us in, and keeps what it is given. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/util.h"
#include "serve/store/redis_state.h"

enum { LOOK_MS = 10, CHECK_US = 5000000 };

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
    judge(store->unfit, reply);
    if (store->unfit[0] != '\0') {
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
    redis_send(store->commands, judged, store, 2, (const char *[]){"INFO", "memory"}, NULL);
}

/* ── Trying it at the start ──────────────────────────────────────────────────────────────────── */

struct trial {
    struct loop *loop;
    struct redis_link *link;
    struct timer timer;
    int64_t until_us;
    bool answered;
    char unfit[UNFIT_SIZE];
};

static void look(void *user)
{
    struct trial *trial = user;
    if (trial->answered || redis_link_refused(trial->link) || monotonic_us() >= trial->until_us)
        loop_stop(trial->loop);
    else
        timer_set(&trial->timer, LOOK_MS);
}

static void trial_judged(void *user, const redisReply *reply, const char *lost)
{
    struct trial *trial = user;
    (void)lost;
    if (reply == NULL)
        return;
    judge(trial->unfit, reply);
    trial->answered = true;
    look(trial);
}

static void trial_up(void *user)
{
    struct trial *trial = user;
    redis_send(trial->link, trial_judged, trial, 2, (const char *[]){"INFO", "memory"}, NULL);
}

static int say_trial(const struct store *store, const struct trial *trial, struct sb_error *err)
{
    if (trial->unfit[0] != '\0')
        return sb_fail_field(err, "store", "store", "--store: %s %s", store->address.shown,
                             trial->unfit);
    if (!trial->answered && redis_link_refused(trial->link))
        return sb_fail_field(err, "store", "store",
                             "--store: %s: %s; give the right user and password (password-file, or "
                             "SANDBOX_REDIS_PASSWORD)",
                             store->address.shown, redis_link_lost(trial->link));
    return 0; /* if it can't be reached, it may come later */
}

static int run_trial(struct store *store, struct trial *trial, struct sb_error *err)
{
    const struct redis_link_setup setup = {.address = &store->address,
                                           .name = store->name,
                                           .loop = trial->loop,
                                           .log = store->setup.log,
                                           .up = trial_up,
                                           .user = trial};
    if (timer_open(&trial->timer, trial->loop, look, trial) < 0)
        return sb_fail(err, "store", errno, "can't create a timer");
    trial->link = redis_link_open(&setup);
    if (trial->link == NULL)
        return sb_fail_field(err, "store", "store",
                             "--store: %s can't be set up; does its ca name a PEM file with "
                             "certificates?",
                             store->address.shown);
    trial->until_us = monotonic_us() + CHECK_US;
    look(trial);
    return loop_run(trial->loop, err) < 0 ? -1 : say_trial(store, trial, err);
}

int fit_try(struct store *store, struct sb_error *err)
{
    struct trial trial = {.timer.watch.fd = -1};
    if (loop_open(&trial.loop, err) < 0)
        return -1;
    int result = run_trial(store, &trial, err);
    redis_link_close(trial.link);
    if (trial.timer.watch.fd >= 0)
        timer_close(&trial.timer, trial.loop);
    loop_close(trial.loop);
    return result;
}
