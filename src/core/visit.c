/* See visit.h. Any supervisor may enter: the job's user namespace, or one around it, is its own
 * (user_namespaces(7), "Capabilities"). */
#include "core/visit.h"

#include <errno.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>

#include "common/util.h"
#include "core/errand.h"

struct visitor {
    int mounts, users;
    void (*act)(void *user);
    void *user;
};

static int enter(void *argument)
{
    const struct visitor *visitor = argument;
    if (setns(visitor->users, CLONE_NEWUSER) < 0 || setns(visitor->mounts, CLONE_NEWNS) < 0)
        return -1;
    visitor->act(visitor->user);
    return 0;
}

/* No signal handler of the caller may run there. */
int visit(int mounts, void (*act)(void *user), void *user)
{
    sigset_t all, before;
    _cleanup_close_ int users = ioctl(mounts, NS_GET_USERNS);
    struct visitor visitor = {mounts, users, act, user};
    if (users < 0)
        return -1;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int result = errand_run(enter, &visitor);
    int failed = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = failed;
    return result;
}
