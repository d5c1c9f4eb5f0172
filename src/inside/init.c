/* pid 1 of the job: starts python, reaps orphans, passes on how the script ended. Python itself is
 * never pid 1, so that signals and aborts behave in it as they do outside. Anything that must not
 * fail (timers, limits) is the supervisor's: this process lives among the script's. */
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <string.h>

#include "common/util.h"
#include "inside/calls.h"
#include "inside/inside.h"
#include "inside/reaper.h"

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#else
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#define ALLOW(call)                                                                                \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1),                                         \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* The calls that reaper.h makes, and those with which a warm job's pid 1 becomes init_main.c. */
static const struct sock_filter init_calls[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    ALLOW(ppoll),
    ALLOW(read),
    ALLOW(wait4),
    ALLOW(clock_gettime),
    ALLOW(write),
    ALLOW(exit_group),
    ALLOW(execveat),
    ALLOW(prctl),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
};
const struct sock_fprog init_filter = {ARRAY_LEN(init_calls), (struct sock_filter *)init_calls};

/* Answers with the supervisor's errno, without asking it. */
static void answer_alone(const struct sock_fprog *filter)
{
    for (unsigned i = 0; i < filter->len; i++) {
        struct sock_filter *each = &filter->filter[i];
        if (each->code == (BPF_RET | BPF_K) &&
            (each->k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_USER_NOTIF)
            each->k = SECCOMP_RET_ERRNO | (each->k & SECCOMP_RET_DATA);
    }
}

/* The kernel allows one listener for a process. If a filter around us has it (EBUSY), or the kernel
 * has no listeners (EINVAL), refused calls are still refused, but not reported. */
int script_install_filter(struct inside *in)
{
    static const unsigned flags[] = {
        SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
        SECCOMP_FILTER_FLAG_NEW_LISTENER /* before Linux 5.19 */
    };
    for (size_t i = 0; in->report_denied && i < ARRAY_LEN(flags); i++) {
        in->listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags[i], &in->filter);
        if (in->listener >= 0)
            return 0;
        if (errno != EINVAL)
            break;
    }
    if (in->report_denied)
        answer_alone(&in->filter);
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &in->filter);
}

/* The kernel may refuse to send a descriptor though it sends messages: when too many of this user's
 * are under way (ETOOMANYREFS), because of a job that shares the user. The job then runs without a
 * listener, and its refused calls answer ENOSYS. */
int listener_pass(struct inside *in, int socket, const void *message, size_t size)
{
    union {
        char room[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    struct iovec part = {(void *)message, size};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
    _cleanup_sys_close_ int listener = steal_fd(&in->listener);
    if (listener >= 0) {
        control.align = (struct cmsghdr){
            .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
        memcpy(CMSG_DATA(&control.align), &listener, sizeof(int));
        header.msg_control = control.room;
        header.msg_controllen = sizeof(control.room);
        if (sys_sendmsg(socket, &header) >= 0)
            return 0;
    }
    return sys_send(socket, message, size) < 0 ? -1 : 0;
}

/* Checked before the script's process needs it, so that an error names the right step. */
int seccomp_available(struct inside *in)
{
    (void)in;
    uint32_t action = SECCOMP_RET_KILL_PROCESS;
    return (int)syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action);
}

struct cold {
    struct inside *in;
    int failed; /* errno */
};

static int execute(void *user)
{
    struct cold *cold = user;
    struct inside *in = cold->in;
    /* We share the parent's memory. */
    if (landlock_restrict(in) < 0)
        in->step = inside_step_of(landlock_prepare);
    else if (sys_setsid() < 0 || script_install_filter(in) < 0)
        in->step = inside_step_of(seccomp_available);
    else
        sys_execve(in->argv[0], in->argv, in->envp);
    cold->failed = errno;
    return 125;
}

/* As with vfork, the child borrows our memory until execve, so that nothing is copied. Only the
 * child gets the filter first: a profile may forbid the very fork that starts it. It also shares
 * our descriptors until then, so that we have the filter's listener, too: a profile may forbid
 * sending it. execve closes the script's copies. */
static int start_cold(struct inside *in)
{
    char stack[16 * 1024] __attribute__((aligned(16)));
    struct cold cold = {.in = in};
    const unsigned long flags = CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD;
    pid_t pid = sys_clone(execute, stack + sizeof(stack), flags, &cold);
    if (pid < 0)
        return -1;
    if (cold.failed != 0) {
        errno = cold.failed;
        return -1;
    }
    in->script = pid;
    if (in->listener >= 0)
        listener_pass(in, in->listener_to, "l", 1);
    sys_close_fd(&in->listener_to);
    return 0;
}

/* Time before this moment was spent by the sandbox, not by the script. */
static void report_start(const struct inside *in)
{
    struct timespec cpu;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    int64_t used_us = (int64_t)cpu.tv_sec * 1000000 + cpu.tv_nsec / 1000;
    struct report start = {.kind = REPORT_STARTED, .value = (int)used_us, .at_us = monotonic_us()};
    report_send(in->report, &start);
}

int init_start_script(struct inside *in)
{
    struct pollfd control = {.fd = in->control};
    if (sys_poll_now(&control, 1) > 0) { /* the supervisor is gone: start nothing */
        errno = ECANCELED;
        return -1;
    }
    if (in->start_script != NULL)
        return in->start_script(in);
    report_start(in);
    return start_cold(in);
}

void init_run(struct inside *in)
{
    uint64_t child = UINT64_C(1) << (SIGCHLD - 1);
    /* With the handlers of a warm job's python, the script could send signals to pid 1. */
    if (is_warm(in))
        session_reset_signals();
    sys_signal_mask(SIG_BLOCK, child);
    /* The script's pipes end when the script's processes do. */
    syscall(SYS_close_range, 0, LIBRARY_FD, 0);
    sys_close_fd(&in->channel);
    sys_close_fd(&in->work);
    sys_close_fd(&in->main);
    sys_close_fd(&in->init);
    sys_close_fd(&in->ruleset);
    int ended = (int)syscall(SYS_signalfd4, -1, &child, SIGNALS_BYTES, SFD_CLOEXEC | SFD_NONBLOCK);
    if (ended < 0 || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &init_filter) < 0) {
        report_send(in->report,
                    &(struct report){.kind = REPORT_FAILED, .step = in->step, .value = errno});
        sys_exit(125);
    }
    reaper_run(in->control, in->report, ended, in->script, 0);
    sys_exit(125);
}
