/* See process.h. */
#include "core/process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/util.h"

/* Linux 6.11, <linux/pidfd.h> */
#ifndef PIDFD_GET_IPC_NAMESPACE
#define PIDFD_GET_IPC_NAMESPACE _IO(0xFF, 2)
#define PIDFD_GET_MNT_NAMESPACE _IO(0xFF, 3)
#endif

void process_init(struct process *process)
{
    *process = (struct process){.control = -1, .network.index = -1};
    for (size_t i = 0; i < PROCESS_FDS; i++)
        process->fd[i] = -1;
    for (size_t i = 0; i < HELD_NAMESPACES; i++)
        process->held[i] = -1;
    cgroup_job_init(&process->cgroup);
}

struct process process_take(struct process *from)
{
    struct process process = *from;
    process_init(from);
    return process;
}

void process_kill(struct process *process)
{
    siginfo_t info;
    syscall(SYS_pidfd_send_signal, process->fd[SOURCE_PIDFD], SIGKILL, NULL, 0);
    waitid(P_PIDFD, (id_t)process->fd[SOURCE_PIDFD], &info, WEXITED | __WALL);
    process->pid = 0;
}

/* The process that drops the last reference to a mount namespace waits for an RCU grace period; an
 * IPC namespace is freed by a kernel worker that may run first. Holding both here moves this
 * wait out of the job's exit. Best effort. */
void process_hold_namespaces(struct process *process)
{
    static const struct {
        unsigned long get;
        const char *name;
    } namespaces[HELD_NAMESPACES] = {[HELD_MOUNTS] = {PIDFD_GET_MNT_NAMESPACE, "mnt"},
                                     [HELD_IPC] = {PIDFD_GET_IPC_NAMESPACE, "ipc"}};
    char path[32];
    for (size_t i = 0; i < HELD_NAMESPACES; i++) {
        process->held[i] = ioctl(process->fd[SOURCE_PIDFD], namespaces[i].get, 0);
        if (process->held[i] >= 0)
            continue;
        snprintf(path, sizeof(path), "/proc/%d/ns/%s", process->pid, namespaces[i].name);
        process->held[i] = open(path, O_RDONLY | O_CLOEXEC);
    }
}

void process_release_namespaces(struct process *process)
{
    for (size_t i = 0; i < HELD_NAMESPACES; i++)
        close_fd(&process->held[i]);
}

void process_release(struct process *process)
{
    for (size_t i = 0; i < PROCESS_FDS; i++)
        close_fd(&process->fd[i]);
    close_fd(&process->control);
    process_release_namespaces(process);
    cgroup_job_close(&process->cgroup);
    process_init(process);
}
