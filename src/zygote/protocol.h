/* The messages of the supervisor, a zygote and its children. All three are of one build, so structs
 * are sent as they are. */
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

/* The beginning of the last line on a zygote's stderr when it could not import a module to preload:
 * zygote.py, import_ahead. */
#define PRELOAD_BROKEN "preload: "
/* A failed step of the zygote's own writes there: its name, this, and the errno. */
#define ZYGOTE_ERRNO ": errno "

/* The second message to a zygote, after its own text (zygote.py): the common settings of its jobs,
 * followed by the filter's instructions. Descriptors of the cgroup directories to join come with
 * it.
 */
struct zygote_config {
    struct sb_limits limits;
    bool writable, loopback, proc_masked, limit_processes, limit_cpu, report_denied, in_container;
    unsigned may_lack;              /* of enum sb_missing */
    bool joins[CGROUP_HIERARCHIES]; /* for which a descriptor comes */
    uint32_t filter_length;         /* instructions */
};

/* How many network namespaces a zygote keeps. Making one takes 0.4 ms, and removing it as much. A
 * namespace has one job at a time, without privileges and with the loopback device down; when the
 * job is gone and the counters are unchanged, the namespace is as good as new. */
#define NETWORKS 32

/* A request for a child. These descriptors come with it: the script's four, control, report,
 * channel, and with into_cgroup the cgroup to clone into. */
struct spawn {
    uint32_t slot, uid, gid;
    int32_t network; /* number of a kept one; −1: a new one, for this child alone */
    bool into_cgroup;
};
#define SPAWN_FDS_MAX (JOB_FDS + 4)

/* The answers, in the order of the requests. The very first message has pid 0: the zygote is ready.
 */
struct spawned {
    int32_t pid;    /* in the supervisor's pid namespace; −1: it could not be started */
    int32_t errnum; /* then: why */
};

/* A job, on a child's channel, in one piece (or in a memfd: JOB_MESSAGE_MAX): this head, strings,
 * code, files. The child answers with a struct report (step −1: it received the job at at_us) and
 * closes the channel. If refused calls are reported, it has sent a REPORT_LISTENER with the
 * listener before. */
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
/* A channel takes this at once (net.core.wmem_default is more than three times as much). Of a
 * larger job only the head is sent, and with it a descriptor of a memfd that has the whole message.
 */
#define JOB_MESSAGE_MAX (64 * 1024)

#endif
