/* Landlock (Documentation/userspace-api/landlock.rst): a layer that still holds when another one
 * fails. A script in a domain of its own can't mount or change its root, whatever capabilities it
 * has gained, can't trace a process outside the domain or make a device node, and, from Linux 6.12
 * on, can't send a signal out of it, not even to its pid 1.
 *
 * A zygote, which mounts, has a domain for its signals alone, and its children are in that, too.
 * The kernel lets a process move files between directories only if each of its domains allows it,
 * and this one can't. So warm jobs, from 6.12 on, have no domain about files either: a zygote has
 * no other layer for signals.
 *
 * This file does not restrict access to files: a rule for each job's own tmpfs would cost 15 us a
 * job and 1 us for each open. Nor to the network: the answer "permission denied" would differ from
 * that of an offline host. */
#include <errno.h>
#include <linux/landlock.h>
#include <stdint.h>

#include "common/util.h"
#include "inside/calls.h"
#include "inside/inside.h"

/* Names that are newer than the headers of Linux 6.1, and their version of the interface. */
#define VERSION_SCOPED 6
#define SCOPE_ABSTRACT_UNIX_SOCKET (UINT64_C(1) << 0)
#define SCOPE_SIGNAL (UINT64_C(1) << 1)
#define SCOPES (SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL)
#define VERSION_LOG 7
/* Refused accesses of a script could fill the host's audit log. */
#define LOG_OFF ((1U << 0) | (1U << 2)) /* of its own domain; of those that it makes */

/* A domain that handles any right to files also forbids mounts. */
#define FILES                                                                                      \
    (LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_REFER)

struct ruleset {
    uint64_t handled_access_fs;
    uint64_t handled_access_net;
    uint64_t scoped;
};

int landlock_version(void)
{
    return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

/* Moving files between directories is refused unless a rule allows it. */
static int allow_moves(int ruleset)
{
    _cleanup_sys_close_ int root = sys_open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct landlock_path_beneath_attr rule = {LANDLOCK_ACCESS_FS_REFER, root};
    if (root < 0)
        return -1;
    return (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

/* The kernel accepts a structure longer than its own if the unknown rest is 0. */
static int make_ruleset(uint64_t files, uint64_t scopes)
{
    struct ruleset rules = {.handled_access_fs = files, .scoped = scopes};
    _cleanup_sys_close_ int ruleset =
        (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);
    if (ruleset < 0 || (files != 0 && allow_moves(ruleset) < 0))
        return -1;
    return steal_fd(&ruleset);
}

static int restrict_self(int ruleset)
{
    unsigned flags = landlock_version() >= VERSION_LOG ? LOG_OFF : 0;
    return (int)syscall(SYS_landlock_restrict_self, ruleset, flags);
}

/* ── Zygotes ───────────────────────────────────────────────────────────────────────────────── */

int landlock_scope_signals(struct inside *in)
{
    (void)in;
    if (landlock_version() < VERSION_SCOPED)
        return 0;
    _cleanup_sys_close_ int ruleset = make_ruleset(0, SCOPE_SIGNAL);
    return ruleset < 0 ? -1 : restrict_self(ruleset);
}

/* ── Jobs ──────────────────────────────────────────────────────────────────────────────────── */

int landlock_make_ruleset(bool warm)
{
    int version = landlock_version();
    if (version < LANDLOCK_VERSION_NEEDED)
        return NO_LANDLOCK;
    if (version < VERSION_SCOPED)
        return make_ruleset(FILES, 0);
    return make_ruleset(warm ? 0 : FILES, SCOPES);
}

int landlock_prepare(struct inside *in)
{
    if (in->ruleset == -1) /* a zygote has made one for its children */
        in->ruleset = landlock_make_ruleset(is_warm(in));
    return in->ruleset == -1 ? -1 : 0;
}

int landlock_restrict(const struct inside *in)
{
    return in->ruleset < 0 ? 0 : restrict_self(in->ruleset);
}
