/* What a zygote does before its python starts. */
#ifndef WARM_ZYGOTE_BECOME_H
#define WARM_ZYGOTE_BECOME_H

#include "common/no_return.h"
#include "inside/inside.h"

struct becoming {
    struct inside in; /* first: its steps are the jobs' */
    uint32_t uid,
        gid;  /* of its own, on the host as in its namespace; 0: it keeps the supervisor's */
    int proc; /* of zygote_open_proc */
    struct sock_fprog filter;
};

/* A /proc that shows nothing but processes, and of these only those into which one may look. For
 * root alone: −1, where it is the host's /proc that a zygote gets. Some jobs have files in theirs
 * that are not about processes. */
int zygote_open_proc(bool whole);

/* In the child, as inside_begin: without the supervisor's end of their socket, and the directory of
 * the zygote's cgroup, which is locked, or −1. Returns nowhere: python starts, or the error is on
 * stderr. */
NO_RETURN void become_zygote(struct becoming *becoming, int socket, int lock);

#endif
