/* See process.h. */
#include "core/process.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/util.h"

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
