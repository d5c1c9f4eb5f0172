/* See container.h. */
#include "core/container.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/util.h"

/* The number of the first uts namespace, that of the host: PROC_UTS_INIT_INO in the kernel's
 * include/linux/proc_ns.h, the same since Linux 3.8. */
#define HOST_UTS UINT64_C(0xEFFFFFFE)

/* A pod's containers have the marks of their runtime, too: Kubernetes comes first. The variables
 * are set for all processes of a container; systemd and podman set `container`. */
enum container container_kind(void)
{
    const char *container = getenv("container");
    if (getenv("KUBERNETES_SERVICE_HOST") != NULL)
        return CONTAINER_KUBERNETES;
    /* With --read-only, the /run of podman is an empty file system over its mark. */
    if (access("/run/.containerenv", F_OK) == 0 ||
        (container != NULL && strcmp(container, "podman") == 0))
        return CONTAINER_PODMAN;
    if (access("/.dockerenv", F_OK) == 0)
        return CONTAINER_DOCKER;
    if (access("/run/systemd/container", F_OK) == 0 || container != NULL)
        return CONTAINER_OTHER;
    return CONTAINER_NONE;
}

bool container_has_name(void)
{
    struct stat uts;
    return container_kind() != CONTAINER_NONE && stat("/proc/self/ns/uts", &uts) == 0 &&
           uts.st_ino != HOST_UTS;
}
