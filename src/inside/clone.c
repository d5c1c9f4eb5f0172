/* See clone.h. Used by the supervisor for cold starts, and by the zygote for warm ones. */
#include "inside/clone.h"

#include <linux/sched.h>
#include <string.h>

#include "common/append.h"
#include "common/util.h"
#include "inside/calls.h"
#include "inside/inside.h"

/* All of a job's namespaces, except for two that the child makes itself: network (slow, so in
 * parallel to our own work) and cgroup (must come after the attach). */
#define NAMESPACES (CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS)

/* With exit signal 0 only we wait for the child; a caller's own wait(-1) does not see it. */
pid_t clone_child(int cgroup, uint64_t flags, int *pidfd)
{
    struct clone_args args = {
        .flags = (uint64_t)NAMESPACES | CLONE_PIDFD | flags | (cgroup >= 0 ? CLONE_INTO_CGROUP : 0),
        .pidfd = (uintptr_t)pidfd,
        .cgroup = cgroup >= 0 ? (uint64_t)(unsigned)cgroup : 0,
    };
    return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

int clone_write_proc(pid_t pid, const char *file, const char *text)
{
    char path[64];
    char *end = append_number(append_text(path, "/proc/"), (uint64_t)pid);
    append_text(append_text(end, "/"), file);
    _cleanup_sys_close_ int fd = sys_open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    return sys_write(fd, text, strlen(text)) < 0 ? -1 : 0;
}

/* "INSIDE OUTSIDE 1" */
static void append_map(char *at, uint32_t inside, uint32_t outside)
{
    at = append_text(append_number(at, inside), " ");
    append_text(append_number(at, outside), " 1");
}

/* setgroups must be denied before an ordinary user may write the gid map (user_namespaces(7)). */
int clone_map_ids(pid_t pid, uint32_t uid, uint32_t gid)
{
    char uid_map[64], gid_map[64];
    append_map(uid_map, JOB_UID, uid);
    append_map(gid_map, JOB_GID, gid);
    if (clone_write_proc(pid, "setgroups", "deny") < 0 ||
        clone_write_proc(pid, "uid_map", uid_map) < 0)
        return -1;
    return clone_write_proc(pid, "gid_map", gid_map);
}
