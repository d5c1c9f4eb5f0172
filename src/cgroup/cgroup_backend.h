/* The back ends of cgroup.h, as data: which files hold limits and evidence. */
#ifndef CGROUP_BACKEND_H
#define CGROUP_BACKEND_H

#include <stdint.h>

#include "cgroup/cgroup.h"

/* A file that a limit is written to. */
struct cgroup_knob {
    int hierarchy;
    enum cgroup_controller controller;
    const char *file;
    const char *text; /* written as it is; or */
    int64_t weight;   /* a nice caller's share of this (cgroup_weight), nothing where it has all; or
                         the limit's value is written: */
    enum sb_limit limit;
    int64_t multiply; /* value × multiply / divide + add, */
    int64_t divide;   /* 0: 1 */
    int64_t add;
    const char *suffix; /* and this behind it */
    bool optional;      /* its absence opens no gap */
    bool network;       /* only for a job that has one: see struct cgroup_job */
};

/* Where a number is found: the whole file, or the line that starts with `key`. */
struct cgroup_evidence {
    int hierarchy;
    const char *file; /* NULL: this back end has no such number */
    const char *key;
    bool held; /* opened with the job: evidence that a full table of descriptors must not cost */
};

struct cgroup_backend {
    const char *name; /* "v2", "v1" */
    const struct cgroup_knob *knobs;
    size_t knobs_count;
    struct cgroup_evidence evidence[CGROUP_NUMBERS];
    struct cgroup_knob
        unthrottle; /* what lets a job die at once that its share of CPU would slow */
    const struct cgroup_knob *renewal; /* see cgroup_renew; NULL: there is no way */
    size_t renewal_count;
    bool attach_by_child; /* hierarchies without CLONE_INTO_CGROUP: the child writes itself into
                             `tasks` */
};

int cgroup_v1_open(struct cgroup_host *host, struct sb_error *err);
/* `mode`: SB_CGROUP_V2_DELEGATED, _SCOPE or _ROOT. */
int cgroup_v2_open(struct cgroup_host *host, enum sb_cgroup mode, struct sb_error *err);
/* True when this process runs on cgroup v2 in a cgroup that is marked as delegated to it. */
bool cgroup_v2_delegated(void);

/* Opens a directory, and makes it when it is not there. −1 with errno. */
int cgroup_open_directory(const char *path);

#endif
