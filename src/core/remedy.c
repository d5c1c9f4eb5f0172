/* See remedy.h. */
#include "core/remedy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/util.h"

#define FILTER                                                                                     \
    "a seccomp filter around this process refuses it: docker run --security-opt "                  \
    "seccomp=unconfined, or SystemCallFilter= of its unit"

/* The first row that fits is used. */
static const struct row {
    const char *name;
    unsigned before; /* the row is for older kernels only; 0: for all */
    int error;       /* 0: any */
    const char *text;
} rows[] = {
    {"clone3", LINUX(5, 7), 0, "run on Linux 5.10 or newer"},
    {"clone3", 0, EAGAIN,
     "raise the limit on processes: ulimit -u, TasksMax= of the unit, or pids.max of the "
     "container"},
    {"clone3", 0, 0, FILTER},

    {"user namespace", 0, ENOSPC, "sysctl -w user.max_user_namespaces=10000"},
    {"user namespace", 0, EINVAL, "a kernel with CONFIG_USER_NS=y"},
    {"pid namespace", 0, ENOSPC, "sysctl -w user.max_pid_namespaces=10000"},
    {"pid namespace", 0, EINVAL, "a kernel with CONFIG_PID_NS=y"},
    {"network namespace", 0, ENOSPC, "sysctl -w user.max_net_namespaces=10000"},
    {"network namespace", 0, EINVAL, "a kernel with CONFIG_NET_NS=y"},
    {"mount namespace", 0, ENOSPC, "sysctl -w user.max_mnt_namespaces=10000"},
    {"ipc namespace", 0, ENOSPC, "sysctl -w user.max_ipc_namespaces=10000"},
    {"ipc namespace", 0, EINVAL, "a kernel with CONFIG_IPC_NS=y"},
    {"uts namespace", 0, ENOSPC, "sysctl -w user.max_uts_namespaces=10000"},
    {"uts namespace", 0, EINVAL, "a kernel with CONFIG_UTS_NS=y"},
    {"cgroup namespace", 0, ENOSPC, "sysctl -w user.max_cgroup_namespaces=10000"},
    {"cgroup namespace", 0, EINVAL, "a kernel with CONFIG_CGROUPS=y"},

    {"/proc", LINUX(5, 8), EINVAL, "Linux 5.10 or newer"},
    {"/proc", 0, 0,
     "docker run --security-opt systempaths=unconfined …, or --best-effort for jobs without /proc"},
    {"mount_setattr", LINUX(5, 12), 0, "Linux 5.12 or newer"},
    {"mount_setattr", 0, 0, FILTER},
    {"seccomp listener", LINUX(5, 0), 0, "Linux 5.0 or newer"},
    {"seccomp listener", 0, EBUSY,
     "run it outside of a container that watches calls itself: the kernel has one listener"},
    {"seccomp listener", 0, 0, FILTER},
    {"Landlock", LINUX(5, 19), 0,
     "Linux 5.19 or newer with CONFIG_SECURITY_LANDLOCK=y, and landlock in its parameter lsm="},
    {"Landlock", 0, EOPNOTSUPP,
     "boot with the parameter lsm=landlock, and behind it what /sys/kernel/security/lsm has"},
    {"Landlock", 0, ENOSYS,
     "a kernel with CONFIG_SECURITY_LANDLOCK=y, or no container whose filter hides it"},
    {"Landlock", 0, 0, FILTER},
    {"cgroup.kill", LINUX(5, 14), 0, "Linux 5.14 or newer"},
    {"cgroup.kill", 0, 0, "mount cgroup v2, beside v1 at /sys/fs/cgroup/unified"},
};

unsigned remedy_version(const char *release)
{
    unsigned major, minor;
    return sscanf(release, "%u.%u", &major, &minor) == 2 && minor < 1000 ? LINUX(major, minor) : 0;
}

static bool fits(const struct row *row, const char *name, int error, const struct remedy_host *host)
{
    return strcmp(row->name, name) == 0 && (row->error == 0 || row->error == error) &&
           (row->before == 0 || (host->version != 0 && host->version < row->before));
}

const char *remedy_of(const char *name, int error, const struct remedy_host *host)
{
    bool user = strcmp(name, "user namespace") == 0;
    bool namespace = strstr(name, " namespace") != NULL;
    if (user && host->settings_forbid)
        return "see the settings above";
    if (namespace && !user && host->no_user_namespace)
        return "see user namespace above";
    if (strcmp(name, "cgroup.kill") == 0 && host->no_cgroup)
        return "see cgroup above";
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (fits(&rows[i], name, error, host))
            return rows[i].text;
    if (user && !host->container)
        return "run it outside of a chroot, and of a unit with RestrictNamespaces=";
    return namespace ? FILTER : NULL;
}

const char *remedy_of_controller(bool listed, bool enabled, const struct remedy_host *host)
{
    if (host->no_cgroup)
        return "see cgroup above";
    if (!listed)
        return "a kernel that was built with this controller";
    if (!enabled)
        return "boot without this controller in the parameter cgroup_disable= (for memory on some "
               "boards: with cgroup_enable=memory)";
    if (!host->root)
        return "systemctl edit user@.service: [Service] Delegate=cpu memory pids";
    return host->container
               ? "the container's cgroup lacks it: docker run --cgroupns=private -v "
                 "/sys/fs/cgroup:/sys/fs/cgroup:rw"
               : "enable it for cgroups below the root: cgroup.subtree_control in /sys/fs/cgroup";
}

const char *remedy_of_cgroup(const struct remedy_host *host)
{
    if (host->root && host->container)
        return "a writable /sys/fs/cgroup: docker run --cgroupns=private -v "
               "/sys/fs/cgroup:/sys/fs/cgroup:rw";
    if (host->root && host->cgroup2)
        return "mount -o remount,rw /sys/fs/cgroup";
    if (host->cgroup2 && host->systemd)
        return "systemd-run --user --scope -p Delegate=yes sandbox-run …; as root once: loginctl "
               "enable-linger USER";
    if (!host->root)
        return host->systemd ? "run it as root, or boot with systemd.unified_cgroup_hierarchy=1"
                             : "run it as root: there is no systemd here that delegates cgroups";
    return host->systemd ? "boot with systemd.unified_cgroup_hierarchy=1"
                         : "mount -t cgroup2 none /sys/fs/cgroup";
}
