/* What a person configures: one table of options (config.c) for the command line, the configuration
 * file, the usage text and the manual. */
#ifndef SERVE_CONFIG_H
#define SERVE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sandbox.h"

struct config {
    /* where to listen */
    char **listen; /* "127.0.0.1:8000", "[::1]:8000", "unix:/run/…", NULL-terminated. Sockets that
                      systemd passes come instead */
    mode_t socket_mode; /* of UNIX sockets: 0660 */
    char *socket_group; /* NULL: the service's own */
    int64_t workers;
    char *tls_cert, *tls_key; /* PEM files; both or neither */

    /* who may ask */
    char *tokens;           /* file made by `sandbox-serve token add`; NULL: none needed */
    bool insecure;          /* listen elsewhere than on loopback without tokens */
    char **hosts;           /* further names that the Host header may have; "*": any */
    char **origins;         /* further origins whose pages may ask (CORS) */
    char **trusted_proxies; /* addresses or networks whose X-Forwarded-For is believed */
    double rate;            /* requests a second and client; 0: not limited */
    int64_t burst;          /* that many at once before the rate counts */

    /* what a connection may take */
    int64_t body_bytes, header_bytes;
    int64_t header_timeout_ms, body_timeout_ms, idle_timeout_ms;
    int64_t connections, connections_per_address;

    /* jobs */
    int64_t jobs;          /* at once, in all workers together; 0: cores × 2 */
    int64_t memory_bytes;  /* promised to jobs at once; 0: the host's, less what it needs itself */
    int64_t queue;         /* requests that wait, in all workers together */
    int64_t queue_time_ms; /* the longest that one waits: 503 then */
    char *policies;        /* directory; NULL: the configured one */
    char *rootfs, *python; /* NULL: the configured ones */
    enum sb_cgroup cgroup;
    uint32_t uid_first, uid_count; /* 0: the configured range */
    bool best_effort;

    int64_t grace_ms; /* from SIGTERM until running jobs are ended */
    bool log_code;
};

#endif
