/* The jobs' uids and gids on the host: see sb_uids_open in sandbox.h.
 *
 * The kernel counts by host uid what no cgroup limits: epoll watches, descriptors in flight in UNIX
 * sockets, pages of pipes, keys. A job with the supervisor's own uid can use all of them up: the
 * service then closes every connection. Root maps any uid of the host to a job. An ordinary user
 * can map one id, its own. To map more, the process that writes the map must have CAP_SETUID (for
 * gids CAP_SETGID) in the namespace above the job's (user_namespaces(7), new_idmap_permitted in
 * kernel/user_namespace.c).
 *
 * This takes a privilege once, and none for each job: we make one user namespace, the space, which
 * maps our own ids and a range of others to themselves. Its owner is our uid. So a child of ours
 * may enter it, and then has all capabilities there: over these ids, and over nothing else on the
 * host. Jobs and zygotes are cloned and mapped from inside the space. The privilege comes in one of
 * two ways:
 *
 * - CAP_SETUID and CAP_SETGID of our own, from the unit (AmbientCapabilities=). sandbox-serve gives
 *   them up before it listens. Nothing else in the unit changes.
 * - The setuid programs newuidmap and newgidmap, with ranges of /etc/subuid and /etc/subgid. The
 *   unit does not use them: it would have to give up NoNewPrivileges=, and an attacker who took
 *   over the service could then call all other setuid programs of the host, too. */
#ifndef SB_UIDS_H
#define SB_UIDS_H

#include <stdbool.h>
#include <sys/types.h>

#include "sandbox.h"

struct sb_uids {
    enum sb_uids_way way;
    uint32_t uid_first, gid_first, count; /* unless the way is SB_UIDS_SHARED */
    int space;        /* the user namespace; −1: none is needed, or there is none */
    char reason[400]; /* why the way is SB_UIDS_SHARED */
};

/* Sets what needs no privilege: as root the range in `options`, otherwise our own ids. */
int uids_init(struct sb_uids *uids, const struct sb_options *options, struct sb_error *err);

/* The host ids of the job that has a slot (cgroup.h). */
void uids_of_slot(const struct sb_uids *uids, uint32_t slot, uint32_t *uid, uint32_t *gid);

/* Maps our own ids and the range to themselves for a process in a new user namespace. −1 with
 * errno. */
int uids_map(const struct sb_uids *uids, pid_t pid);

/* Calls `act` where ids of the range may be mapped: in the space, if there is one. Then a process
 * of its own calls it, which shares our memory and descriptors and ends with `act`; it must clone
 * with uids_clone_flags, so that its children are ours. Returns what `act` returns, with its errno;
 * −1 with errno also if `act` could not be called. */
int uids_act(const struct sb_uids *uids, int (*act)(void *user), void *user);
uint64_t uids_clone_flags(const struct sb_uids *uids);

#endif
