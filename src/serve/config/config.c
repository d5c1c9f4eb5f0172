/* The options that an administrator sets: one table. The command line (command.c), the
 * configuration file (config_file.c) and --help come from it. */
#include "serve/config/config.h"

#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/util.h"

#define KIB INT64_C(1024)
#define MIB (1024 * KIB)
#define TIB (1024 * 1024 * MIB)
#define HOUR_MS INT64_C(3600000)

#define AT(field) offsetof(struct config, field)
#define FLAG(name, help, field) OPTION_ROW(option_flag, 0, name, NULL, help, AT(field), "no")
#define TEXT(name, argument, help, field)                                                          \
    OPTION_ROW(option_text, 0, name, argument, help, AT(field))
#define LIST(name, argument, standard, help, field)                                                \
    OPTION_ROW(option_list, 0, name, argument, help, AT(field), standard)
#define NUMBER(name, argument, unit, standard, help, field, min, max)                              \
    OPTION_ROW(option_number, 0, name, argument, help, AT(field), standard, unit, min, max)
#define TIME(name, ...) NUMBER(name, "TIME", "ms", __VA_ARGS__)
#define SIZE(name, ...) NUMBER(name, "SIZE", "bytes", __VA_ARGS__)
#define COUNT(name, ...) NUMBER(name, "N", "count", __VA_ARGS__)
/* On the command line alone: command.c handles it. */
#define OTHER(letter, name, argument, help) OPTION_ROW(NULL, letter, name, argument, help, 0)

static const struct option_row rows[] = {
    OPTION_HEADING("Where to listen:"),
    LIST("listen", "ADDRESS", "127.0.0.1:8000", "HOST:PORT, [HOST]:PORT or unix:PATH; repeatable",
         listen),
    OPTION_ROW(option_mode, 0, "socket-mode", "MODE", "permissions of UNIX sockets",
               AT(socket_mode), "0660", NULL, 0, 0777),
    TEXT("socket-group", "GROUP", "group of UNIX sockets [the service's own]", socket_group),
    COUNT("workers", "1", "processes that share the work, for machines with many cores", workers, 1,
          256),
    TEXT("tls-cert", "FILE", "certificate chain in PEM; with it, HTTPS on TCP", tls_cert),
    TEXT("tls-key", "FILE", "its key in PEM", tls_key),
    TEXT("agent", "ADDRESS", "answer HAProxy's agent checks there; see GET /ready", agent),

    OPTION_HEADING("Access:"),
    TEXT("tokens", "FILE", "require a token that is in FILE; see: sandbox-serve token add NAME",
         tokens),
    FLAG("insecure", "allow listening beyond loopback without tokens", insecure),
    LIST("host", "NAME", NULL, "a further name for the Host header, or * for any; repeatable",
         hosts),
    LIST("origin", "ORIGIN", NULL, "pages of this origin may ask (https://example.org); repeatable",
         origins),
    LIST("trusted-proxy", "NET", NULL,
         "believe X-Forwarded-For of this address, network or unix; repeatable", trusted_proxies),
    OPTION_ROW(option_rate, 0, "rate", "N", "requests per second and client; 0: no limit", AT(rate),
               "0", "rate", 0, 1000000 * INT64_C(1000)),
    COUNT("burst", "10", "requests allowed at once before --rate applies", burst, 1, 1000000),

    OPTION_HEADING("Connections:"),
    SIZE("max-body", "32M", "largest body of a request; token add: of the token's requests",
         body_bytes, KIB, 1024 * MIB),
    SIZE("upload-memory", "256M", "memory for bodies that arrive or wait, in each worker",
         upload_bytes, MIB, TIB),
    TEXT("upload-dir", "DIR", "where bodies above 256K are kept meanwhile [TMPDIR or /var/tmp]",
         upload_dir),
    SIZE("max-header", "32K", "largest header of a request", header_bytes, KIB, MIB),
    TIME("header-timeout", "10s", "time for a request's header to arrive", header_timeout_ms, 1,
         HOUR_MS),
    TIME("body-timeout", "30s", "time for a request's body to arrive", body_timeout_ms, 1, HOUR_MS),
    TIME("idle-timeout", "60s", "time between requests, and for an answer to be received",
         idle_timeout_ms, 1, HOUR_MS),
    COUNT("connections", "4096", "open connections, in each worker", connections, 1, 1000000),
    COUNT("connections-per-address", "512", "of these, from one address of another host",
          connections_per_address, 1, 1000000),

    OPTION_HEADING("Jobs:"),
    COUNT("jobs", "0", "jobs that run at once, in all workers together; 0: cores x 2", jobs, 0,
          100000),
    SIZE("memory", "0", "memory promised to running jobs; 0: the host's, less a reserve",
         memory_bytes, 0, 1024 * TIB),
    SIZE("memory-floor", "0", "memory to leave to the host, else no job starts; 0: a fortieth",
         floor_bytes, 0, 1024 * TIB),
    COUNT("queue", "256", "requests that may wait for a job", queue, 0, 1000000),
    TIME("queue-time", "30s", "the longest wait in the queue; 503 after it", queue_time_ms, 1,
         HOUR_MS),
    TIME("max-time", "10m", "the highest time limit of a request, whatever its policy", max_time_ms,
         1, 24 * HOUR_MS),
    SIZE("max-output", "8M", "the highest limit of stdout, stderr, a result and displays",
         max_output_bytes, KIB, 256 * MIB),
    SIZE("max-collect", "32M", "the highest limit of the files that come back", max_collect_bytes,
         KIB, 1024 * MIB),
    TEXT("policies", "DIR", "directory of policies", policies),
    FLAG("offer-default", "clients may use the policy \"default\", whose caps are wide",
         offer_default),
    TEXT("rootfs", "DIR", "root file system that contains Python", rootfs),
    TEXT("python", "PATH", "Python interpreter in it", python),
    OPTION_ROW(option_cgroup, 0, "cgroup", "KIND",
               "auto, v2-delegated, v2-scope, v2-root, v1 or none", AT(cgroup), "auto", NULL, 0, 0),
    OPTION_ROW(option_uids, 0, "uid-range", "FIRST:COUNT", "host user ids for jobs, one for each",
               AT(uid_first), NULL, NULL, 0, 0),
    FLAG("best-effort", "run even if the host can't enforce all; see sandbox-run --doctor",
         best_effort),
    OPTION_ROW(option_missing, 0, "allow-missing", "NAMES",
               "do without: memory, cpu, pids, cpu_time, rlimits, proc, hostname",
               AT(allow_missing)),

    OPTION_HEADING("Jobs that outlast a connection (POST /jobs):"),
    TEXT("store", "ADDRESS", "sqlite:PATH, redis://HOST or memory keeps them; none: accept none",
         store),
    COUNT("store-max", "10000", "jobs that may wait there", store_max, 1, 10000000),
    COUNT("store-per-owner", "0", "jobs of one client that wait or run; 0: any number",
          store_per_owner, 0, 10000000),
    TIME("job-ttl", "24h", "a job that has not ended by then is forgotten", job_ttl_ms, 1,
         365 * 24 * HOUR_MS),
    TIME("result-ttl", "1h", "the answer of one that has ended is kept so long", result_ttl_ms, 1,
         365 * 24 * HOUR_MS),
    COUNT("tries", "3", "processes that may die while they run a job, till it is given up", tries,
          1, 1000),
    TIME("lease", "20s", "silence after which another host's job is tried again", lease_ms, 1000,
         HOUR_MS),
    FLAG("no-run", "accept them, and run none: others that share the store do", no_run),
    TEXT("node", "NAME", "name of this host in the store [the host name]", node),
    LIST("callback-host", "HOST", NULL,
         "jobs may tell this host of their end (callback); repeatable", callback_hosts),

    OPTION_HEADING("Warm starts, for policies with \"start\": \"warm\":"),
    FLAG("cold", "start a fresh Python for each job", cold),
    COUNT("parked", "16", "processes that may wait for a job, for each policy and worker", parked,
          1, 1000),
    SIZE("parked-memory", "256M", "memory of all of them together", parked_bytes, 4 * MIB,
         1024 * TIB),
    COUNT("renew-jobs", "10000", "jobs after which the process that starts them is renewed",
          renew_jobs, 1, 1000000000),
    TIME("renew-time", "1h", "time after which it is renewed, too", renew_ms, 1000,
         24 * 365 * HOUR_MS),

    OPTION_HEADING("Stop and log:"),
    TIME("linger", "0", "serve on for so long after SIGTERM, but not be /ready", linger_ms, 0,
         HOUR_MS),
    TIME("grace", "10s", "time from then on until jobs that still run are ended", grace_ms, 0,
         HOUR_MS),
    FLAG("log-code", "write the code of jobs to the log, too", log_code),

    OPTION_HEADING("Others:"),
    OTHER(0, "config", "FILE", "read options from FILE; none: no file [" SERVE_CONFIG_FILE "]"),
    OTHER(0, "policy", "NAME", "token add: the only policy that the token allows"),
    OTHER(0, "version", NULL, "show the version"),
    OTHER('h', "help", NULL, "show this text"),
};

const struct option_table config_options = {rows, ARRAY_LEN(rows)};

/* ── The whole ──────────────────────────────────────────────────────────────────────────────── */

int config_set(struct config_reader *reader, const struct option_row *row, const char *value,
               enum config_source source, const char *where, struct sb_error *err)
{
    unsigned char *from = &reader->sources[row - rows];
    if (row->read == option_list && *from != source)
        option_free(&(struct option_table){row, 1}, reader->config);
    if (row->read == option_missing && *from != source)
        reader->config->allow_missing = 0;
    *from = (unsigned char)source;
    return row->read(reader->config, row, value, where, err);
}

int config_begin(struct config_reader *reader, struct config *config, struct sb_error *err)
{
    *config = (struct config){0};
    *reader = (struct config_reader){config, calloc(ARRAY_LEN(rows), 1)};
    if (reader->sources == NULL)
        return sb_fail(err, "config", 0, "out of memory (configuration)");
    return option_defaults(&config_options, config, err);
}

void config_reader_end(struct config_reader *reader)
{
    free(reader->sources);
    reader->sources = NULL;
}

int64_t config_extra_jobs(int64_t jobs)
{
    return jobs > 4 ? jobs / 4 : 1;
}

int64_t config_stop_ms(const struct config *config)
{
    enum { CLEARING_MS = 5000 };
    return config->linger_ms + config->grace_ms + LAST_ANSWERS_MS + CLEARING_MS;
}

static int check_jobs(const struct config *config, struct sb_error *err)
{
    if (config->jobs == 0)
        return 0;
    int64_t most = config->jobs + config_extra_jobs(config->jobs);
    if (config->uid_count > 0 && most > config->uid_count)
        return sb_fail_field(err, "config", "uid-range",
                             "--uid-range has too few user ids (%u): with --jobs %lld, up to %lld "
                             "jobs run at once, and each needs one; widen it",
                             config->uid_count, (long long)config->jobs, (long long)most);
    return 0;
}

int config_check(const struct config *config, struct sb_error *err)
{
    if (check_jobs(config, err) < 0)
        return -1;
    if (config->store != NULL && strcmp(config->store, "memory") == 0 && config->workers > 1)
        return sb_fail_field(err, "config", "store",
                             "--store memory is one process's own, and --workers is %lld: use "
                             "--store sqlite:PATH, or one worker",
                             (long long)config->workers);
    if (config->no_run && (config->store == NULL || strcmp(config->store, "none") == 0))
        return sb_fail_field(err, "config", "no-run",
                             "--no-run is about jobs in a store: give --store, too");
    if (config->callback_hosts != NULL &&
        (config->store == NULL || strcmp(config->store, "none") == 0))
        return sb_fail_field(err, "config", "callback-host",
                             "--callback-host is about jobs in a store: give --store, too");
    if ((config->tls_cert == NULL) != (config->tls_key == NULL))
        return sb_fail_field(err, "config", config->tls_cert ? "tls-key" : "tls-cert",
                             "a certificate and its key go together: give %s too",
                             config->tls_cert ? "--tls-key" : "--tls-cert");
    for (char **origin = config->origins; origin != NULL && *origin != NULL; origin++) {
        bool any = strcmp(*origin, "*") == 0;
        const char *name = strstr(*origin, "://");
        if (any && config->tokens == NULL)
            return sb_fail_field(err, "config", "origin",
                                 "origin * lets every page that a user visits run code here: name "
                                 "the origins, or set tokens");
        if (!any && (name == NULL || name == *origin || name[3] == '\0' || strchr(name + 3, '/')))
            return sb_fail_field(err, "config", "origin",
                                 "an origin is a scheme, a name and perhaps a port, such as "
                                 "https://example.org:8443, not '%.60s'",
                                 *origin);
    }
    return 0;
}

void config_free(struct config *config)
{
    option_free(&config_options, config);
    *config = (struct config){0};
}
