/* A zygote's children restrict no more than what a policy has read-only of /tmp, /work and
 * /dev/shm, and by mount_setattr(2) alone: where the kernel lacks it, jobs of such policies start
 * cold. */
#include <errno.h>

#include "inside/mount.h"

int mount_remount(const char *path, uint64_t attributes)
{
    (void)path;
    (void)attributes;
    errno = ENOSYS;
    return -1;
}
