/* The network namespace has a loopback device, which is down unless the policy wants it up. Also
 * sets the names of the uts namespace. */
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>

#include "common/util.h"
#include "inside/calls.h"
#include "inside/inside.h"

int network_unshare(struct inside *in)
{
    return in->network_made ? 0 : sys_unshare(CLONE_NEWNET);
}

int network_loopback(struct inside *in)
{
    if (!in->policy->loopback)
        return 0;
    _cleanup_sys_close_ int fd = sys_socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC);
    if (fd < 0)
        return -1;
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    return sys_ioctl(fd, SIOCSIFFLAGS, &request);
}

static int set_names(void)
{
    static const char name[] = "sandbox";
    if (syscall(SYS_sethostname, name, strlen(name)) < 0)
        return -1;
    return (int)syscall(SYS_setdomainname, "", 0);
}

/* The filters of containers refuse this (podman, Docker: unless CAP_SYS_ADMIN is given). What the
 * job sees then is the container's name, not the host's; it cannot change it, as its own filter and
 * its lack of capabilities forbid that, too. */
int hostname_set(struct inside *in)
{
    if (set_names() == 0)
        return 0;
    if (errno != EPERM && errno != ENOSYS)
        return -1;
    return in->in_container ? 0 : inside_go_without(in, SB_MISSING_HOSTNAME);
}
