/* What a person configures: the table of options, and how each kind of value is read. The command
 * line (command.c), the configuration file (config_file.c) and --help come from this table. */
#include "serve/config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/error.h"
#include "common/quantity.h"
#include "common/util.h"

#define KIB INT64_C(1024)
#define MIB (1024 * KIB)
#define TIB (1024 * 1024 * MIB)
#define HOUR_MS INT64_C(3600000)

#define AT(field) offsetof(struct config, field)
#define HEADING(text)                                                                              \
    {                                                                                              \
        CONFIG_HEADING, NULL, NULL, NULL, NULL, text, 0, 0, 0                                      \
    }
#define FLAG(name, help, field)                                                                    \
    {                                                                                              \
        CONFIG_FLAG, name, NULL, NULL, "no", help, AT(field), 0, 0                                 \
    }
#define TEXT(name, argument, help, field)                                                          \
    {                                                                                              \
        CONFIG_TEXT, name, argument, NULL, NULL, help, AT(field), 0, 0                             \
    }
#define LIST(name, argument, standard, help, field)                                                \
    {                                                                                              \
        CONFIG_LIST, name, argument, NULL, standard, help, AT(field), 0, 0                         \
    }
#define TIME(name, standard, help, field, min, max)                                                \
    {                                                                                              \
        CONFIG_NUMBER, name, "TIME", "ms", standard, help, AT(field), min, max                     \
    }
#define SIZE(name, standard, help, field, min, max)                                                \
    {                                                                                              \
        CONFIG_NUMBER, name, "SIZE", "bytes", standard, help, AT(field), min, max                  \
    }
#define COUNT(name, standard, help, field, min, max)                                               \
    {                                                                                              \
        CONFIG_NUMBER, name, "N", "count", standard, help, AT(field), min, max                     \
    }

const struct config_row config_rows[] = {
    HEADING("Where to listen:"),
    LIST("listen", "ADDRESS", "127.0.0.1:8000", "HOST:PORT, [HOST]:PORT or unix:PATH; repeatable",
         listen),
    {CONFIG_MODE, "socket-mode", "MODE", NULL, "0660", "permissions of UNIX sockets",
     AT(socket_mode), 0, 0777},
    TEXT("socket-group", "GROUP", "group of UNIX sockets [the service's own]", socket_group),
    COUNT("workers", "1", "processes that share the work, for machines with many cores", workers, 1,
          256),
    TEXT("tls-cert", "FILE", "certificate chain in PEM; with it, HTTPS on TCP", tls_cert),
    TEXT("tls-key", "FILE", "its key in PEM", tls_key),

    HEADING("Who may ask:"),
    TEXT("tokens", "FILE", "only those with a token in FILE; see: sandbox-serve token add NAME",
         tokens),
    FLAG("insecure", "listen elsewhere than on loopback without tokens", insecure),
    LIST("host", "NAME", NULL, "a further name for the Host header, or * for any; repeatable",
         hosts),
    LIST("origin", "ORIGIN", NULL, "pages of this origin (https://example.org) may ask; repeatable",
         origins),
    LIST("trusted-proxy", "NET", NULL,
         "address, network or unix, whose X-Forwarded-For counts; repeatable", trusted_proxies),
    {CONFIG_RATE, "rate", "N", "rate", "0", "requests a second and client; 0: not limited",
     AT(rate), 0, 1000000 * INT64_C(1000)},
    COUNT("burst", "10", "that many at once before --rate counts", burst, 1, 1000000),

    HEADING("What a connection may take:"),
    SIZE("max-body", "2M", "size of a request's body", body_bytes, KIB, 1024 * MIB),
    SIZE("max-header", "32K", "size of a request's header", header_bytes, KIB, MIB),
    TIME("header-timeout", "10s", "for a connection's header to come in", header_timeout_ms, 1,
         HOUR_MS),
    TIME("body-timeout", "30s", "for a request's body to come in", body_timeout_ms, 1, HOUR_MS),
    TIME("idle-timeout", "60s", "between requests, and for an answer to be taken", idle_timeout_ms,
         1, HOUR_MS),
    COUNT("connections", "4096", "open at the same time, in each worker", connections, 1, 1000000),
    COUNT("connections-per-address", "512", "of these, from one address of another host",
          connections_per_address, 1, 1000000),

    HEADING("Jobs:"),
    COUNT("jobs", "0", "at the same time, in all workers together; 0: cores x 2", jobs, 0, 100000),
    SIZE("memory", "0", "promised to jobs at the same time; 0: the host's, less a reserve",
         memory_bytes, 0, 1024 * TIB),
    SIZE("memory-floor", "0", "left to the host, else no job is started; 0: a fortieth of it",
         floor_bytes, 0, 1024 * TIB),
    COUNT("queue", "256", "requests that wait for their job", queue, 0, 1000000),
    TIME("queue-time", "30s", "the longest that one waits", queue_time_ms, 1, HOUR_MS),
    TIME("max-time", "10m", "the longest that a request may ask for, whatever its policy",
         max_time_ms, 1, 24 * HOUR_MS),
    SIZE("max-output", "8M", "the most of stdout, of stderr, of a value that it may ask for",
         max_output_bytes, KIB, 256 * MIB),
    TEXT("policies", "DIR", "directory of policies", policies),
    FLAG("offer-default", "clients may name \"default\", whose caps are wide", offer_default),
    TEXT("rootfs", "DIR", "root file system with Python in it", rootfs),
    TEXT("python", "PATH", "interpreter in there", python),
    {CONFIG_CGROUP, "cgroup", "KIND", NULL, "auto",
     "auto, v2-delegated, v2-scope, v2-root, v1 or none", AT(cgroup), 0, 0},
    {CONFIG_UIDS, "uid-range", "FIRST:COUNT", NULL, NULL, "host uids for jobs, one for each",
     AT(uid_first), 0, 0},
    FLAG("best-effort", "go on where the host can't enforce all; see sandbox-run --doctor",
         best_effort),

    HEADING("Warm starts, for policies with \"start\": \"warm\":"),
    FLAG("cold", "start a fresh python for each job", cold),
    COUNT("parked", "16", "the most that wait for jobs, for each policy, in each worker", parked, 1,
          1000),
    SIZE("parked-memory", "256M", "what all of them together may take", parked_bytes, 4 * MIB,
         1024 * TIB),
    COUNT("renew-jobs", "10000", "jobs after which the process that they come from is renewed",
          renew_jobs, 1, 1000000000),
    TIME("renew-time", "1h", "time after which it is", renew_ms, 1000, 24 * 365 * HOUR_MS),

    HEADING("Stop and log:"),
    TIME("grace", "10s", "from SIGTERM until jobs that still run are ended", grace_ms, 0, HOUR_MS),
    FLAG("log-code", "write the jobs' code into the log too", log_code),
};

const size_t config_rows_count = ARRAY_LEN(config_rows);

const struct config_row *config_row(const char *name)
{
    for (size_t i = 0; i < config_rows_count; i++)
        if (config_rows[i].name != NULL && strcmp(config_rows[i].name, name) == 0)
            return &config_rows[i];
    return NULL;
}

/* ── Values ─────────────────────────────────────────────────────────────────────────────────── */

static int no_memory(struct sb_error *err)
{
    return sb_fail(err, "config", 0, "no memory for the configuration: free some and try again");
}

static int take_flag(bool *flag, const struct config_row *row, const char *value, const char *where,
                     struct sb_error *err)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"yes", true}, {"no", false},  {"true", true}, {"false", false},
                 {"on", true},  {"off", false}, {"1", true},    {"0", false}};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcasecmp(words[i].word, value) == 0) {
            *flag = words[i].value;
            return 0;
        }
    }
    return sb_fail_field(err, "config", row->name, "%s is yes or no, not '%.40s'", where, value);
}

static int take_text(char **text, const struct config_row *row, const char *value,
                     const char *where, struct sb_error *err)
{
    if (*value == '\0')
        return sb_fail_field(err, "config", row->name, "%s takes %s, not an empty text", where,
                             row->argument);
    char *copy = strdup(value);
    if (copy == NULL)
        return no_memory(err);
    free(*text);
    *text = copy;
    return 0;
}

static int take_item(char ***list, const struct config_row *row, const char *value,
                     const char *where, struct sb_error *err)
{
    size_t count = 0;
    while (*list != NULL && (*list)[count] != NULL)
        count++;
    char **longer = reallocarray(*list, count + 2, sizeof(char *));
    if (longer == NULL)
        return no_memory(err);
    *list = longer;
    longer[count] = longer[count + 1] = NULL;
    return take_text(&longer[count], row, value, where, err);
}

static int take_number(int64_t *number, const struct config_row *row, const char *value,
                       const char *where, struct sb_error *err)
{
    char least[QUANTITY_TEXT_SIZE], most[QUANTITY_TEXT_SIZE];
    quantity_text(least, row->unit, row->min);
    quantity_text(most, row->unit, row->max);
    int64_t parsed;
    if (!quantity_parse(row->unit, value, &parsed))
        return sb_fail_field(err, "config", row->name,
                             "%s can't be '%.40s': give %s, from %s to %s", where, value,
                             quantity_form(row->unit), least, most);
    if (parsed < row->min || parsed > row->max)
        return sb_fail_field(err, "config", row->name,
                             "%s can't be %.40s: what is allowed is from %s to %s", where, value,
                             least, most);
    *number = parsed;
    return 0;
}

static int take_mode(mode_t *mode, const struct config_row *row, const char *value,
                     const char *where, struct sb_error *err)
{
    char *end;
    unsigned long parsed = strtoul(value, &end, 8);
    if (*value < '0' || *value > '7' || *end != '\0' || parsed > (unsigned long)row->max)
        return sb_fail_field(err, "config", row->name,
                             "%s is an octal mode such as 0660, not '%.40s'", where, value);
    *mode = (mode_t)parsed;
    return 0;
}

static int take_cgroup(enum sb_cgroup *cgroup, const struct config_row *row, const char *value,
                       const char *where, struct sb_error *err)
{
    int kind = sb_cgroup_from_name(value);
    if (kind < 0)
        return sb_fail_field(err, "config", row->name, "%s is %s, not '%.40s'", where, row->help,
                             value);
    *cgroup = (enum sb_cgroup)kind;
    return 0;
}

static int take_uids(struct config *config, const struct config_row *row, const char *value,
                     const char *where, struct sb_error *err)
{
    char extra;
    long long first, count;
    /* Neither root nor (uid_t)-1, which means "no change" to the kernel, may be in the range. */
    if (sscanf(value, "%lld:%lld%c", &first, &count, &extra) != 2 || first < 1 || count < 1 ||
        first > UINT32_MAX - 1 || count > UINT32_MAX - first)
        return sb_fail_field(err, "config", row->name,
                             "%s takes FIRST:COUNT such as 200000:65536, without uid 0 and below "
                             "4294967295, not '%.40s'",
                             where, value);
    config->uid_first = (uint32_t)first;
    config->uid_count = (uint32_t)count;
    return 0;
}

static int take(struct config *config, const struct config_row *row, const char *value,
                const char *where, struct sb_error *err)
{
    void *field = (char *)config + row->offset;
    int64_t thousandths = 0;
    switch (row->kind) {
    case CONFIG_HEADING:
        break;
    case CONFIG_FLAG:
        return take_flag(field, row, value, where, err);
    case CONFIG_TEXT:
        return take_text(field, row, value, where, err);
    case CONFIG_LIST:
        return take_item(field, row, value, where, err);
    case CONFIG_NUMBER:
        return take_number(field, row, value, where, err);
    case CONFIG_RATE:
        if (take_number(&thousandths, row, value, where, err) < 0)
            return -1;
        *(double *)field = (double)thousandths / 1000;
        return 0;
    case CONFIG_MODE:
        return take_mode(field, row, value, where, err);
    case CONFIG_CGROUP:
        return take_cgroup(field, row, value, where, err);
    case CONFIG_UIDS:
        return take_uids(config, row, value, where, err);
    }
    return -1;
}

/* ── The whole ──────────────────────────────────────────────────────────────────────────────── */

int config_set(struct config_reader *reader, const struct config_row *row, const char *value,
               enum config_source source, const char *where, struct sb_error *err)
{
    unsigned char *from = &reader->sources[row - config_rows];
    if (row->kind == CONFIG_LIST && *from != source) {
        char ***list = (char ***)((char *)reader->config + row->offset);
        sb_strv_free(*list);
        *list = NULL;
    }
    *from = (unsigned char)source;
    return take(reader->config, row, value, where, err);
}

int config_begin(struct config_reader *reader, struct config *config, struct sb_error *err)
{
    *config = (struct config){0};
    *reader = (struct config_reader){config, calloc(config_rows_count, 1)};
    if (reader->sources == NULL)
        return no_memory(err);
    for (size_t i = 0; i < config_rows_count; i++) {
        const struct config_row *row = &config_rows[i];
        if (row->standard != NULL &&
            config_set(reader, row, row->standard, CONFIG_STANDARD, row->name, err) < 0)
            return -1;
    }
    return 0;
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

static int check_jobs(const struct config *config, struct sb_error *err)
{
    if (config->jobs == 0)
        return 0;
    if (config->jobs < config->workers)
        return sb_fail_field(err, "config", "jobs",
                             "--jobs %lld is too few for --workers %lld, of which each runs one at "
                             "least: use fewer workers",
                             (long long)config->jobs, (long long)config->workers);
    int64_t most = config->jobs + config_extra_jobs(config->jobs);
    if (config->uid_count > 0 && most > config->uid_count)
        return sb_fail_field(err, "config", "uid-range",
                             "--uid-range has too few user ids (%u) for --jobs %lld, with which up "
                             "to %lld jobs run that have one each: widen it",
                             config->uid_count, (long long)config->jobs, (long long)most);
    return 0;
}

int config_check(const struct config *config, struct sb_error *err)
{
    if (check_jobs(config, err) < 0)
        return -1;
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
    for (size_t i = 0; i < config_rows_count; i++) {
        void *field = (char *)config + config_rows[i].offset;
        if (config_rows[i].kind == CONFIG_TEXT)
            free(*(char **)field);
        else if (config_rows[i].kind == CONFIG_LIST)
            sb_strv_free(*(char ***)field);
    }
    *config = (struct config){0};
}
