/* A delegated scope from systemd: gives a cgroup of its own to a program that was started by hand,
 * as root or as an ordinary user. */
#ifndef CGROUP_SCOPE_H
#define CGROUP_SCOPE_H

#include <stdbool.h>

#include "sandbox.h"

#define SCOPE_NAME_SIZE 64

/* Asks the systemd manager of this user (as root: of the system) to put this process into a
 * delegated scope, and returns the scope's name. systemd answers before it has moved the
 * process. */
int scope_ask(char name[SCOPE_NAME_SIZE], struct sb_error *err);

/* Whether systemd runs here. */
bool scope_offered(void);

/* Whether the user's systemd says that it has delegated this cgroup. */
bool scope_is_delegated(const char *cgroup);

#endif
