/* See errand.h. */
#include "core/errand.h"

#include <errno.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "inside/calls.h"

/* Several times what the functions use that are called on it, and the steps of a cold job that one
 * of them clones. */
#define STACK_SIZE (256 * 1024)

struct errand {
    int (*act)(void *user);
    void *user;
    int result, errnum;
};

static int run(void *argument)
{
    struct errand *errand = argument;
    errand->result = errand->act(errand->user);
    errand->errnum = errno;
    return 0;
}

int errand_run(int (*act)(void *user), void *user)
{
    char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED)
        return -1;
    struct errand errand = {act, user, -1, ECHILD};
    pid_t pid = sys_clone(run, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | CLONE_FILES, &errand);
    if (pid < 0)
        errand.errnum = errno;
    while (pid >= 0 && waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
        ;
    munmap(stack, STACK_SIZE);
    errno = errand.errnum;
    return errand.result;
}
