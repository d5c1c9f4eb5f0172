/* One worker: its loop, its connections, its jobs, its signals. */
#ifndef SERVE_SERVER_H
#define SERVE_SERVER_H

#include "serve/config/config.h"
#include "serve/http/listen.h"
#include "serve/http/rate.h"
#include "serve/jobs/arbiter.h"
#include "serve/process/log.h"
#include "serve/process/metrics.h"
#include "serve/process/notify.h"

struct server_setup {
    const struct config *config;
    struct log *log;
    struct manager *manager; /* of the service; NULL in one of several workers */
    struct listeners *listeners;
    const struct listeners *agent_listeners; /* of --agent; they stay open until the end */
    const struct sb_uids *uids;
    struct metrics *metrics; /* of all workers */
    struct rates *rates;
    size_t worker;
    struct arbiter_seat seat; /* of this worker; zeroed: it is the only one */
    int64_t alive_ms;         /* how often NOTICE_ALIVE must be given; 0: never */
    /* Where notices go: to the service manager, or to the parent of several workers. */
    void (*notify)(void *user, enum notice notice);
    void *user;
};

/* Logs where the service listens. */
void server_say_listening(const struct server_setup *setup);

/* Serves until SIGTERM or SIGINT, which must be blocked, as SIGHUP must. */
int server_run(const struct server_setup *setup, struct sb_error *err);

#endif
