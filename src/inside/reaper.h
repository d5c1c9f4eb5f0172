/* The work of a job's pid 1: reaps orphans, passes on how the script ended. Raw system calls alone,
 * since a warm job's pid 1 has no C library (src/zygote/init_main.c). */
#ifndef SB_REAPER_H
#define SB_REAPER_H

#include <errno.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>

#include "common/no_return.h"
#include "common/util.h"
#include "inside/inside.h"
#include "inside/raw.h"

static inline long wait_for_any(int *status)
{
    return raw_syscall(SYS_wait4, -1, (long)status, WNOHANG | __WALL, 0, 0);
}

static inline NO_RETURN void reaper_end(int control, int report, int status, long pause_ns)
{
    struct report end = {.kind = REPORT_EXITED, .value = status};
    struct timespec now = {0};
    raw_syscall(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&now, 0, 0, 0);
    end.at_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
    end.alone = wait_for_any(&status) == -ECHILD;
    raw_syscall(SYS_write, report, (long)&end, sizeof(end), 0, 0);
    if (end.alone && pause_ns > 0) {
        struct pollfd gone = {.fd = control};
        struct timespec pause = {.tv_nsec = pause_ns};
        raw_syscall(SYS_ppoll, (long)&gone, 1, (long)&pause, 0, 0);
    }
    for (;;)
        raw_syscall(SYS_exit_group, 0, 0, 0, 0, 0); /* the kernel kills all others */
}

/* `ended` is a signalfd for SIGCHLD, which is blocked; `control` and `report` are those of struct
 * inside. If no other process is left at the end, pid 1 exits `pause_ns` after its report. Returns
 * when the supervisor is gone, even without PR_SET_PDEATHSIG. */
static inline void reaper_run(int control, int report, int ended, long script, long pause_ns)
{
    for (;;) {
        struct signalfd_siginfo info;
        struct pollfd events[] = {{.fd = ended, .events = POLLIN}, {.fd = control}};
        int status = 0;
        for (long pid; (pid = wait_for_any(&status)) > 0;)
            if (pid == script)
                reaper_end(control, report, status, pause_ns);
        raw_syscall(SYS_ppoll, (long)events, ARRAY_LEN(events), 0, 0, 0);
        if (events[1].revents != 0)
            return;
        if (events[0].revents != 0)
            raw_syscall(SYS_read, ended, (long)&info, sizeof(info), 0, 0);
    }
}

#endif
