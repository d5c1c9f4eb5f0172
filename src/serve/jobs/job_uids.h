/* The host uids that jobs get. They are found once when the service starts, while it has the
 * privilege. */
#ifndef SERVE_JOB_UIDS_H
#define SERVE_JOB_UIDS_H

#include "sandbox.h"
#include "serve/config/config.h"
#include "serve/process/log.h"

/* Finds them, and logs what an ordinary user should know. Call it before the first request, and
 * before workers are forked. The caller frees *uids with sb_uids_free. */
int job_uids_open(struct sb_uids **uids, const struct config *config, struct log *log,
                  struct sb_error *err);

/* Whether they also suffice for the zygotes of that many policies, each of which has a uid of its
 * own if the service is root. */
int job_uids_suffice(const struct sb_uids *uids, const struct config *config, size_t policies,
                     struct sb_error *err);

#endif
