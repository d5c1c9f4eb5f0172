/* Remedies for what --doctor finds missing, chosen for the running kernel: a newer kernel does not
 * help where this one is new enough and something else is in the way. Looks at nothing itself. */
#ifndef CORE_REMEDY_H
#define CORE_REMEDY_H

#include <stdbool.h>

#include "core/container.h"

#define LINUX(major, minor) ((major)*1000u + (minor))

struct remedy_host {
    unsigned version; /* LINUX(5, 19); 0: not known */
    bool root;        /* this process is root's */
    enum container container;
    bool systemd;           /* systemd is the host's init */
    bool cgroup2;           /* cgroup v2 is mounted at /sys/fs/cgroup */
    bool settings_forbid;   /* a setting forbids user namespaces; an earlier finding says so */
    bool no_user_namespace; /* no user namespace can be made, and so no other namespace */
    bool no_cgroup;
};

/* The version in uname's release, such as "6.1.0-18-amd64"; 0: not known. */
unsigned remedy_version(const char *release);

/* The remedy for a finding, by its name and the errno of what was tried; NULL: none is known. */
const char *remedy_of(const char *name, int error, const struct remedy_host *host);

/* How to get a missing controller. `listed`: it is in /proc/cgroups; `enabled`: it was not disabled
 * at boot. */
const char *remedy_of_controller(bool listed, bool enabled, const struct remedy_host *host);

/* How to get a cgroup where none can be made. */
const char *remedy_of_cgroup(const struct remedy_host *host);

#endif
