/* What the supervisor, a zygote and its children say to each other. All three are of one build, so
 * that structs travel as they are. */
#ifndef WARM_PROTOCOL_H
#define WARM_PROTOCOL_H

#include <stdbool.h>
#include <stdint.h>

#include "cgroup/cgroup.h"
#include "inside/inside.h"

/* The zygote's descriptors besides its standard streams: a SOCK_SEQPACKET socket to the supervisor,
 * libzygote as a memfd, and, where the host has such, a ring (zygote_become.c). */
#define ZYGOTE_SOCKET 3
#define ZYGOTE_LIBRARY 4
#define ZYGOTE_RING 5

/* How the last line on a zygote's stderr begins where it could not import what the policy preloads:
 * zygote.py, import_ahead. */
#define PRELOAD_BROKEN "preload: "
/* What a step of the zygote's own that fails says there: its name, this, and the number. */
#define ZYGOTE_ERRNO ": errno "

/* The second message to a zygote, after its own text (zygote.py): all that its jobs have in common;
 * the filter's instructions follow it. With it come descriptors of the cgroup directories to join.
 */
struct zygote_config {
    struct sb_limits limits;
    bool writable, loopback, proc_masked, best_effort, limit_processes, limit_cpu, report_denied;
    bool joins[CGROUP_HIERARCHIES]; /* for which a descriptor comes */
    uint32_t filter_length;         /* instructions */
};

/* How many network namespaces a zygote keeps. A new one takes 0.4 ms, and as much again when it
 * goes. It has one job at a time, in which nobody has a privilege and the loopback device is down;
 * when that is gone and its counters have not moved, it is as new. */
#define NETWORKS 32

/* Asks for a child. With it come descriptors: the script's four, control, report, channel, and the
 * cgroup to clone into when into_cgroup. */
struct spawn {
    uint32_t slot, uid, gid;
    int32_t network; /* which of those that the zygote keeps; −1: a new one, for this child alone */
    bool into_cgroup;
};
#define SPAWN_FDS_MAX (JOB_FDS + 4)

/* The answer to each, in their order. The first message of all has pid 0: the zygote is ready. */
struct spawned {
    int32_t pid;    /* in the supervisor's pid namespace; −1: it could not be started */
    int32_t errnum; /* then: why */
};

/* A job, on a child's channel, in one piece: this head, strings, code, files. The child answers
 * with a struct report (step −1: it has it, since at_us) and closes the channel. Where refused
 * calls are reported, it has sent a REPORT_LISTENER before, with that. */
struct job_head {
    uint64_t size;         /* of all */
    uint64_t strings_size; /* NUL-terminated: python's argv from the third on (runner.py), then the
                              environment */
    uint32_t arguments;    /* of these strings, how many are of argv */
    int64_t code_size;     /* −1: the code is in the first file */
    int64_t open_files;    /* limit */
    bool merge_stderr;     /* stderr becomes stdout */
    uint32_t files;        /* each: struct file_head, its path with NUL, its data */
};
struct file_head {
    uint64_t path_size, size;
};
/* A channel takes this at once (net.core.wmem_default is more than three times as much). Larger
 * jobs start cold. */
#define JOB_MESSAGE_MAX (64 * 1024)

#endif
