/* The clone that begins a job, and the ids of its user namespace. */
#ifndef SB_CLONE_H
#define SB_CLONE_H

#include <stdint.h>
#include <sys/types.h>

/* Starts a process in namespaces of its own, and in the cgroup v2 directory `cgroup` unless that is
 * −1. `flags`: further ones of clone3(2). Like fork it returns twice; *pidfd is the parent's. −1
 * with errno. */
pid_t clone_child(int cgroup, uint64_t flags, int *pidfd);

/* Maps the job's user and group to one each of the host's, and denies setgroups. For the parent of
 * the user namespace. −1 with errno. */
int clone_map_ids(pid_t pid, uint32_t uid, uint32_t gid);

/* Writes a text to /proc/pid/file. −1 with errno. */
int clone_write_proc(pid_t pid, const char *file, const char *text);

#endif
