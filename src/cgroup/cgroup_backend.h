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
    const char *text; /* written as it is; if NULL, */
    int64_t weight;   /* a nice caller's share of this weight is written (cgroup_weight), nothing if
                         the share is all of it; if 0, */
    enum sb_limit limit;
    int64_t multiply; /* the limit's value × multiply / divide + add is written, */
    int64_t divide;   /* 0 means 1 */
    int64_t add;
    const char *suffix; /* with this behind it */
    bool optional;      /* the job is as safe without this file */
    bool network;       /* only for jobs with a network: see struct cgroup_job */
};

/* Where a number is found: it is the whole file, or the line that starts with `key`. */
struct cgroup_evidence {
    int hierarchy;
    const char *file; /* NULL: this back end has no such number */
    const char *key;
    bool held; /* opened when the job starts, so that it can be read even when the table of
                  descriptors is full */
};

struct cgroup_backend {
    const char *name; /* "v2", "v1" */
    const struct cgroup_knob *knobs;
    size_t knobs_count;
    struct cgroup_evidence evidence[CGROUP_NUMBERS];
    struct cgroup_knob unthrottle;     /* lifts the CPU limit, so that a killed job dies at once */
    const struct cgroup_knob *renewal; /* see cgroup_renew; NULL: jobs' cgroups cannot be reset */
    size_t renewal_count;
    bool attach_by_child; /* the child writes itself into `tasks`: no CLONE_INTO_CGROUP there */
};

int cgroup_v1_open(struct cgroup_host *host, struct sb_error *err);
/* `mode`: SB_CGROUP_V2_DELEGATED, _SCOPE or _ROOT. */
int cgroup_v2_open(struct cgroup_host *host, enum sb_cgroup mode, struct sb_error *err);
/* True when this process is in a cgroup v2 that is marked as delegated to it. */
bool cgroup_v2_delegated(void);

/* Opens a directory; makes it if it is missing. −1 with errno. */
int cgroup_open_directory(const char *path);

#endif
