/* A job's part of the host: its first process, its cgroup, and our ends of its pipes. A warm child
 * has all of this before it has a job. */
#ifndef SB_PROCESS_H
#define SB_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cgroup/cgroup.h"

struct sb_run;

/* The kinds of descriptors in the epoll. */
enum source_kind {
    SOURCE_PIDFD,  /* the job's pid 1 has ended, and with it all of the job */
    SOURCE_STDOUT, /* the three pipes from the script, in the order of enum sb_stream */
    SOURCE_STDERR,
    SOURCE_RESULT,
    SOURCE_REPORT, /* from pid 1: a failed step, how the script ended */
    SOURCE_STDIN,  /* the pipe to the script */
    SOURCE_TIMER,  /* the next look at the job: wall time, CPU time, removal of the cgroup */
    SOURCE_DENIED, /* refused calls wait for an answer; on a cold start, before: the socket on which
                      that listener comes */
    SOURCE_CHANNEL, /* to a warm child: takes the job, and tells when the child has it */
    PROCESS_FDS,
    SOURCE_FEED = PROCESS_FDS, /* the source of the script's stdin; owned by run->feed */
    SOURCE_OOM,                /* cgroup v1: memory ran out; owned by process.cgroup */
    SOURCES,
    SOURCE_WARM = SOURCES, /* src/warm's own, of no run */
    SOURCE_FLOOR,          /* the next look at the host's memory, of no run */
};

/* What an event of the epoll points to. */
struct source {
    struct sb_run *run; /* NULL: it belongs to no run */
    enum source_kind kind;
    uint32_t watched; /* epoll events asked for; 0: not in the epoll */
    int spent;        /* a descriptor that is closed only after the verdict; else −1 */
};

/* The namespaces that we hold: a warm job's, since their end takes time, and those of a job whose
 * files are collected. */
enum { HELD_MOUNTS, HELD_IPC, HELD_NAMESPACES };

/* The seccomp listener of a job whose refused calls are to be reported. */
enum listener {
    LISTENER_AWAITED,  /* not here yet */
    LISTENER_HELD,     /* in fd[SOURCE_DENIED], or closed since all processes behind the filter have
                          ended */
    LISTENER_UNNEEDED, /* it came when all of the job was dead */
    LISTENER_LOST,     /* some or all refused calls cannot be reported */
};

struct process {
    pid_t pid;           /* pid 1's pid on the host; 0: none */
    bool warm;           /* a zygote's child, whose python has started already */
    int fd[PROCESS_FDS]; /* by kind of source; −1: closed */
    enum listener listener;
    int control;               /* write end of a pipe; closing it ends the job (init.c) */
    int held[HELD_NAMESPACES]; /* the namespaces that live longer than the job */
    struct cgroup_job cgroup;
    struct {               /* src/warm's: the network namespace made ahead that it uses */
        int64_t zygote_us; /* its zygote, by the time when that was started */
        int index;         /* its number there; −1: it has one of its own */
    } network;
};

/* Makes *process empty: no process, nothing open. */
void process_init(struct process *process);

/* Moves a process to a new owner; *from is empty afterwards. */
struct process process_take(struct process *from);

/* Kills pid 1, which must exist, and waits until it is gone, and with it all of the job. */
void process_kill(struct process *process);

/* Holds the namespaces of a process that has not ended. Best effort: −1 in `held` is one that could
 * not be opened. */
void process_hold_namespaces(struct process *process);

/* Closes the held namespaces. */
void process_release_namespaces(struct process *process);

/* Closes all descriptors; none of them may be in an epoll. Leaves *process empty. A cgroup that
 * cgroup_remove has not removed stays until the next start clears it. */
void process_release(struct process *process);

#endif
