/* cgroup v2: one hierarchy. Jobs' cgroups lie below the cgroup that systemd delegated to this
 * process, or, as root without systemd and as the owner of a container's cgroup, below
 * /sys/fs/cgroup/sandbox-run. See the kernel's
 * Documentation/admin-guide/cgroup-v2.rst. */
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include "cgroup/cgroup.h"
#include "cgroup/cgroup_backend.h"
#include "cgroup/cgroup_weight.h"
#include "cgroup/scope.h"
#include "common/error.h"
#include "common/small_file.h"
#include "common/util.h"

#define CGROUP2_ROOT "/sys/fs/cgroup"
/* A cgroup with controllers enabled for its children may not hold processes: ours move here. */
#define SUPERVISOR "supervisor"

static const struct cgroup_knob knobs[] = {
    {.controller = CGROUP_MEMORY, .file = "memory.max", .limit = SB_MEMORY_BYTES, .multiply = 1},
    {.controller = CGROUP_MEMORY, .file = "memory.swap.max", .text = "0", .optional = true},
    {.controller = CGROUP_MEMORY, .file = "memory.oom.group", .text = "1"},
    {.controller = CGROUP_CPU,
     .file = "cpu.max",
     .limit = SB_MILLICPUS,
     .multiply = 100,
     .suffix = " 100000"},
    {.controller = CGROUP_CPU, .file = "cpu.weight", .weight = CGROUP2_WEIGHT},
    /* One more than the limit, for our own pid 1. */
    {.controller = CGROUP_PIDS, .file = "pids.max", .limit = SB_PIDS, .multiply = 1, .add = 1},
};

static const struct cgroup_backend v2 = {
    .name = "v2",
    .knobs = knobs,
    .knobs_count = ARRAY_LEN(knobs),
    .unthrottle = {.file = "cpu.max", .text = "max"},
    .evidence =
        {
            [CGROUP_CPU_TIME_US] = {0, "cpu.stat", "usage_usec", .held = true},
            [CGROUP_SYSTEM_TIME_US] = {0, "cpu.stat", "system_usec"},
            [CGROUP_MEMORY_NOW] = {0, "memory.current", NULL},
            [CGROUP_MEMORY_PEAK] = {0, "memory.peak", NULL, .held = true},
            [CGROUP_PIDS_NOW] = {0, "pids.current", NULL},
            [CGROUP_PIDS_PEAK] = {0, "pids.peak", NULL, .held = true},
            [CGROUP_OOM_KILLS] = {0, "memory.events", "oom_kill", .held = true},
            [CGROUP_MEMORY_HITS] = {0, "memory.events", "oom"},
        },
};

static bool on_cgroup2(void)
{
    struct statfs info;
    return statfs(CGROUP2_ROOT, &info) == 0 && info.f_type == CGROUP2_SUPER_MAGIC;
}

/* The directory of the cgroup that this process is in. */
static int own_cgroup(char *path, size_t size)
{
    char text[4096];
    if (small_file_read(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text)) < 0)
        return -1;
    char *line = strstr(text, "0::/");
    if (line == NULL || (line != text && line[-1] != '\n')) {
        errno = ENOENT;
        return -1;
    }
    line[strcspn(line, "\n")] = '\0';
    int length = snprintf(path, size, "%s%s", CGROUP2_ROOT, line + 3);
    if (length < 0 || (size_t)length >= size) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return 0;
}

/* systemd marks the cgroups that it delegates (systemd.resource-control(5), Delegate=). */
static bool marked_delegated(const char *path)
{
    char value[8];
    if (access(path, W_OK) < 0)
        return false;
    /* Before version 251 only root can read the mark. The scope that we asked for is known by its
     * name. */
    const char *scope = strrchr(path, '/');
    return (getxattr(path, "user.delegate", value, sizeof(value)) == 1 && value[0] == '1') ||
           (getxattr(path, "trusted.delegate", value, sizeof(value)) == 1 && value[0] == '1') ||
           (scope != NULL && strncmp(scope, "/sandbox-run-", 13) == 0);
}

/* We cannot see the mark of a cgroup that a user's systemd delegates (at least up to systemd 252).
 * So we ask systemd, which takes some ms. */
static bool is_delegated(const char *path, bool ask)
{
    return marked_delegated(path) ||
           (ask && geteuid() != 0 && access(path, W_OK) == 0 && scope_is_delegated(path));
}

/* Finds the delegated cgroup that we are in, directly or in its child supervisor/. */
static bool delegated_base(char *path, size_t size, bool ask)
{
    if (!on_cgroup2() || own_cgroup(path, size) < 0)
        return false;
    if (is_delegated(path, ask))
        return true;
    char *last = strrchr(path, '/');
    if (strcmp(last, "/" SUPERVISOR) != 0)
        return false;
    *last = '\0';
    return is_delegated(path, ask);
}

bool cgroup_v2_delegated(void)
{
    char path[4096];
    return delegated_base(path, sizeof(path), false);
}

/* Moves the processes in `base` itself, ours and others of our unit, to base/supervisor. */
static int evacuate(int base)
{
    /* The mode is exact, whatever the caller's umask is. */
    if (mkdirat(base, SUPERVISOR, 0755) == 0 ? fchmodat(base, SUPERVISOR, 0755, 0) < 0
                                             : errno != EEXIST)
        return -1;
    char text[16384], *state = NULL;
    if (small_file_read(base, "cgroup.procs", text, sizeof(text)) < 0)
        return -1;
    for (char *pid = strtok_r(text, "\n", &state); pid; pid = strtok_r(NULL, "\n", &state)) {
        if (strcmp(pid, "0") == 0) { /* of an outer pid namespace; writing 0 would move us */
            errno = EPERM;
            return -1;
        }
        if (small_file_write(base, SUPERVISOR "/cgroup.procs", pid) < 0 && errno != ESRCH)
            return -1;
    }
    return 0;
}

static unsigned controllers_in(int dir, const char *file)
{
    static const struct {
        const char *name;
        enum cgroup_controller controller;
    } names[] = {{"memory", CGROUP_MEMORY}, {"cpu", CGROUP_CPU}, {"pids", CGROUP_PIDS}};
    char text[512];
    unsigned found = 0;
    if (small_file_read(dir, file, text, sizeof(text)) < 0)
        return 0;
    char *state = NULL;
    for (char *word = strtok_r(text, " \n", &state); word; word = strtok_r(NULL, " \n", &state))
        for (size_t i = 0; i < ARRAY_LEN(names); i++)
            if (strcmp(word, names[i].name) == 0)
                found |= names[i].controller;
    return found;
}

/* Enables the controllers of `dir` for its children. Returns those that are enabled then. */
static unsigned enable_controllers(int dir, bool may_evacuate)
{
    unsigned there = controllers_in(dir, "cgroup.controllers");
    unsigned enabled = controllers_in(dir, "cgroup.subtree_control");
    static const char *const words[] = {
        [CGROUP_MEMORY] = "+memory", [CGROUP_CPU] = "+cpu", [CGROUP_PIDS] = "+pids"};
    for (unsigned c = CGROUP_MEMORY; c <= CGROUP_PIDS; c <<= 1) {
        if (!(there & c) || (enabled & c))
            continue;
        int result = small_file_write(dir, "cgroup.subtree_control", words[c]);
        /* Processes of our unit may be forked while we move the others, and a process that is
         * exiting stays until it has exited: try again. */
        for (int tries = 0; result < 0 && errno == EBUSY && may_evacuate && tries < 1000; tries++) {
            if (tries > 2)
                poll(NULL, 0, 1);
            result =
                evacuate(dir) < 0 ? -1 : small_file_write(dir, "cgroup.subtree_control", words[c]);
        }
        if (result == 0)
            enabled |= c;
    }
    return enabled;
}

static int open_delegated(struct cgroup_host *host, struct sb_error *err)
{
    char path[4096];
    if (!delegated_base(path, sizeof(path), true))
        return sb_fail(
            err, "cgroup", 0,
            "this process is not in a delegated cgroup; start it in one: systemd-run --user "
            "--scope -p Delegate=yes … (as root without --user)");
    host->parent[0] = cgroup_open_directory(path);
    if (host->parent[0] < 0)
        return sb_fail(err, "cgroup", errno, "cannot open %s: %m; see sandbox-run --doctor", path);
    snprintf(host->place, sizeof(host->place), "%.240s", path);
    host->controllers = enable_controllers(host->parent[0], true);
    return 0;
}

/* Whether what is mounted is the root of a cgroup namespace (the host's has no cgroup.type) whose
 * owner we are, as users of containers can be. */
static bool owns_namespace_root(void)
{
    static const char *const files[] = {"", "/cgroup.procs", "/cgroup.subtree_control"};
    char path[64];
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        snprintf(path, sizeof(path), CGROUP2_ROOT "%s", files[i]);
        if (access(path, W_OK) < 0)
            return false;
    }
    return access(CGROUP2_ROOT "/cgroup.type", F_OK) == 0;
}

static int open_root(struct cgroup_host *host, struct sb_error *err)
{
    if (geteuid() != 0 && !owns_namespace_root())
        return sb_fail(err, "cgroup", 0,
                       "this user may not make cgroups in " CGROUP2_ROOT
                       ": run as root, or in a container whose own cgroup is mounted there and "
                       "belongs to this user");
    _cleanup_close_ int root = cgroup_open_directory(CGROUP2_ROOT);
    if (root < 0)
        return sb_fail(err, "cgroup", errno,
                       "cannot open " CGROUP2_ROOT ": %m; see sandbox-run --doctor");
    /* In a container the root of the cgroup namespace has processes, which must be moved; the
     * host's root may keep its own. */
    enable_controllers(root, faccessat(root, "cgroup.type", F_OK, 0) == 0);
    host->parent[0] = cgroup_open_directory(CGROUP2_ROOT "/sandbox-run");
    if (host->parent[0] < 0)
        return sb_fail(err, "cgroup", errno,
                       "cannot make " CGROUP2_ROOT "/sandbox-run: %m; is it mounted read-only?");
    snprintf(host->place, sizeof(host->place), CGROUP2_ROOT "/sandbox-run");
    host->controllers = enable_controllers(host->parent[0], false);
    return 0;
}

/* Our own cgroup shows when systemd has moved us. */
static int enter_scope(struct sb_error *err)
{
    char name[SCOPE_NAME_SIZE];
    if (scope_ask(name, err) < 0)
        return -1;
    for (int tries = 0; tries < 5000; tries++) {
        if (cgroup_v2_delegated())
            return 0;
        poll(NULL, 0, 1);
    }
    return sb_fail(err, "cgroup", 0, "systemd did not move us into %s; see: systemctl %sstatus %s",
                   name, geteuid() == 0 ? "" : "--user ", name);
}

int cgroup_v2_open(struct cgroup_host *host, enum sb_cgroup mode, struct sb_error *err)
{
    if (!on_cgroup2())
        return sb_fail(err, "cgroup", ENOENT,
                       "no cgroup v2 at " CGROUP2_ROOT
                       ": %m; leave --cgroup out, or see sandbox-run --doctor");
    host->backend = &v2;
    if (mode == SB_CGROUP_V2_ROOT)
        return open_root(host, err);
    if (mode == SB_CGROUP_V2_SCOPE && !cgroup_v2_delegated() && enter_scope(err) < 0)
        return -1;
    return open_delegated(host, err);
}
