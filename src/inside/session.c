/* Attributes that a process inherits from its parent besides memory and descriptors, each set to a
 * known value: session, signals, umask, keyring, personality, scheduling, oom_score_adj. */
#include <linux/ioprio.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>

#include "common/util.h"
#include "inside/calls.h"
#include "inside/inside.h"

/* When the host itself runs out of memory, jobs are killed before other programs that have not
 * asked for it: half of the scale of oom_score_adj in proc(5). Raising it needs no privilege. */
#define JOB_OOM_SCORE_ADJ "500"

static int prefer_for_oom_kill(void)
{
    _cleanup_sys_close_ int fd = sys_open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t n = sys_write(fd, JOB_OOM_SCORE_ADJ, strlen(JOB_OOM_SCORE_ADJ));
    /* EACCES: the caller has more than 500 already, which we may not lower. */
    return n < 0 && errno != EACCES ? -1 : 0;
}

/* Ignored signals stay ignored across execve, even with CLONE_CLEAR_SIGHAND. */
int session_reset_signals(void)
{
    for (int signal = 1; signal < NSIG; signal++)
        if (signal != SIGKILL && signal != SIGSTOP)
            sys_signal_default(signal);
    return sys_signal_mask(SIG_SETMASK, 0);
}

int session_start(struct inside *in)
{
    /* A zygote has done so itself, and its python has installed its handlers. (Pid 1 stays in the
     * zygote's session, which the script, in one of its own, can't reach. Another session would
     * cost 30 µs: the kernel makes a scheduling group for each.) */
    if (!is_warm(in) &&
        (sys_setsid() < 0 || session_reset_signals() < 0 || prefer_for_oom_kill() < 0))
        return -1;
    syscall(SYS_umask, 022);
    return syscall(SYS_personality, PER_LINUX) < 0 ? -1 : 0;
}

/* Keyrings are not namespaced: without this the job would share the caller's session keyring.
 * ENOSYS: a kernel without keyrings has none to share. */
int session_keyring(struct inside *in)
{
    (void)in;
    long joined = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
    return joined < 0 && errno != ENOSYS ? -1 : 0;
}

/* taskset(1), nice(1) or ionice(1) around the caller are meant for its jobs: they keep its CPUs,
 * and its low priorities (nice values, SCHED_BATCH, SCHED_IDLE, low I/O priorities). They do not
 * keep high priorities: a job in real time would escape its share of the CPUs. Giving these up
 * needs no privilege. */
static int give_up_precedence(void)
{
    struct sched_param none = {0};
    int policy = (int)syscall(SYS_sched_getscheduler, 0) & ~SCHED_RESET_ON_FORK;
    if (policy != SCHED_OTHER && policy != SCHED_BATCH && policy != SCHED_IDLE &&
        syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &none) < 0)
        return -1;
    /* The call returns 20 minus the nice value. */
    if (syscall(SYS_getpriority, PRIO_PROCESS, 0) > 20 &&
        syscall(SYS_setpriority, PRIO_PROCESS, 0, 0) < 0)
        return -1;
    int disk = (int)syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0);
    unsigned class = IOPRIO_PRIO_CLASS((unsigned)disk), level = (unsigned)disk & 7;
    bool ahead = class == IOPRIO_CLASS_RT || (class == IOPRIO_CLASS_BE && level < IOPRIO_BE_NORM);
    return disk < 0 || ahead ? (int)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, 0) : 0;
}

int scheduling_reset(struct inside *in)
{
    (void)in;
    if (give_up_precedence() < 0)
        return -1;
    if (syscall(SYS_set_mempolicy, 0, NULL, 0) < 0 && errno != ENOSYS) /* MPOL_DEFAULT */
        return -1;
    return sys_prctl(PR_SET_TIMERSLACK, 50000, 0, 0);
}
