/* The parent's side of a start. */
#ifndef SB_LAUNCH_H
#define SB_LAUNCH_H

#include "core/run.h"
#include "inside/inside.h"

/* Starts a process for an admitted run: fills in run->process. On errors nothing is left running.
 */
int launch(struct sb_run *run, struct inside *in, struct sb_error *err);

/* Its parts, for a child that someone else clones, under in->policy: pipes and a cgroup (unless
 * there is one already). */
int launch_prepare(struct sb_sandbox *sandbox, struct process *process, struct inside *in,
                   struct sb_error *err);
/* Closes the child's ends. */
void launch_close(struct inside *in);
/* The host's ids of a job in this cgroup. */
void launch_ids(const struct sb_sandbox *sandbox, const struct process *process, uint32_t *uid,
                uint32_t *gid);
/* Limits and ids are set: lets the child go on. Before launch_close. */
int launch_go(const struct process *process, struct sb_error *err);

/* Runs `start`, which clones a child with uids_clone_flags and maps its ids, where that is allowed
 * (uids_act), without supplementary groups and with all signals blocked. Returns what it does: a
 * pid, or −1 with errno. */
pid_t launch_clone(const struct sb_uids *uids, int (*start)(void *user), void *user,
                   struct sb_error *err);

/* Raises what the caller's resource limits are below what a job or a zygote is to have, before the
 * child goes on. −1: they can't be, and the child has what can be had. */
int launch_lift_rlimits(pid_t pid, const struct inside *in, struct sb_error *err);

#endif
