/* See attempt.h. */
#include "inside/attempt.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#include "inside/calls.h"

pid_t attempt_start(uint64_t flags, int (*attempt)(void))
{
    struct clone_args args = {.flags = flags};
    pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
    if (pid == 0)
        sys_exit(attempt() < 0 ? errno : 0);
    return pid;
}

int attempt_nothing(void)
{
    return 0;
}

int attempt_wait(void)
{
    sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0);
    for (;;)
        syscall(SYS_ppoll, NULL, 0, NULL, NULL, 0);
}

int attempt_mount_proc(void)
{
    if (sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return -1;
    return sys_mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "subset=pid");
}

int attempt_hostname(void)
{
    return (int)syscall(SYS_sethostname, "sandbox", 7);
}

/* The answer to an empty request tells whether the kernel has the call: ENOSYS if not. */
int attempt_mount_setattr(void)
{
    syscall(SYS_mount_setattr, -1, "", 0, NULL, 0);
    return errno == ENOSYS ? -1 : 0;
}

/* This filter allows everything. */
int attempt_listener(void)
{
    struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {1, &allow};
    if (sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0) < 0)
        return -1;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                        &program);
}
