/* Takes privileges away from the service's own processes, except for those that they need to serve.
 */
#ifndef SERVE_PRIVILEGES_H
#define SERVE_PRIVILEGES_H

#include "common/error.h"

/* Gives up capabilities, and installs a filter that refuses system calls, for this process and all
 * that it starts. Call it after opening what only a privileged process can open, but before the
 * first request, and before workers are forked. */
int privileges_give_up(struct sb_error *err);

#endif
