/* What there is of a job on the host: its first process, its cgroup, and our ends of its pipes. A
 * warm child has all of this before it has a job. */
#ifndef SB_PROCESS_H
#define SB_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cgroup/cgroup.h"

struct sb_run;

/* What the epoll tells about. */
enum source_kind {
    SOURCE_PIDFD,  /* pid 1 of the job, and so all of it, has ended */
    SOURCE_STDOUT, /* the three pipes from the script, in the order of enum sb_stream */
    SOURCE_STDERR,
    SOURCE_RESULT,
    SOURCE_REPORT,  /* from pid 1: a step that failed, how the script ended */
    SOURCE_STDIN,   /* the pipe to the script */
    SOURCE_TIMER,   /* the next look at the job: wall time, CPU time, removal of the cgroup */
    SOURCE_DENIED,  /* refused calls that are to be reported wait; before, of a cold start, the
                       socket on which that listener comes */
    SOURCE_CHANNEL, /* to a warm child: takes the job, and tells that it has it */
    PROCESS_FDS,
    SOURCE_FEED = PROCESS_FDS, /* where the script's stdin is relayed from; owned by run->feed */
    SOURCE_OOM,                /* cgroup v1: memory ran out; owned by process.cgroup */
    SOURCES,
    SOURCE_WARM = SOURCES, /* of no run: src/warm's own */
    SOURCE_FLOOR,          /* of no run: the next look at the host's memory */
};

/* What an event of the epoll points to. */
struct source {
    struct sb_run *run; /* NULL: of no run */
    enum source_kind kind;
    uint32_t watched; /* epoll events asked for; 0: not in the epoll */
    int spent;        /* a descriptor to be closed when nobody waits for the verdict; else −1 */
};

/* Of a warm job's namespaces, the mount and the IPC one: to end them takes time. */
#define HELD_NAMESPACES 2

/* Of a job whose refused calls are to be reported. */
enum listener {
    LISTENER_AWAITED,  /* it is not known yet whether there is one */
    LISTENER_HELD,     /* fd[SOURCE_DENIED] is it, or was: all behind the filter have ended */
    LISTENER_UNNEEDED, /* it came when nothing of the job was left */
    LISTENER_LOST,     /* some or all refused calls could not be reported */
};

struct process {
    pid_t pid;           /* of pid 1, as the host sees it; 0: none */
    bool warm;           /* a zygote's child, in which python was there already */
    int fd[PROCESS_FDS]; /* by kind of source; −1: closed */
    enum listener listener;
    int control;               /* write end: closed, it ends the job (init.c) */
    int held[HELD_NAMESPACES]; /* descriptors of those whose end the verdict shall not wait for */
    struct cgroup_job cgroup;
    struct {               /* src/warm's: which of the network namespaces made ahead it has */
        int64_t zygote_us; /* whose: when that zygote was started */
        int index;         /* −1: one of its own */
    } network;
};

/* A process that is not there. */
void process_init(struct process *process);

/* Moves it to a new owner: *from has none afterwards. */
struct process process_take(struct process *from);

/* Kills pid 1, which must be there, and waits until it is gone, and with it all of the job. */
void process_kill(struct process *process);

/* Lets go of the namespaces that are held. */
void process_release_namespaces(struct process *process);

/* Closes all descriptors; none of them may be in an epoll. The cgroup stays until the next start
 * clears it, unless cgroup_remove came first. *process is as after process_init. */
void process_release(struct process *process);

#endif
