/* Warm starts for a single call of this program. */
#ifndef CLI_WARM_UP_H
#define CLI_WARM_UP_H

#include <stddef.h>

#include "sandbox.h"

/* As a service does it: a zygote, then children of it, up to `parked` of which wait for a job.
 * Where there can be none, jobs start cold, and their verdicts say so. */
int warm_up(struct sb_sandbox *sandbox, const struct sb_policy *policy, size_t parked,
            struct sb_error *err);

/* The same, and waits until a job can start warm or it is known that none can. `signals`: a signal
 * that can be read there ends the wait; it is left there. */
int warm_up_wait(struct sb_sandbox *sandbox, const struct sb_policy *policy, size_t parked,
                 int signals, struct sb_error *err);

#endif
