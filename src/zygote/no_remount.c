/* A zygote's children restrict only the read-only ones of /tmp, /work and /dev/shm, by
 * mount_setattr(2) alone: on kernels without it, jobs of such policies start cold. */
#include <errno.h>

#include "inside/mount.h"

int mount_remount(const char *path, uint64_t attributes)
{
    (void)path;
    (void)attributes;
    errno = ENOSYS;
    return -1;
}
