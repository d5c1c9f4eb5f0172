/* See scope.h. busctl(1), which comes with systemd, makes the one D-Bus call; linking a D-Bus
 * library would slow down every start, also those that need no scope. */
#include "cgroup/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cgroup/cgroup_weight.h"
#include "common/error.h"
#include "common/tool.h"

/* org.freedesktop.systemd1(5), StartTransientUnit: a delegated scope with this process in it, which
 * systemd removes when it is empty. */
static int call_systemd(const char *manager, const char *name)
{
    char pid[16], weight[16];
    snprintf(pid, sizeof(pid), "%d", (int)getpid());
    snprintf(weight, sizeof(weight), "%" PRId64, cgroup_weight(CGROUP2_WEIGHT));
    const char *const argv[] = {"busctl",
                                manager,
                                "--quiet",
                                "--timeout=5",
                                "call",
                                "org.freedesktop.systemd1",
                                "/org/freedesktop/systemd1",
                                "org.freedesktop.systemd1.Manager",
                                "StartTransientUnit",
                                "ssa(sv)a(sa(sv))",
                                name,
                                "fail",
                                "5",
                                "PIDs",
                                "au",
                                "1",
                                pid,
                                "Delegate",
                                "b",
                                "true",
                                "CPUWeight",
                                "t",
                                weight,
                                "CollectMode",
                                "s",
                                "inactive-or-failed",
                                "Description",
                                "s",
                                "Jobs of sandbox-run",
                                "0",
                                NULL};
    return tool_run(argv, -1);
}

/* The pipe is read after the program has ended: the short answer fits into it. */
bool scope_is_delegated(const char *cgroup)
{
    const char *unit = strrchr(cgroup, '/');
    const char *suffix = unit != NULL ? strrchr(unit, '.') : NULL;
    if (suffix == NULL || strstr(cgroup, "/user@") == NULL ||
        (strcmp(suffix, ".scope") != 0 && strcmp(suffix, ".service") != 0))
        return false;
    const char *const argv[] = {"systemctl", "--user", "show",   "--property=Delegate",
                                "--value",   "--",     unit + 1, NULL};
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return false;
    char answer[16] = "";
    int result = tool_run(argv, ends[1]);
    close(ends[1]);
    if (result == 0 && read(ends[0], answer, sizeof(answer) - 1) < 0)
        result = -1;
    close(ends[0]);
    return result == 0 && strcmp(answer, "yes\n") == 0;
}

bool scope_offered(void)
{
    return access("/run/systemd/system", F_OK) == 0;
}

int scope_ask(char name[SCOPE_NAME_SIZE], struct sb_error *err)
{
    bool system = geteuid() == 0;
    if (!scope_offered())
        return sb_fail(err, "cgroup", ENOENT,
                       "this host does not run systemd, which alone can give a scope");
    snprintf(name, SCOPE_NAME_SIZE, "sandbox-run-%d.scope", (int)getpid());
    if (call_systemd(system ? "--system" : "--user", name) < 0)
        return sb_fail(err, "cgroup", errno,
                       system ? "systemd gives no delegated scope: %m; try: busctl status"
                              : "the user's systemd gives no delegated scope: %m; log in through "
                                "PAM, or: loginctl enable-linger $USER");
    return 0;
}
