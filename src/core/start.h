/* Admits a job, and starts a fresh python for it. */
#ifndef SB_START_H
#define SB_START_H

#include "core/run.h"

/* What a policy's jobs may do without where it cannot be enforced, of enum sb_missing. */
unsigned lack_allowed(const struct sb_sandbox *sandbox, const struct sb_policy *policy);

/* Admits a job: checks everything that can be wrong with it, before any part of it exists on the
 * host. */
int run_admit(struct sb_run *run, const struct sb_job *job, unsigned may_lack,
              struct sb_error *err);

/* Starts a fresh python for an admitted job. */
int run_start_cold(struct sb_run *run, const struct sb_job *job, unsigned may_lack,
                   struct sb_error *err);

#endif
