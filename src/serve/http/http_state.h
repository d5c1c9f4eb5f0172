/* The transport of one worker: what its files share. */
#ifndef SERVE_HTTP_STATE_H
#define SERVE_HTTP_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "serve/http/accept.h"
#include "serve/http/connection.h"
#include "serve/http/daemon.h"
#include "serve/http/http.h"
#include "serve/http/peers.h"
#include "serve/http/refusals.h"
#include "serve/http/spool.h"

struct http {
    const struct config *config;
    struct loop *loop;
    struct log *log;
    struct service *service;
    struct metrics *metrics;
    const struct metrics *all_metrics;
    struct rates *rates;
    struct tokens *tokens; /* NULL: none are needed */
    struct network *proxies;
    size_t proxies_count;
    bool told_of_proxy; /* that a proxy seems to be missing from them */

    LIST_HEAD(daemons, daemon) daemons;
    struct daemon *plain, *tls; /* for new connections; tls NULL: no certificates are configured */
    struct timer run_timer;     /* a daemon has more to do at once */

    struct door *doors;
    size_t doors_count;
    bool doors_shut; /* for now, because there is no room or no descriptor, */
    bool yielding;   /* or to let other workers accept first */
    struct timer door_timer;
    struct peers peers;

    struct refusals refusals;

    struct connection_list phases[PHASES];
    size_t connections;
    struct connection *newcomer; /* the last that connection_notify has made */
    struct timer deadline_timer;
    int64_t armed_ms; /* when it expires; INT64_MAX: it does not */
    struct spool spool;
    int64_t body_bytes; /* of all bodies that are held in memory */
    int64_t file_bytes; /* of those in files on a disk */
    size_t files;       /* of bodies and answers that are open: SPOOL_FILES_MAX */
    /* Of all answers that their clients have not taken yet, in memory and in files on a disk: */
    int64_t answer_bytes, answer_file_bytes;

    LIST_HEAD(lingerers, lingerer) lingerers;
    size_t lingerers_count;

    bool last_answers; /* each connection is closed after its answer */
    bool draining;     /* accepts no more */
    void (*empty)(void *user);
    void *empty_user;
};

#endif
