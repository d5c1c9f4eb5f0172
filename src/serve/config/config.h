/* The options that an administrator sets: one table (config.c) for the command line, the
 * configuration file, the usage text and the manual. */
#ifndef SERVE_CONFIG_H
#define SERVE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/option.h"
#include "sandbox.h"

struct config {
    /* where to listen */
    char **listen; /* "127.0.0.1:8000", "[::1]:8000", "unix:/run/…", NULL-terminated. Sockets that
                      systemd passes come instead */
    mode_t socket_mode; /* of UNIX sockets: 0660 */
    char *socket_group; /* NULL: the service's own */
    int64_t workers;
    char *tls_cert, *tls_key; /* PEM files; both or neither */
    char *agent; /* where HAProxy's agent checks are answered, as in `listen`; NULL: nowhere */

    /* who may ask */
    char *tokens;           /* file made by `sandbox-serve token add`; NULL: none needed */
    bool insecure;          /* allow listening beyond loopback without tokens */
    char **hosts;           /* further names that the Host header may have; "*": any */
    char **origins;         /* further origins whose pages may ask (CORS) */
    char **trusted_proxies; /* addresses or networks whose X-Forwarded-For is believed */
    double rate;            /* requests per second and client; 0: no limit */
    int64_t burst;          /* requests allowed at once before the rate applies */

    /* what a connection may take */
    int64_t body_bytes, header_bytes;
    int64_t upload_bytes; /* of memory that bodies may take, in each worker */
    char *upload_dir;     /* for large bodies; NULL: see spool.h */
    int64_t header_timeout_ms, body_timeout_ms, idle_timeout_ms;
    int64_t connections, connections_per_address;

    /* jobs */
    int64_t jobs;          /* at once, in all workers together; 0: cores × 2 */
    int64_t memory_bytes;  /* promised to running jobs; 0: the host's, less what it needs itself */
    int64_t queue;         /* requests that wait, in all workers together */
    int64_t floor_bytes;   /* memory to leave to the host; 0: the library's */
    int64_t queue_time_ms; /* the longest wait in the queue; 503 after it */
    int64_t max_time_ms, max_output_bytes, max_collect_bytes; /* caps above those of policies */
    char *policies;        /* directory; NULL: the configured one */
    bool offer_default;    /* to all clients */
    char *rootfs, *python; /* NULL: the configured ones */
    enum sb_cgroup cgroup;
    uint32_t uid_first, uid_count; /* 0: the configured range */
    bool best_effort;
    unsigned allow_missing; /* of enum sb_missing */

    /* jobs that outlast a connection */
    char *store;                        /* where they are kept; NULL: there are none */
    int64_t store_max, store_per_owner; /* that wait; of one client that wait or run, 0: any */
    int64_t job_ttl_ms, result_ttl_ms;  /* kept until they have ended; and afterwards */
    int64_t tries;                      /* until a job that takes its process along is given up */
    int64_t lease_ms;                   /* of a node that is silent */
    bool no_run;                        /* accept them only */
    char **callback_hosts;              /* that may be told of their end; NULL: none */
    char *node;                         /* this host's name in the store; NULL: the host name */

    /* warm starts */
    bool cold;                    /* none */
    int64_t parked;               /* children that wait for jobs, for each policy and worker */
    int64_t parked_bytes;         /* what all of them may take */
    int64_t renew_jobs, renew_ms; /* of a zygote */

    int64_t linger_ms; /* from SIGTERM until no more requests are accepted */
    int64_t grace_ms;  /* from then on until running jobs are ended */
    bool log_code;
};

/* Time for clients to read their answers once no job is left. */
#define LAST_ANSWERS_MS INT64_C(5000)

/* ── The table ──────────────────────────────────────────────────────────────────────────────── */

#ifndef SERVE_CONFIG_FILE /* the build says otherwise */
#define SERVE_CONFIG_FILE "/etc/sandbox-run/serve.conf"
#endif

/* Of struct config. Those without a reader stand on the command line alone. */
extern const struct option_table config_options;

/* Where values come from; each overrules those before. A list from a later source replaces the
 * whole list of an earlier one. */
enum config_source { CONFIG_STANDARD, CONFIG_FILE, CONFIG_ENVIRONMENT, CONFIG_COMMAND };

struct config_reader {
    struct config *config;
    unsigned char *sources; /* by row: where its value comes from */
};

/* The standard values. The caller frees both with config_free and config_reader_end. */
int config_begin(struct config_reader *reader, struct config *config, struct sb_error *err);
void config_reader_end(struct config_reader *reader);

/* Sets one value; `where` names it in errors: "--rate", "serve.conf:3: rate". */
int config_set(struct config_reader *reader, const struct option_row *row, const char *value,
               enum config_source source, const char *where, struct sb_error *err);

/* Reads a file of "name = value" lines. A missing file is an error only when `required`. */
int config_read(struct config_reader *reader, const char *path, bool required,
                struct sb_error *err);

/* The number of places beyond `jobs`, for clients without a running job. */
int64_t config_extra_jobs(int64_t jobs);

/* The longest that the service takes to stop once it is told to: until its last answer is read, and
 * all that was its jobs' is gone. */
int64_t config_stop_ms(const struct config *config);

/* Whether the values fit each other. */
int config_check(const struct config *config, struct sb_error *err);

void config_free(struct config *config);

#endif
