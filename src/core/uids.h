/* The host's uids and gids of jobs: see sb_uids_open in sandbox.h.
 *
 * The kernel counts by the host's uid what no cgroup limits: epoll watches, descriptors that are
 * under way in UNIX sockets, pages of pipes, keys. A job with the supervisor's own uid can take all
 * there are: the service then closes every connection. Root maps any uid of the host to a job. An
 * ordinary user maps one id, its own; for more, whoever writes the map must have CAP_SETUID (for
 * gids CAP_SETGID) in the namespace above the job's (user_namespaces(7), new_idmap_permitted in
 * kernel/user_namespace.c).
 *
 * That takes a privilege once, and none for each job: we make one user namespace, the space, which
 * maps our own ids and a range of others to themselves. Its owner is our uid, so that a child of
 * ours may enter it, and then has all capabilities there: over these ids, and over nothing of the
 * host's. From it jobs and zygotes are cloned and mapped. The privilege comes in one of two ways:
 *
 * - CAP_SETUID and CAP_SETGID of our own, from the unit (AmbientCapabilities=). sandbox-serve gives
 *   them up before it listens. Nothing else in the unit changes.
 * - The setuid programs newuidmap and newgidmap, with ranges of /etc/subuid and /etc/subgid. They
 *   are not the unit's way: it would have to do without NoNewPrivileges=, and whoever took the
 *   service over could call all other setuid programs of the host, too. */
#ifndef SB_UIDS_H
#define SB_UIDS_H

#include <stdbool.h>
#include <sys/types.h>

#include "sandbox.h"

struct sb_uids {
    enum sb_uids_way way;
    uint32_t uid_first, gid_first, count; /* unless the way is SB_UIDS_SHARED */
    int space;        /* the user namespace; −1: none is needed, or none there */
    char reason[256]; /* SB_UIDS_SHARED: why */
};

/* What holds without more: as root the range of these options, otherwise our own ids. */
int uids_init(struct sb_uids *uids, const struct sb_options *options, struct sb_error *err);

/* Those of the job that has a slot (cgroup.h). */
void uids_of_slot(const struct sb_uids *uids, uint32_t slot, uint32_t *uid, uint32_t *gid);

/* Maps our own ids and the range to themselves, for a process in a new user namespace. −1 with
 * errno. */
int uids_map(const struct sb_uids *uids, pid_t pid);

/* Calls `act` where ids of the range may be mapped: in the space, where there is one. That is a
 * process of its own then, which shares our memory and descriptors and ends with `act`; it clones
 * with uids_clone_flags, so that children are ours. Returns what `act` does, with its errno; −1
 * with errno also when it could not be called. */
int uids_act(const struct sb_uids *uids, int (*act)(void *user), void *user);
uint64_t uids_clone_flags(const struct sb_uids *uids);

#endif
