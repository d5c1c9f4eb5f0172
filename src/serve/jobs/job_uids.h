/* The host uids that jobs get, found once when the service begins, while it has the privilege. */
#ifndef SERVE_JOB_UIDS_H
#define SERVE_JOB_UIDS_H

#include "sandbox.h"
#include "serve/config/config.h"
#include "serve/process/log.h"

/* Finds them, and logs what an ordinary user should know. Before the first request, and before
 * workers are forked. The caller frees *uids: sb_uids_free. */
int job_uids_open(struct sb_uids **uids, const struct config *config, struct log *log,
                  struct sb_error *err);

/* Whether they are enough for the zygotes of so many policies, too, which are users of their own
 * where the service is root. */
int job_uids_suffice(const struct sb_uids *uids, const struct config *config, size_t policies,
                     struct sb_error *err);

#endif
