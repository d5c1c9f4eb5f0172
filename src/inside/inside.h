/* The child's side of a start: from a fresh clone to python's execve, a step at a time.
 *
 * The parent fills in struct inside before the clone; the child only reads it, and calls no
 * function of the C library that concerns threads (calls.h). Steps return 0, or −1 with errno: the
 * first one that fails ends the child, and the parent learns which it was. All steps are called:
 * each decides by itself whether the policy asks for it, and whether a zygote has done it for all
 * its children (is_warm). */
#ifndef SB_INSIDE_H
#define SB_INSIDE_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgroup/cgroup.h"
#include "common/no_return.h"
#include "inside/report.h"
#include "policy/policy.h"

/* The job's ids in its own namespace. */
#define JOB_UID 1000
#define JOB_GID 1000

/* RLIMIT_STACK; execve(2) takes a quarter of it as arguments and environment. */
#define STACK_BYTES (8 << 20)

/* Descriptors of the script: stdin, stdout, stderr, the runner's result. */
#define JOB_FDS 4
#define RESULT_FD 3
/* A script without a file of its own (-c, stdin) has its code here while the runner reads it. */
#define CODE_FD 4
/* A cold start's library (src/zygote/steps_module.c), until the runner has loaded it. */
#define LIBRARY_FD 5

struct inside {
    const char *rootfs; /* path of the root file system on the host */
    const struct sb_policy *policy;
    const struct sb_limits *limits;
    const struct sb_file *files; /* put into /work; the script is the first when it has a name */
    size_t files_count;
    const void *code; /* goes to CODE_FD when not NULL */
    size_t code_size;
    const void *library; /* goes to LIBRARY_FD when not NULL */
    size_t library_size;
    char *const *argv; /* of python, argv[0] its path in the root file system */
    char *const *envp;
    struct sock_fprog filter;
    bool report_denied; /* the filter lets the supervisor answer refused calls … */
    int listener;       /* … through this listener, before it is sent there; else −1 */
    int listener_to;    /* cold start: the socket on which pid 1 passes it on; else −1 */
    struct cgroup_entry cgroup;
    unsigned may_lack;    /* of enum sb_missing: what the job may do without on this host */
    bool in_container;    /* the name of this host is a container's, which the job may see */
    bool limit_processes; /* no pids cgroup (best effort): RLIMIT_NPROC instead */
    bool limit_cpu;       /* no cgroup at all (best effort): RLIMIT_CPU of each process */
    int fds[JOB_FDS];     /* the script's ends of its pipes */
    int control;          /* read end: one byte when the id maps are written, end of file when the
                             supervisor is gone */
    int report;           /* write end for struct report */
    bool network_made;    /* made before the clone: we are in it */
    int channel;          /* warm start: the job will come from here, after all steps; else −1 */
    int work;             /* /work, writable: for the files that come with the job */
    int main;             /* warm start: main.py in it, made ahead; else −1 */
    int init;             /* warm start: the program that pid 1 becomes; else −1 */
    int ruleset;          /* of Landlock, or NO_LANDLOCK */
    /* A warm start's way to a process for the script; NULL: python is executed. */
    int (*start_script)(struct inside *in);
    int step;   /* the step that is being taken */
    int script; /* pid of the script, once started; 0 in the script's own process */
};

/* The child is a fork of a zygote, which has taken some of the steps for all of them
 * (zygote_process.c). */
static inline bool is_warm(const struct inside *in)
{
    return in->channel >= 0;
}

/* Runs the child. Returns only in the script's process of a warm start, which already has python in
 * its memory. */
void inside(struct inside *in);

/* The child of a cold start, from the clone on. It closes two descriptors of the supervisor: its
 * end of the control pipe, and the locked directory of the job's cgroup, or −1. */
NO_RETURN void inside_begin(struct inside *in, int control, int lock);

/* The name of a step for error messages: "root file system", "proc", … */
const char *inside_step_name(int step);
/* The remedy when it fails with this errno, or NULL. */
const char *inside_step_remedy(int step, int errnum);

/* For a step that this host does not allow: notes for the verdict that the job does without it.
 * −1 with errno as it was, if it may not. */
int inside_go_without(struct inside *in, enum sb_missing what);

/* The number of a step, for reports. */
int inside_step_of(int (*step)(struct inside *in));

/* For a warm start whose job has come: write one of its files; finish them. −1 with errno. */
int tmp_write_file(struct inside *in, const struct sb_file *file);
int tmp_have_files(struct inside *in);

/* The rules of all jobs, for landlock_restrict: a descriptor, NO_LANDLOCK where the kernel has no
 * usable Landlock, −1 with errno. */
#define NO_LANDLOCK (-2)
int landlock_make_ruleset(bool warm);
/* The version of the kernel's interface; −1: none. */
int landlock_version(void);
#define LANDLOCK_VERSION_NEEDED 2 /* older: files could not be moved between directories */

/* The steps, each in the file of the kernel part that it talks to, in their order. */
int network_unshare(struct inside *in);  /* network.c */
int session_start(struct inside *in);    /* session.c: sid, signals, umask, … */
int scheduling_reset(struct inside *in); /* session.c */
int root_attach(struct inside *in);      /* root.c: the root file system, read-only */
int root_bind_mounts(struct inside *in); /* root.c: the policy's mounts */
int ids_await_maps(struct inside *in);   /* ids.c */
int cgroup_join(struct inside *in);      /* cgroup_join.c: v1 attach */
int cgroup_namespace(struct inside *in); /* cgroup_join.c */
int ids_become_job(struct inside *in);   /* ids.c */
int session_keyring(struct inside *in);  /* session.c */
int proc_mount(struct inside *in);       /* proc.c */
int tmp_mount(struct inside *in);        /* tmp.c: the one tmpfs behind /tmp, /work and /dev/shm */
int dev_mount(struct inside *in);        /* dev.c */
int tmp_open_work(struct inside *in);    /* tmp.c */
int tmp_write_files(struct inside *in);  /* tmp.c: script and files; warm: they come later */
int tmp_place(struct inside *in);        /* tmp.c: /tmp, /work, /dev/shm */
int root_pivot(struct inside *in);       /* root.c: the host's tree goes away */
int landlock_prepare(struct inside *in); /* landlock.c */
int network_loopback(struct inside *in); /* network.c */
int hostname_set(struct inside *in);     /* network.c */
int descriptors_arrange(struct inside *in); /* descriptors.c */
int rlimits_set(struct inside *in);         /* rlimits.c */
int rlimits_set_zygote(struct inside *in);  /* rlimits.c: limits that its children can't raise */
int rlimits_lower(int64_t open_files);      /* rlimits.c: to the limit of the job that came */
int capabilities_drop(struct inside *in);   /* capabilities.c, with no_new_privs */
int seccomp_available(struct inside *in);   /* init.c */
int init_start_script(struct inside *in);   /* init.c: seccomp and python in a child */
/* Installs the filter of the calling process, which perhaps may not send any more: another process,
 * or a sendmsg that the caller knows to be allowed, sends in->listener. */
int script_install_filter(struct inside *in);
/* Sends a message, with in->listener if it exists, and closes that. −1 with errno: the message was
 * not sent. */
int listener_pass(struct inside *in, int socket, const void *message, size_t size);
int landlock_restrict(const struct inside *in); /* landlock.c: the script's process, for ever */
int landlock_scope_signals(struct inside *in);  /* landlock.c: a zygote's, where there are scopes */
extern const struct sock_fprog init_filter;     /* pid 1's own */
int session_reset_signals(void);                /* session.c: all to their defaults */
NO_RETURN void init_run(struct inside *in);     /* init.c: pid 1 from then on */

#endif
