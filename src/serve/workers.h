/* Several workers and their parent, which does nothing but start them, tell them signals, and start
 * anew one that has died. */
#ifndef SERVE_WORKERS_H
#define SERVE_WORKERS_H

#include "serve/server.h"

/* Runs setup->config->workers processes until told to stop. `setup` without worker and notify.
 * Fails when a worker can't begin. SIGTERM, SIGINT, SIGHUP and SIGCHLD must be blocked. */
int workers_run(const struct server_setup *setup, struct sb_error *err);

#endif
