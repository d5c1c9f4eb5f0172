/* Resource limits (getrlimit(2)) of a job, and how to handle lower limits of the caller. A job has
 * its policy's limits, whoever starts it: its verdict must not blame a script for the caller's
 * `ulimit`.
 */
#ifndef SB_RLIMITS_H
#define SB_RLIMITS_H

#include <sys/resource.h>

#include "inside/inside.h"

#define RLIMIT_ROWS 16

struct rlimit_row {
    int resource;
    rlim_t soft, hard;
    rlim_t least;      /* with a lower hard limit the job may fail within its policy's limits */
    char option;       /* of ulimit(1) */
    const char *field; /* the policy's limit, or "" */
    const char *what;  /* is limited, for a person */
    const char *unit;  /* see quantity.h; "s": seconds */
};

/* Fills the rows for a job. Returns how many there are. */
size_t rlimits_of(const struct inside *in, struct rlimit_row rows[RLIMIT_ROWS]);

/* For the parent of a fresh child: raises limits that are lower here than the job's. For a hard
 * limit this takes CAP_SYS_RESOURCE. −1: the limit *held, whose hard value here is *at, is below
 * the job's need; the child then has the highest possible values. */
int rlimits_lift(pid_t pid, const struct inside *in, struct rlimit_row *held, rlim_t *at);

#endif
