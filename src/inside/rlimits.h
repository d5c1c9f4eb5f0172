/* Resource limits (getrlimit(2)) of a job: what each is, and what to do where the caller's own are
 * lower. A job's are the policy's, whoever starts it: its verdict must not blame a script for what
 * `ulimit` said outside. */
#ifndef SB_RLIMITS_H
#define SB_RLIMITS_H

#include <sys/resource.h>

#include "inside/inside.h"

#define RLIMIT_ROWS 16

struct rlimit_row {
    int resource;
    rlim_t soft, hard;
    rlim_t least;      /* with a lower hard limit the job may fail where its policy lets it go on */
    char option;       /* of ulimit(1) */
    const char *field; /* the policy's limit, or "" */
    const char *what;  /* is limited, for a person */
    const char *unit;  /* see quantity.h; "s": seconds */
};

/* Fills the rows for a job. Returns how many there are. */
size_t rlimits_of(const struct inside *in, struct rlimit_row rows[RLIMIT_ROWS]);

/* For the parent of a fresh child: raises what is lower here than the job is to have. That takes
 * CAP_SYS_RESOURCE where it is the hard limit. −1: we are held below what a job needs, by the limit
 * *held, whose hard value is *at here; the child has of all limits what can be had. */
int rlimits_lift(pid_t pid, const struct inside *in, struct rlimit_row *held, rlim_t *at);

#endif
