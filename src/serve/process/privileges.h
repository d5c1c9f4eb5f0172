/* What the service's own processes may do once they serve: as little as they need. */
#ifndef SERVE_PRIVILEGES_H
#define SERVE_PRIVILEGES_H

#include "common/error.h"

/* Gives up capabilities, and has a filter refuse system calls, for this process and all that it
 * starts. After what only a privileged process can open; before the first request, and before
 * workers are forked. */
int privileges_give_up(struct sb_error *err);

#endif
