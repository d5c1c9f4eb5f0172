/* /dev: five harmless nodes of the host. A user namespace can't make device nodes, so these are
 * bind mounts over the empty files that sandbox-rootfs puts there; read-only, or a script could set
 * the times of the host's nodes. The links (fd, stdin, …) are the root file system's, shm is
 * tmp.c's. */
#include <sys/mount.h>

#include "common/util.h"
#include "inside/calls.h"
#include "inside/inside.h"
#include "inside/mount.h"

int dev_mount(struct inside *in)
{
    if (is_warm(in)) /* they came with the tree */
        return 0;
    static const char *const nodes[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random",
                                        "/dev/urandom"};
    for (size_t i = 0; i < ARRAY_LEN(nodes); i++)
        if (sys_mount(nodes[i], nodes[i] + 1, NULL, MS_BIND, NULL) < 0 ||
            mount_restrict(nodes[i] + 1, MOUNT_READ_ONLY | MOUNT_NOSUID | MOUNT_NOEXEC) < 0)
            return -1;
    return 0;
}
