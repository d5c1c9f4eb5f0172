/* The root file system: attached read-only to a mount namespace of the job's own, then made its
 * root; the host's tree is detached with it. From root_attach on, the cwd is the new root and paths
 * without a slash at the front lie in it; "/" is the host's until root_pivot. The child of a zygote
 * has a copy of its tree (make_tree in zygote_become.c), in which the host's is not. */
#include <linux/openat2.h>
#include <sys/mount.h>

#include "common/append.h"
#include "common/util.h"
#include "inside/calls.h"
#include "inside/inside.h"
#include "inside/mount.h"

int root_attach(struct inside *in)
{
    if (is_warm(in))
        return sys_chdir("/");
    /* Otherwise later mounts of the host would appear here, and our binds on the host. */
    if (sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return -1;
    /* Over "/", which always exists and stays reachable as our root, so the host needs no mount
     * point for us. */
    _cleanup_sys_close_ int tree = (int)syscall(SYS_open_tree, AT_FDCWD, in->rootfs,
                                                OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
    if (tree < 0 || syscall(SYS_move_mount, tree, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
        return -1;
    if (sys_fchdir(tree) < 0)
        return -1;
    return mount_restrict(".", MOUNT_READ_ONLY | MOUNT_NOSUID | MOUNT_NODEV);
}

int root_bind_mounts(struct inside *in)
{
    for (size_t i = 0; i < in->policy->mounts_count; i++) {
        const struct policy_mount *mount = &in->policy->mounts[i];
        /* Links in the root file system end in it, wherever they claim to point. */
        struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
        _cleanup_sys_close_ int target =
            (int)syscall(SYS_openat2, AT_FDCWD, mount->target, &how, sizeof(how));
        if (target < 0 || mount_bind_tree(mount->source, target) < 0)
            return -1;
        /* The descriptor is of the covered directory: look the path up again, still inside. */
        _cleanup_sys_close_ int covered =
            (int)syscall(SYS_openat2, AT_FDCWD, mount->target, &how, sizeof(how));
        char path[16 + NUMBER_CHARS];
        if (covered < 0)
            return -1;
        append_number(append_text(path, "/proc/self/fd/"), (uint64_t)covered);
        if (mount_restrict(path, MOUNT_READ_ONLY | MOUNT_NOSUID | MOUNT_NODEV) < 0)
            return -1;
    }
    return 0;
}

/* pivot_root(".", ".") stacks the old root on the new one: pivot_root(2), NOTES. Unlike a chroot,
 * this leaves no old root to climb back to. */
int root_pivot(struct inside *in)
{
    if (!is_warm(in) && (syscall(SYS_pivot_root, ".", ".") < 0 || sys_unmount(".", MNT_DETACH) < 0))
        return -1;
    return sys_chdir("/work");
}
