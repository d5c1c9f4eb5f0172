/* A delegated scope from systemd: how a program that was started by hand, as root or as an ordinary user, comes by a
 * cgroup of its own. libsystemd is loaded only when it is needed: it costs more than a whole run. */
#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"
#include "error.h"

/* What is used of <systemd/sd-bus.h>, by its own names. */
struct bus {
    void *library;
    int (*sd_bus_open_user)(void **bus);
    int (*sd_bus_open_system)(void **bus);
    int (*sd_bus_call_method)(void *bus, const char *destination, const char *path,
                              const char *interface, const char *member, void *error, void **reply,
                              const char *types, ...);
    void *(*sd_bus_flush_close_unref)(void *bus);
};

static int load(struct bus *bus)
{
    bus->library = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
    if (bus->library == NULL)
        return -1;
#define SYMBOL(name) (bus->name = (__typeof__(bus->name))dlsym(bus->library, #name))
    bool all = SYMBOL(sd_bus_open_user) && SYMBOL(sd_bus_open_system) &&
               SYMBOL(sd_bus_call_method) && SYMBOL(sd_bus_flush_close_unref);
#undef SYMBOL
    if (!all)
        dlclose(bus->library);
    return all ? 0 : -1;
}

/* systemd answers before it has moved us: our own cgroup is the evidence. */
static int await_delegation(void)
{
    for (int tries = 0; tries < 5000; tries++) {
        if (cgroup_v2_delegated())
            return 0;
        poll(NULL, 0, 1);
    }
    return -1;
}

static int start_scope(const struct bus *bus, struct sb_error *err)
{
    void *connection = NULL;
    bool system = geteuid() == 0;
    int r = system ? bus->sd_bus_open_system(&connection) : bus->sd_bus_open_user(&connection);
    if (r < 0)
        return sb_fail(err, "cgroup", -r, "cannot reach systemd%s over D-Bus%s",
                       system ? "" : "'s user manager",
                       system ? "" : " (log in through PAM, or: loginctl enable-linger $USER)");
    char name[64];
    snprintf(name, sizeof(name), "sandbox-run-%ld.scope", (long)getpid());
    r = bus->sd_bus_call_method(connection, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                                "org.freedesktop.systemd1.Manager", "StartTransientUnit", NULL, NULL,
                                "ssa(sv)a(sa(sv))", name, "fail", 4, "PIDs", "au", 1,
                                (uint32_t)getpid(), "Delegate", "b", 1, "CollectMode", "s",
                                "inactive-or-failed", "Description", "s", "sandbox-run's jobs", 0);
    bus->sd_bus_flush_close_unref(connection);
    if (r < 0)
        return sb_fail(err, "cgroup", -r, "systemd refuses the delegated scope %s", name);
    if (await_delegation() < 0)
        return sb_fail(err, "cgroup", 0, "systemd did not move us into %s; see: systemctl %sstatus %s",
                       name, system ? "" : "--user ", name);
    return 0;
}

int scope_enter(struct sb_error *err)
{
    if (access("/run/systemd/system", F_OK) < 0)
        return sb_fail(err, "cgroup", ENOENT, "this host does not run systemd");
    struct bus bus;
    if (load(&bus) < 0)
        return sb_fail(err, "cgroup", 0, "libsystemd.so.0 is not there; install it: apt-get install libsystemd0");
    int result = start_scope(&bus, err);
    dlclose(bus.library);
    return result;
}
