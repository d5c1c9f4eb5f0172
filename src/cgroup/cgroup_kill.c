/* Kills all processes in a job's cgroup. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup/cgroup.h"
#include "cgroup/cgroup_backend.h"
#include "common/small_file.h"

/* For kernels without cgroup.kill (before 5.14): kills one by one, until none is left. If the
 * processes fork faster than that, it gives up after 100 rounds. */
static void kill_listed(int dir)
{
    char text[16384];
    for (int round = 0; round < 100; round++) {
        if (small_file_read(dir, "cgroup.procs", text, sizeof(text)) <= 0)
            return;
        char *state = NULL;
        for (char *pid = strtok_r(text, "\n", &state); pid; pid = strtok_r(NULL, "\n", &state))
            if (atoi(pid) > 0)
                kill(atoi(pid), SIGKILL);
    }
}

void cgroup_kill(const struct cgroup_host *host, const struct cgroup_job *job)
{
    if (job->dir[0] < 0)
        return;
    const struct cgroup_knob *unthrottle = &host->backend->unthrottle;
    if (job->dir[unthrottle->hierarchy] >= 0)
        small_file_write(job->dir[unthrottle->hierarchy], unthrottle->file, unthrottle->text);
    if (small_file_write(job->dir[0], "cgroup.kill", "1") < 0)
        kill_listed(job->dir[0]);
}
