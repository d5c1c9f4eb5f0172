/* See warm_up.h. */
#include "cli/warm_up.h"

#include <poll.h>

#include "common/util.h"

int warm_up(struct sb_sandbox *sandbox, const struct sb_policy *policy, size_t parked,
            struct sb_error *err)
{
    const struct sb_warm_options options = {.parked_max = parked};
    if (sb_warm_enable(sandbox, &options, err) < 0)
        return -1;
    sb_warm_prepare(sandbox, policy);
    return 0;
}

int warm_up_wait(struct sb_sandbox *sandbox, const struct sb_policy *policy, size_t parked,
                 int signals, struct sb_error *err)
{
    if (warm_up(sandbox, policy, parked, err) < 0)
        return -1;
    for (;;) {
        struct sb_warm_state state = sb_warm_state(sandbox, policy);
        if (state.ready || state.reason[0] != '\0')
            return 0;
        struct pollfd ready[] = {{.fd = signals, .events = POLLIN},
                                 {.fd = sb_fd(sandbox), .events = POLLIN}};
        if ((poll(ready, ARRAY_LEN(ready), -1) > 0 && ready[0].revents != 0) ||
            sb_turn(sandbox, 0, err) < 0)
            return ready[0].revents != 0 ? 0 : -1;
    }
}
