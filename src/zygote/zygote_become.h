/* The steps of a zygote before its python starts. */
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

/* A /proc that shows only processes, and only those that its reader may inspect. For root alone: −1
 * where the zygote gets the host's /proc, because some jobs need files in theirs that are not about
 * processes. */
int zygote_open_proc(bool whole);

/* In the child, as inside_begin: closes the supervisor's end of their socket, and the locked
 * directory of the zygote's cgroup, or −1. Never returns: python starts, or an error is written to
 * stderr. */
NO_RETURN void become_zygote(struct becoming *becoming, int socket, int lock);

#endif
