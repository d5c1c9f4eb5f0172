/* User and group ids: the parent writes the maps (launch.c), the child waits for them and becomes
 * the one user that its namespace knows. */
#include <signal.h>
#include <sys/prctl.h>

#include "common/util.h"
#include "inside/calls.h"
#include "inside/inside.h"

/* A byte on the control pipe: the maps are written. End of file: the parent is gone. */
int ids_await_maps(struct inside *in)
{
    char go;
    ssize_t n;
    do
        n = sys_read(in->control, &go, 1);
    while (n < 0 && errno == EINTR);
    if (n == 0)
        errno = ECANCELED;
    return n == 1 ? 0 : -1;
}

/* Uid 0 is not mapped, so for the kernel this is not a change from or to root: the capabilities in
 * our namespace stay until capabilities_drop. The parent dropped the supplementary groups
 * (launch.c), if it could: here setgroups is already denied. */
int ids_become_job(struct inside *in)
{
    (void)in;
    if (sys_setresgid(JOB_GID) < 0 || sys_setresuid(JOB_UID) < 0)
        return -1;
    /* pid 1 has the script's uid; since it is non-dumpable, the script can't read or trace it. */
    if (sys_prctl(PR_SET_DUMPABLE, 0, 0, 0) < 0)
        return -1;
    /* Set by launch.c already, but a change of ids clears it. Two more means end the child with the
     * supervisor: the control pipe (init.c), and cgroup.kill at the next start. */
    return sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0);
}
