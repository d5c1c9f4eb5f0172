/* pid 1 of the job: starts python, reaps orphans, passes on how the script ended. Python itself is
 * never pid 1, so that signals and aborts behave in it as they do outside. Anything that must not
 * fail (timers, limits) is the supervisor's: this process lives among the script's. */
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "inside.h"
#include "raw.h"
#include "util.h"

int init_install_filter(const struct inside *in)
{
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &in->filter);
}

/* Asks before the script's process needs it, so that a failure has its right name. */
int seccomp_available(struct inside *in)
{
    (void)in;
    uint32_t action = SECCOMP_RET_KILL_PROCESS;
    return (int)syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action);
}

/* vfork: the child borrows our memory until execve, which costs nothing to copy. It gets the filter
 * first, by itself: a profile may forbid the very fork that starts it. */
static int start_cold(struct inside *in)
{
    volatile int failed = 0;
    pid_t pid = vfork();
    if (pid < 0)
        return -1;
    if (pid == 0) {
        if (setsid() < 0 || init_install_filter(in) < 0)
            in->step--; /* "seccomp": the memory is the parent's */
        else
            execve(in->argv[0], in->argv, in->envp);
        failed = errno;
        _exit(125);
    }
    if (failed != 0) {
        errno = failed;
        return -1;
    }
    in->script = pid;
    return 0;
}

int init_start_script(struct inside *in)
{
    struct pollfd control = {.fd = in->control};
    if (poll(&control, 1, 0) > 0) { /* the supervisor is gone: nothing is let in any more */
        errno = ECANCELED;
        return -1;
    }
    return in->start_script != NULL ? in->start_script(in) : start_cold(in);
}

/* Lets the script's process go on that waits for this: pid 1 is locked down. */
static void release_script(int *locked)
{
    __atomic_store_n(locked, 1, __ATOMIC_RELEASE);
    raw_syscall(SYS_futex, (long)locked, FUTEX_WAKE, 1, 0, 0);
}

/* Reaps what has ended; leaves when it was the script. */
static void reap(const struct inside *in)
{
    int status;
    for (long pid; (pid = raw_syscall(SYS_wait4, -1, (long)&status, WNOHANG, 0, 0)) > 0;)
        if (pid == in->script) {
            struct report report = {REPORT_EXITED, 0, status};
            raw_syscall(SYS_write, in->report, (long)&report, sizeof(report), 0, 0);
            raw_syscall(SYS_exit_group, 0, 0, 0, 0, 0); /* the kernel kills what is left */
        }
}

void init_run(struct inside *in)
{
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    /* The script's pipes end when the script's processes do. */
    syscall(SYS_close_range, 0, CODE_FD, 0);
    close_fd(&in->channel);
    close_fd(&in->work);
    int ended = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    if (ended < 0 || init_install_filter(in) < 0) {
        inside_report(in, &(struct report){REPORT_FAILED, in->step, errno});
        _exit(125);
    }
    if (in->locked != NULL)
        release_script(in->locked);
    /* From here on the script may be running, in this very memory when its start was warm. */
    for (;;) {
        struct signalfd_siginfo info;
        raw_syscall(SYS_read, ended, (long)&info, sizeof(info), 0, 0);
        reap(in);
        /* End of file: the supervisor is gone, whatever became of PR_SET_PDEATHSIG. */
        struct pollfd events[] = {{.fd = ended, .events = POLLIN}, {.fd = in->control}};
        raw_syscall(SYS_ppoll, (long)events, ARRAY_LEN(events), 0, 0, 0);
        if (events[1].revents != 0)
            raw_syscall(SYS_exit_group, 125, 0, 0, 0, 0);
    }
}
