/* See job_uids.h. */
#include "serve/jobs/job_uids.h"

#include <inttypes.h>
#include <unistd.h>

#include "common/error.h"
#include "serve/jobs/capacity.h"

static int64_t most_jobs(const struct config *config)
{
    int64_t jobs = config->jobs > 0 ? config->jobs : capacity_jobs();
    return jobs + config_extra_jobs(jobs);
}

/* Each policy has one zygote in each worker, and a second one that will replace it. */
int job_uids_suffice(const struct sb_uids *uids, const struct config *config, size_t policies,
                     struct sb_error *err)
{
    const struct sb_uids_state state = sb_uids_state(uids);
    int64_t most = most_jobs(config), zygotes = 2 * (int64_t)policies * config->workers;
    if (state.way != SB_UIDS_ROOT || config->cold || most + zygotes <= state.count)
        return 0;
    return sb_fail_field(err, "config", "uid-range",
                         "the %" PRIu32 " host uids from %" PRIu32
                         " on are too few for up to %lld jobs at once and up to %lld interpreters "
                         "from which jobs start: widen --uid-range, or start jobs cold (--cold)",
                         state.count, state.first, (long long)most, (long long)zygotes);
}

static int check_count(const struct config *config, const struct sb_uids_state *state,
                       struct sb_error *err)
{
    int64_t most = most_jobs(config);
    if (state->way == SB_UIDS_SHARED || most <= state->count)
        return 0;
    return sb_fail_field(err, "config", "jobs",
                         "the %" PRIu32 " host uids from %" PRIu32
                         " on are too few for up to %lld jobs at once: lower --jobs, or widen the "
                         "range (--uid-range, or /etc/subuid and /etc/subgid)",
                         state->count, state->first, (long long)most);
}

static void log_uids(struct log *log, const struct sb_uids_state *state)
{
    if (state->way == SB_UIDS_SHARED)
        log_say(
            log, LOG_WARNING,
            "jobs have the uid of this service, %ld (%s): a job can use up what the kernel counts "
            "by uid, such as epoll watches, and so stop the service; see sandbox-run --doctor",
            (long)geteuid(), state->reason);
    else if (state->way != SB_UIDS_ROOT)
        log_say(log, LOG_INFO,
                "each job has a host uid of its own, from %" PRIu32 " to %" PRIu32 ", by %s",
                state->first, state->first + state->count - 1,
                state->way == SB_UIDS_CAPABILITIES ? "CAP_SETUID and CAP_SETGID" : "newuidmap");
}

int job_uids_open(struct sb_uids **uids, const struct config *config, struct log *log,
                  struct sb_error *err)
{
    const struct sb_options options = {.uid_first = config->uid_first,
                                       .uid_count = config->uid_count};
    if (sb_uids_open(uids, &options, err) < 0)
        return -1;
    const struct sb_uids_state state = sb_uids_state(*uids);
    if (check_count(config, &state, err) < 0)
        return -1;
    log_uids(log, &state);
    return 0;
}
