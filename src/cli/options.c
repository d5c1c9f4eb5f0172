#include "cli/options.h"

#include <stdlib.h>
#include <string.h>

#include "cli/message.h"
#include "cli/status.h"
#include "common/option.h"
#include "common/util.h"

/* ── The command line's own readers ─────────────────────────────────────────────────────────── */

static int take_environment(void *target, const struct option_row *row, const char *value,
                            const char *where, struct sb_error *err)
{
    if (*value == '=' || strchr(value, '=') == NULL)
        return fail(err, row->name, "--env takes NAME=VALUE, not '%s'", value);
    return option_list(target, row, value, where, err);
}

/* `offset` is the limit. */
static int take_limit(void *target, const struct option_row *row, const char *value,
                      const char *where, struct sb_error *err)
{
    struct options *options = target;
    (void)where;
    return sb_limit_parse((enum sb_limit)row->offset, value, &options->limits.value[row->offset],
                          err);
}

static int take_start(void *target, const struct option_row *row, const char *value,
                      const char *where, struct sb_error *err)
{
    static const char *const kinds[] = {
        [START_AS_IT_PAYS] = "auto", [START_COLD] = "cold", [START_WARM] = "warm"};
    struct options *options = target;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (strcmp(value, kinds[i]) == 0) {
            options->start = (enum start_kind)i;
            return 0;
        }
    return fail(err, row->name, "%s takes auto, cold or warm, not '%s'", where, value);
}

/* `offset` is the action: something else than running a script. */
static int take_action(void *target, const struct option_row *row, const char *value,
                       const char *where, struct sb_error *err)
{
    struct options *options = target;
    enum action action = (enum action)row->offset;
    (void)value;
    if (options->action == ACTION_HELP) /* whatever else is asked */
        return 0;
    if (options->action != ACTION_RUN && options->action != action && action != ACTION_HELP)
        return fail(err, row->name, "%s and --%s exclude each other: give one of them", where,
                    options->action_name);
    options->action = action;
    options->action_name = row->name;
    return 0;
}

/* ── The table ──────────────────────────────────────────────────────────────────────────────── */

#define AT(field) offsetof(struct options, field)
#define FLAG(name, help, field) OPTION_ROW(option_flag, 0, name, NULL, help, AT(field))
#define TEXT(name, argument, help, field)                                                          \
    OPTION_ROW(option_text, 0, name, argument, help, AT(field))
#define ACTION(letter, name, help, action) OPTION_ROW(take_action, letter, name, NULL, help, action)

static const struct option_row running[] = {
    OPTION_HEADING("The script:"),
    OPTION_ROW(option_text, 'c', NULL, "CODE", "run this code; what follows are its arguments",
               AT(code)),
    OPTION_ROW(option_text, 'm', NULL, "MODULE", "run this module; what follows are its arguments",
               AT(module)),
    OPTION_ROW(option_text, 0, "policy", "NAME|FILE", "limits, mounts and filter", AT(policy),
               "default", NULL, 0, 0),
    OPTION_ROW(option_list, 0, "files", "PATH",
               "also put this file or directory into /work; repeatable", AT(files)),
    OPTION_ROW(take_environment, 0, "env", "K=V",
               "set this in the script's environment; repeatable", AT(env)),
    TEXT("call", "NAME|JSON", "then call this function; --json and --meta show its value", call),
    FLAG("merge-stderr", "stderr goes to stdout, in the order written", merge_stderr),
    FLAG("notebook", "the script is a notebook cell: its last value and its figures are displayed",
         notebook),
    FLAG("json", "print the verdict as one line of JSON instead of the output", json),
    TEXT("meta", "FILE", "write the verdict to FILE, as JSON without output", meta),
    FLAG("quiet", "suppress sandbox-run's own messages", quiet),
    TEXT("collect", "DIR", "write the files that the script makes to this directory", collect),
    OPTION_ROW(option_list, 0, "collect-glob", "GLOB",
               "only those with such names: *.png, out/**, /tmp/*; repeatable", AT(collect_globs)),
    FLAG("force", "with --collect, replace files that are there", force),
    TEXT("cases", "FILE", "run it once for each case of FILE, and say which are correct", cases),
    OPTION_ROW(option_number, 0, "jobs", "N",
               "with --cases, so many side by side (default: as many as CPUs)", AT(jobs), NULL,
               "count", 1, 1000),
    TEXT("junit", "FILE", "with --cases, write the results to FILE as JUnit's XML", junit),
    TEXT("via", "ADDRESS", "run it through a service: unix:/PATH or http://127.0.0.1:PORT", via),
};

static const struct option_row host[] = {
    OPTION_HEADING("The host:"),
    TEXT("rootfs", "DIR", "root file system that contains Python", sandbox.rootfs),
    TEXT("python", "PATH", "Python interpreter in it", sandbox.python),
    FLAG("best-effort", "run even if the host can't enforce everything; see --doctor",
         sandbox.best_effort),
    OPTION_ROW(option_missing, 0, "allow-missing", "NAMES",
               "do without: memory, cpu, pids, cpu_time, rlimits, proc, hostname",
               AT(sandbox.allow_missing)),
    OPTION_ROW(option_cgroup, 0, "cgroup", "KIND",
               "auto, v2-delegated, v2-scope, v2-root, v1 or none", AT(sandbox.cgroup)),
    OPTION_ROW(take_start, 0, "start", "KIND",
               "cold, warm as a service does it, or auto: as it pays", 0, "auto", NULL, 0, 0),
    OPTION_ROW(option_uids, 0, "uid-range", "FIRST:COUNT",
               "as root: host user ids for jobs, one for each", AT(sandbox.uid_first)),
    OPTION_ROW(option_number, 0, "memory-floor", "SIZE",
               "end the job when the host has less free memory", AT(sandbox.memory_floor_bytes),
               NULL, "bytes", 0, INT64_C(1) << 50),
    ACTION(0, "doctor", "show what this host can enforce, and remedies; with --json as JSON",
           ACTION_DOCTOR),
    ACTION(0, "selftest", "run hostile scripts and check that each is contained", ACTION_SELFTEST),
    ACTION(0, "list-policies", "list the policies; with --json as JSON", ACTION_LIST_POLICIES),
    ACTION(0, "print-policy", "show every key of --policy", ACTION_PRINT_POLICY),
    ACTION(0, "version", "show the version", ACTION_VERSION),
    ACTION('h', "help", "show this text", ACTION_HELP),
};

/* The limits' rows stand between those for the script and those for the host. */
enum {
    FIRST_LIMIT = ARRAY_LEN(running) + 1,
    HOST = FIRST_LIMIT + SB_LIMITS,
    ROWS = HOST + ARRAY_LEN(host)
};

static const char *limit_value_name(const struct sb_limit_info *info)
{
    if (strcmp(info->unit, "ms") == 0)
        return "TIME";
    return strcmp(info->unit, "bytes") == 0 ? "SIZE" : "N";
}

static struct option_table make_table(struct option_row rows[static ROWS])
{
    memcpy(rows, running, sizeof(running));
    rows[FIRST_LIMIT - 1] = (struct option_row)OPTION_HEADING(
        "Limits, up to the policy's caps (TIME: 10, 500ms, 2m; SIZE: 1000, 64K, 128M):");
    for (size_t i = 0; i < SB_LIMITS; i++) {
        const struct sb_limit_info *info = sb_limit_info((enum sb_limit)i);
        rows[FIRST_LIMIT + i] = (struct option_row)OPTION_ROW(
            take_limit, 0, info->option, limit_value_name(info), info->meaning, i);
    }
    memcpy(rows + HOST, host, sizeof(host));
    return (struct option_table){rows, ROWS};
}

/* ── The command line ───────────────────────────────────────────────────────────────────────── */

/* With --via nothing runs on this host. */
static bool is_about_host(const struct option_table *table, const struct option_row *row)
{
    bool text =
        row->read == take_action && (row->offset == ACTION_VERSION || row->offset == ACTION_HELP);
    return row - table->rows >= HOST && !text;
}

static int take_option(struct options *options, const struct option_row *row, const char *value,
                       struct sb_error *err)
{
    char where[32];
    snprintf(where, sizeof(where), "--%s", row->name != NULL ? row->name : "");
    return row->read(options, row, value, where, err);
}

/* Options end at -c CODE and -m MODULE, too, as they do for python. */
static int parse_words(struct options *options, const struct option_table *table, int argc,
                       char **argv, struct sb_error *err)
{
    struct option_line line;
    const struct option_row *row, *here = NULL;
    const char *value;
    int result = option_begin(&line, table, argc, argv, true, err);
    while (result == 0 && options->code == NULL && options->module == NULL &&
           (result = option_next(&line, &row, &value, err)) > 0) {
        result = take_option(options, row, value, err);
        if (is_about_host(table, row))
            here = row;
    }
    option_end(&line);
    if (result == 0 && options->via != NULL && here != NULL)
        return fail(err, here->name,
                    "--%s is for this host, and --via runs nothing here: leave out one of them",
                    here->name);
    return result;
}

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && *value != '\0' ? value : NULL;
}

static int check_collect(const struct options *options, struct sb_error *err)
{
    bool globs = options->collect_globs != NULL && options->collect_globs[0] != NULL;
    if (options->collect != NULL)
        return 0;
    if (options->force)
        return fail(err, "force", "--force is for the files of --collect: give --collect DIR, too");
    if (globs && !options->json)
        return fail(err, "collect-glob",
                    "--collect-glob says which files come back: give --collect DIR or --json, too");
    return 0;
}

static int check_cases(const struct options *options, struct sb_error *err)
{
    const char *alone = options->cases != NULL   ? NULL
                        : options->junit != NULL ? "junit"
                        : options->jobs > 0      ? "jobs"
                                                 : NULL;
    const char *beside = options->cases == NULL     ? NULL
                         : options->meta != NULL    ? "meta"
                         : options->collect != NULL ? "collect"
                                                    : NULL;
    if (alone != NULL)
        return fail(err, alone, "--%s is for a run with --cases: give --cases FILE, too", alone);
    if (beside != NULL)
        return fail(err, beside,
                    "--%s is for one run, and --cases makes many: leave it out, --json prints all",
                    beside);
    if (options->jobs > 0 && options->via != NULL)
        return fail(err, "jobs",
                    "with --via the service decides how many run side by side: leave "
                    "out --jobs");
    return 0;
}

int options_parse(struct options *options, int argc, char **argv, struct sb_error *err)
{
    struct option_row rows[ROWS];
    const struct option_table table = make_table(rows);
    const char *rootfs = environment("SANDBOX_ROOTFS");
    *options = (struct options){
        .policy_directory = environment("SANDBOX_POLICIES"),
        .token = environment("SANDBOX_TOKEN"),
        .limits = sb_limits_unset(),
    };
    if (option_defaults(&table, options, err) < 0 ||
        (rootfs != NULL && take_option(options, option_find(&table, "rootfs"), rootfs, err) < 0) ||
        parse_words(options, &table, argc, argv, err) < 0)
        return -1;

    bool named = optind < argc;
    const char *given = options->code != NULL ? "-c" : options->module != NULL ? "-m" : NULL;
    if (options->action != ACTION_RUN && (named || given != NULL))
        return fail(err, "", "--%s runs no script: leave out '%s'", options->action_name,
                    given != NULL ? given : argv[optind]);
    if (given != NULL)
        options->script = given;
    else
        options->script = named ? argv[optind++] : "-";
    options->args = (const char *const *)argv + optind;
    return check_collect(options, err) < 0 ? -1 : check_cases(options, err);
}

void options_free(struct options *options)
{
    struct option_row rows[ROWS];
    const struct option_table table = make_table(rows);
    option_free(&table, options);
    sb_strv_free((char **)options->env); /* has a reader of its own */
    *options = (struct options){0};
}

void options_usage(FILE *file)
{
    struct option_row rows[ROWS];
    const struct option_table table = make_table(rows);
    fputs("usage: sandbox-run [options] script.py [argument…]\n"
          "       sandbox-run [options] -c CODE [argument…]\n"
          "       sandbox-run [options] -m MODULE [argument…]\n"
          "       sandbox-run [options] [-] [argument…]      the code comes from stdin\n"
          "Runs an untrusted Python script. Options end at the script.\n",
          file);
    option_print(file, &table, 25);
    fputs("\nExit status:\n", file);
    status_print(file);
    fputs("\nEnvironment: SANDBOX_ROOTFS (as --rootfs), SANDBOX_POLICIES (directory of policies),\n"
          "SANDBOX_TOKEN (for --via).\n"
          "See sandbox-run(1), sandbox-policy(5).\n",
          file);
}
