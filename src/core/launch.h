/* The parent's side of a start. */
#ifndef SB_LAUNCH_H
#define SB_LAUNCH_H

#include "core/run.h"
#include "inside/inside.h"

/* Starts a process for an admitted run: fills in run->process. After an error nothing is left
 * running. */
int launch(struct sb_run *run, struct inside *in, struct sb_error *err);

/* The first part of launch, also for a child that a zygote clones: pipes, and a cgroup unless there
 * is one, under in->policy. */
int launch_prepare(struct sb_sandbox *sandbox, struct process *process, struct inside *in,
                   struct sb_error *err);
/* Closes the child's ends of the pipes. */
void launch_close(struct inside *in);
/* The host's ids of the job with this process's cgroup. */
void launch_ids(const struct sb_sandbox *sandbox, const struct process *process, uint32_t *uid,
                uint32_t *gid);
/* Lets the child go on, once limits and ids are set. Call it before launch_close. */
int launch_go(const struct process *process, struct sb_error *err);

/* Calls `start` where it is allowed to map ids (uids_act), without supplementary groups and with
 * all signals blocked. `start` clones a child with uids_clone_flags and maps its ids. Returns what
 * `start` returns: a pid, or −1 with errno. */
pid_t launch_clone(const struct sb_uids *uids, int (*start)(void *user), void *user,
                   struct sb_error *err);

/* Raises the child's resource limits to what a job or a zygote needs, where the caller's are lower;
 * to be called before the child goes on. −1: some cannot be raised, and are as high as possible. */
int launch_lift_rlimits(pid_t pid, const struct inside *in, struct sb_error *err);

#endif
