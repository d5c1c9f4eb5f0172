/* See own_capability.h. By the system call: libcap is linked with sandbox-serve alone. */
#include "core/own_capability.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

bool own_capability(unsigned capability)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    return syscall(SYS_capget, &header, data) == 0 &&
           (data[capability / 32].effective & 1U << capability % 32) != 0;
}
