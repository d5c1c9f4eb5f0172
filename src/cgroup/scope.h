/* A delegated scope from systemd: how a program that was started by hand, as root or as an ordinary
 * user, comes by a cgroup of its own. */
#ifndef CGROUP_SCOPE_H
#define CGROUP_SCOPE_H

#include <stdbool.h>

#include "sandbox.h"

#define SCOPE_NAME_SIZE 64

/* Asks the systemd manager of this user (as root: the system's) for a scope with delegation for
 * this process, and tells its name. systemd answers before it has moved the process there. */
int scope_ask(char name[SCOPE_NAME_SIZE], struct sb_error *err);

/* Whether there is a systemd to ask. */
bool scope_offered(void);

/* Whether a cgroup of the user's systemd is that of a unit with delegation, by its word. */
bool scope_is_delegated(const char *cgroup);

#endif
