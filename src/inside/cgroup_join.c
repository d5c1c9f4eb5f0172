/* Control groups, the child's side: it joins the job's own directories if clone3 could not put it
 * there, and hides those above. */
#include <sched.h>

#include "common/append.h"
#include "common/util.h"
#include "inside/calls.h"
#include "inside/inside.h"

/* Writing "0" into `tasks` moves the writing thread alone, for which the kernel takes no lock on
 * all thread groups: 15 µs each. A pid written to cgroup.procs waits for an RCU grace period on an
 * idle host, 5 to 10 ms (cgroup_procs_write_start in kernel/cgroup/cgroup.c). Our uid on the host
 * is still the parent's, who owns the files, or a zygote's, who was given them
 * (cgroup_let_in). */
int cgroup_join(struct inside *in)
{
    char tasks[16 + NUMBER_CHARS];
    append_text(append_number(append_text(tasks, CGROUP_JOB_PREFIX), in->cgroup.slot), "/tasks");
    for (int h = 0; h < CGROUP_HIERARCHIES; h++) {
        if (in->cgroup.join[h] < 0)
            continue;
        _cleanup_sys_close_ int fd = sys_openat(in->cgroup.join[h], tasks, O_WRONLY | O_CLOEXEC, 0);
        if (fd < 0 || sys_write(fd, "0", 1) < 0)
            return -1;
    }
    return 0;
}

/* Not with clone3: a cgroup namespace is rooted where the caller is, and clone's caller is the
 * parent. */
int cgroup_namespace(struct inside *in)
{
    (void)in;
    return sys_unshare(CLONE_NEWCGROUP);
}
