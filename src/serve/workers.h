/* Several workers and their parent, which only starts them, passes signals on, and replaces a
 * worker that has died. */
#ifndef SERVE_WORKERS_H
#define SERVE_WORKERS_H

#include "serve/server.h"

/* Runs setup->config->workers processes until told to stop. `worker` and `notify` of `setup` are
 * not used. Fails when a worker can't start. SIGTERM, SIGINT, SIGHUP and SIGCHLD must be blocked.
 */
int workers_run(const struct server_setup *setup, struct sb_error *err);

#endif
