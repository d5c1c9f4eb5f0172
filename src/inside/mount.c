/* Attributes and binds. See mount.h. */
#include "inside/mount.h"

#include <errno.h>
#include <sys/mount.h>

#include "common/util.h"
#include "inside/calls.h"

int mount_restrict(const char *path, uint64_t attributes)
{
    struct mount_attr attr = {.attr_set = attributes};
    if (syscall(SYS_mount_setattr, AT_FDCWD, path, AT_RECURSIVE, &attr, sizeof(attr)) == 0)
        return 0;
    return errno == ENOSYS ? mount_remount(path, attributes) : -1;
}

int mount_bind_tree(const char *source, int target)
{
    _cleanup_sys_close_ int tree = (int)syscall(SYS_open_tree, AT_FDCWD, source,
                                                OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
    if (tree < 0)
        return -1;
    return (int)syscall(SYS_move_mount, tree, "", target, "",
                        MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}
