/* Remedies for what --doctor finds missing, as they fit the kernel that it runs on: a newer kernel
 * is no remedy where this one is new enough and something else is in the way. Looks at nothing
 * itself. */
#ifndef CORE_REMEDY_H
#define CORE_REMEDY_H

#include <stdbool.h>

#define LINUX(major, minor) ((major)*1000u + (minor))

struct remedy_host {
    unsigned version;       /* LINUX(5, 19); 0: not known */
    bool root;              /* this process */
    bool container;         /* it runs in one that says so */
    bool systemd;           /* it is the host's init */
    bool cgroup2;           /* is mounted at /sys/fs/cgroup */
    bool settings_forbid;   /* a switch forbids user namespaces, which is told before */
    bool no_user_namespace; /* nor, therefore, the others */
    bool no_cgroup;
};

/* Of uname's release, "6.1.0-18-amd64". */
unsigned remedy_version(const char *release);

/* By the name of the finding and the errno of what was tried; NULL where none is known. */
const char *remedy_of(const char *name, int error, const struct remedy_host *host);

/* How a controller is brought back. `listed`: it stands in /proc/cgroups; `enabled`: and was not
 * disabled at boot. */
const char *remedy_of_controller(bool listed, bool enabled, const struct remedy_host *host);

/* Where no cgroup can be made. */
const char *remedy_of_cgroup(const struct remedy_host *host);

#endif
