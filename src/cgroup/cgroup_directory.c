/* Directories of cgroups that no job owns. */
#include <fcntl.h>
#include <sys/stat.h>

#include "cgroup/cgroup_backend.h"
#include "common/util.h"

int cgroup_open_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 || errno != ENOENT)
        return fd;
    /* EEXIST: another program has just made it. */
    if (mkdir(path, 0755) == 0 ? chmod(path, 0755) < 0 : errno != EEXIST)
        return -1;
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}
