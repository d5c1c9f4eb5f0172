/* The steps of the child, in their order. See inside.h.
 *
 * No code of the script runs before the last line, so every step can fail closed. The notes say
 * which steps must not change places. */
#include "inside/inside.h"

#include <errno.h>
#include <sys/prctl.h>

#include "common/util.h"
#include "inside/calls.h"

/* The remedy is for the most common cause of a failure; NULL: --doctor finds the cause. */
static const struct {
    const char *name;
    int (*step)(struct inside *in);
    const char *remedy;
} steps[] = {
    /* First: the slowest namespace is made while the parent writes limits and id maps. */
    {"network namespace", network_unshare, "is user.max_net_namespaces used up?"},
    /* Leaves the process group, which kill(0, …) reaches across pid namespaces. */
    {"session", session_start, NULL},
    {"scheduling", scheduling_reset, NULL},
    /* Before ids: perhaps only the caller may search the paths to these. */
    {"root file system", root_attach, "check it with sandbox-rootfs check"},
    {"mounts", root_bind_mounts, "may this user read the sources of the policy's mounts?"},
    {"id maps", ids_await_maps, NULL},
    {"cgroup", cgroup_join, NULL},
    /* After cgroup: its root is our cgroup at this moment. */
    {"cgroup namespace", cgroup_namespace, "is user.max_cgroup_namespaces used up?"},
    /* Before tmp: files there need a mapped owner. */
    {"ids", ids_become_job, NULL},
    /* After ids: the kernel counts it as this user's. */
    {"keyring", session_keyring, "are this user's keyrings used up (sysctl kernel.keys.maxkeys)?"},
    /* Before pivot: the kernel wants to see the host's /proc uncovered. */
    {"proc", proc_mount,
     "an outer container that covers parts of its /proc forbids a new one (docker: --security-opt "
     "systempaths=unconfined, podman: unmask=ALL, Kubernetes: procMount: Unmasked); or "
     "--allow-missing proc"},
    {"tmp", tmp_mount, NULL},
    {"work", tmp_open_work, NULL},
    {"dev", dev_mount, "check the root file system with sandbox-rootfs check"},
    /* Before place: /work may become read-only there. */
    {"files", tmp_write_files, "do they fit into tmp_bytes and tmp_files?"},
    {"place", tmp_place, "check the root file system with sandbox-rootfs check"},
    {"pivot", root_pivot, NULL},
    /* After pivot: its rule is for the root. Before descriptors: it makes one. */
    {"landlock", landlock_prepare, NULL},
    {"loopback", network_loopback, NULL},
    {"hostname", hostname_set,
     "does a filter around this process forbid sethostname(2) (systemd: ProtectHostname=)? Allow "
     "it, or let jobs see this host's name: --allow-missing hostname"},
    {"descriptors", descriptors_arrange, NULL},
    /* After descriptors: these may have numbers above RLIMIT_NOFILE. */
    {"rlimits", rlimits_set, NULL},
    {"capabilities", capabilities_drop, NULL},
    {"seccomp", seccomp_available,
     "a kernel with CONFIG_SECCOMP_FILTER, and no outer container that forbids seccomp(2)"},
    {"exec", init_start_script,
     "is python where the root file system's record says? Check with sandbox-rootfs check"},
};

const char *inside_step_name(int step)
{
    return step >= 0 && (size_t)step < ARRAY_LEN(steps) ? steps[step].name : "?";
}

/* No capability helps against EACCES of mount(2) and pivot_root(2): it is a security module's. Some
 * steps also open paths. */
static bool forbidden(int step, int errnum)
{
    static int (*const mounting[])(struct inside *) = {
        root_attach, root_bind_mounts, proc_mount, tmp_mount, dev_mount, tmp_place, root_pivot};
    for (size_t i = 0; errnum == EACCES && i < ARRAY_LEN(mounting); i++)
        if (steps[step].step == mounting[i])
            return true;
    return false;
}

const char *inside_step_remedy(int step, int errnum)
{
    if (step >= 0 && (size_t)step < ARRAY_LEN(steps) && forbidden(step, errnum))
        return "may this user search its path, and does AppArmor or SELinux, perhaps of an outer "
               "container, allow mounts (docker and podman run: --security-opt "
               "apparmor=unconfined)?";
    return step >= 0 && (size_t)step < ARRAY_LEN(steps) ? steps[step].remedy : NULL;
}

int inside_step_of(int (*step)(struct inside *in))
{
    int i = 0;
    while (steps[i].step != step)
        i++;
    return i;
}

int inside_go_without(struct inside *in, enum sb_missing what)
{
    int errnum = errno;
    if (!(in->may_lack & what))
        return -1;
    report_send(in->report,
                &(struct report){.kind = REPORT_MISSING, .step = in->step, .value = errnum});
    return 0;
}

void inside(struct inside *in)
{
    for (in->step = 0; (size_t)in->step < ARRAY_LEN(steps); in->step++)
        if (steps[in->step].step(in) < 0) {
            report_send(in->report,
                        &(struct report){.kind = REPORT_FAILED, .step = in->step, .value = errno});
            sys_exit(125);
        }
    if (in->script != 0)
        init_run(in);
}

/* From its first moment the child dies with the supervisor: by the signal, and by the end of file
 * on the control pipe, whose writing end it closes. It also closes the lock that proves that its
 * owner lives. */
void inside_begin(struct inside *in, int control, int lock)
{
    sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0);
    sys_close(control);
    if (lock >= 0)
        sys_close(lock);
    inside(in);
    sys_exit(125); /* it does not return to a cold start */
}
