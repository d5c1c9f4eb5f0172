/* Whether this process is in a container, by the marks that container runtimes leave. */
#ifndef CORE_CONTAINER_H
#define CORE_CONTAINER_H

#include <stdbool.h>

enum container {
    CONTAINER_NONE,
    CONTAINER_DOCKER,
    CONTAINER_PODMAN,
    CONTAINER_KUBERNETES,
    CONTAINER_OTHER, /* it says that it is one, but not of which kind */
};

enum container container_kind(void);

/* Whether the name of this host is a container's own, which its jobs may see: we are in a container
 * that has a uts namespace. With hostNetwork, --uts=host and the like it has none. */
bool container_has_name(void);

#endif
