/* See visit.h. Any supervisor may enter: the job's user namespace, or one around it, is its own
 * (user_namespaces(7), "Capabilities"). */
#include "core/visit.h"

#include <errno.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "common/util.h"
#include "inside/calls.h"

/* For what is called there: several times what collect_walk.c uses. */
#define STACK_SIZE (256 * 1024)

struct visitor {
    int mounts, users;
    void (*act)(void *user);
    void *user;
    int errnum;
};

static int enter(void *argument)
{
    struct visitor *visitor = argument;
    if (setns(visitor->users, CLONE_NEWUSER) < 0 || setns(visitor->mounts, CLONE_NEWNS) < 0)
        visitor->errnum = errno;
    else
        visitor->act(visitor->user);
    return 0;
}

/* Works like vfork, as uids_act does. No signal handler of the caller may run there. */
int visit(int mounts, void (*act)(void *user), void *user)
{
    struct visitor visitor = {.mounts = mounts, .act = act, .user = user};
    sigset_t all, before;
    _cleanup_close_ int users = visitor.users = ioctl(mounts, NS_GET_USERNS);
    if (users < 0)
        return -1;
    char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED)
        return -1;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid =
        sys_clone(enter, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | CLONE_FILES, &visitor);
    if (pid < 0)
        visitor.errnum = errno;
    while (pid >= 0 && waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
        ;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    munmap(stack, STACK_SIZE);
    errno = visitor.errnum;
    return visitor.errnum != 0 ? -1 : 0;
}
