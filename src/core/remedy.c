/* See remedy.h. */
#include "core/remedy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/util.h"

/* The kinds of remedies that differ from container to container, and without one. */
enum by_container { FILTER, MASKS, LSM, NAME, CHOWN, WRITABLE_CGROUP };

#define FILTER_TEXT(option) "a seccomp filter around this process refuses it: " option
#define PROC_TEXT(option) "the container covers parts of /proc: " option
#define LSM_TEXT(option)                                                                           \
    "AppArmor or SELinux forbids it to this process, by the profile of the container: " option
#define NAME_TEXT(option) "a seccomp filter forbids sethostname(2): " option
#define CGROUP_TEXT(option) "the container's own cgroup, writable at /sys/fs/cgroup: " option
#define ALLOWING "a profile that allows it"

static const struct {
    const char *none; /* outside of a container */
    const char *docker, *podman, *kubernetes, *other;
} remedies[] = {
    [FILTER] =
        {
            .none =
                FILTER_TEXT("SystemCallFilter= of its unit, or a container (docker, podman run: "
                            "--security-opt seccomp=unconfined)"),
            .docker = FILTER_TEXT(
                "docker run --security-opt seccomp=unconfined, or =FILE with " ALLOWING),
            .podman = FILTER_TEXT(
                "podman run --security-opt seccomp=unconfined, or =FILE with " ALLOWING),
            .kubernetes =
                FILTER_TEXT("securityContext.seccompProfile of type Localhost with " ALLOWING
                            ", or of type Unconfined"),
            .other = FILTER_TEXT("run the container with seccomp=unconfined, or with " ALLOWING),
        },
    [MASKS] =
        {
            .none = "something covers parts of /proc, as containers do: unmount it (see "
                    "/proc/self/mountinfo)",
            .docker = PROC_TEXT("docker run --security-opt systempaths=unconfined"),
            .podman = PROC_TEXT("podman run --security-opt unmask=ALL"),
            .kubernetes = PROC_TEXT("securityContext.procMount: Unmasked, with hostUsers: false"),
            .other = PROC_TEXT("run it without masked paths"),
        },
    [LSM] =
        {
            .none = "AppArmor or SELinux forbids it to this process: see the kernel's log (dmesg)",
            .docker =
                LSM_TEXT("docker run --security-opt apparmor=unconfined (SELinux: label=disable)"),
            .podman =
                LSM_TEXT("podman run --security-opt apparmor=unconfined (SELinux: label=disable)"),
            .kubernetes = LSM_TEXT("securityContext.appArmorProfile of type Unconfined (SELinux: "
                                   "seLinuxOptions with a type that may mount)"),
            .other = LSM_TEXT("run it without one"),
        },
    [NAME] =
        {
            .none = NAME_TEXT("ProtectHostname=no and SystemCallFilter= of its unit"),
            .docker = NAME_TEXT("docker run --security-opt seccomp=FILE with " ALLOWING),
            .podman = NAME_TEXT("podman run --security-opt seccomp=FILE with " ALLOWING),
            .kubernetes =
                NAME_TEXT("securityContext.seccompProfile of type Localhost with " ALLOWING),
            .other = NAME_TEXT("run the container with " ALLOWING),
        },
    [CHOWN] =
        {
            .none = "CapabilityBoundingSet= of its unit",
            .docker = "docker run --cap-add CHOWN",
            .podman = "podman run --cap-add CHOWN",
            .kubernetes = "securityContext.capabilities.add: [CHOWN]",
            .other = "run the container with CAP_CHOWN",
        },
    [WRITABLE_CGROUP] =
        {
            .none = NULL, /* remedy_of_cgroup finds one */
            .docker = CGROUP_TEXT("docker run --security-opt writable-cgroups=true "
                                  "(Docker 28 or newer, cgroup v2)"),
            .podman = CGROUP_TEXT("podman run --security-opt unmask=ALL with cgroup v2; "
                                  "with v1 --cgroupns=host -v "
                                  "/sys/fs/cgroup:/sys/fs/cgroup:rw"),
            .kubernetes =
                CGROUP_TEXT("a runtime class with cgroup_writable = true (containerd 2.1 or "
                            "newer), or CRI-O's "
                            "annotation io.kubernetes.cri-o.cgroup2-mount-hierarchy-rw: \"true\""),
            .other = CGROUP_TEXT("mount it there, or run outside of the container"),
        },
};

static const char *remedy_here(enum by_container kind, const struct remedy_host *host)
{
    switch (host->container) {
    case CONTAINER_NONE:
        break;
    case CONTAINER_DOCKER:
        return remedies[kind].docker;
    case CONTAINER_PODMAN:
        return remedies[kind].podman;
    case CONTAINER_KUBERNETES:
        return remedies[kind].kubernetes;
    case CONTAINER_OTHER:
        return remedies[kind].other;
    }
    return remedies[kind].none;
}

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
    {"mount_setattr", LINUX(5, 12), 0, "Linux 5.12 or newer"},
    {"seccomp listener", LINUX(5, 0), 0, "Linux 5.0 or newer"},
    {"seccomp listener", 0, EBUSY,
     "run it outside of a container that watches calls itself: the kernel has one listener"},
    {"Landlock", LINUX(5, 19), 0,
     "Linux 5.19 or newer with CONFIG_SECURITY_LANDLOCK=y, and landlock in its parameter lsm="},
    {"Landlock", 0, EOPNOTSUPP,
     "boot with the parameter lsm=landlock, and behind it what /sys/kernel/security/lsm has"},
    {"Landlock", 0, ENOSYS,
     "a kernel with CONFIG_SECURITY_LANDLOCK=y, or no container whose filter hides it"},
    {"cgroup.kill", LINUX(5, 14), 0, "Linux 5.14 or newer"},
    {"cgroup.kill", 0, 0, "mount cgroup v2, beside v1 at /sys/fs/cgroup/unified"},
};

/* And for what no row above fits. */
static const struct {
    const char *name;
    int error; /* 0: any */
    enum by_container kind;
} container_rows[] = {
    {"clone3", 0, FILTER},   {"/proc", EACCES, LSM},       {"/proc", 0, MASKS},
    {"hostname", 0, NAME},   {"mount_setattr", 0, FILTER}, {"seccomp listener", 0, FILTER},
    {"Landlock", 0, FILTER}, {"CAP_CHOWN", 0, CHOWN},
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
    for (size_t i = 0; i < ARRAY_LEN(container_rows); i++)
        if (strcmp(container_rows[i].name, name) == 0 &&
            (container_rows[i].error == 0 || container_rows[i].error == error))
            return remedy_here(container_rows[i].kind, host);
    if (user && host->container == CONTAINER_NONE)
        return "run it outside of a chroot, and of a unit with RestrictNamespaces=";
    if (namespace && error == EACCES)
        return remedy_here(LSM, host);
    return namespace ? remedy_here(FILTER, host) : NULL;
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
    if (host->container != CONTAINER_NONE)
        return "the container's cgroup lacks it: enable it in cgroup.subtree_control of the "
               "cgroups above, on the container's host";
    if (!host->root)
        return "systemctl edit user@.service: [Service] Delegate=cpu memory pids";
    return "enable it for cgroups below the root: cgroup.subtree_control in /sys/fs/cgroup";
}

const char *remedy_of_cgroup(const struct remedy_host *host)
{
    if (host->container != CONTAINER_NONE)
        return remedy_here(WRITABLE_CGROUP, host);
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
