#include "cli/options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/message.h"
#include "cli/status.h"
#include "common/nearest.h"
#include "common/quantity.h"
#include "common/util.h"

enum kind {
    FLAG,        /* a bool */
    TEXT,        /* a string */
    LIST,        /* a string, one for each time that the option is given */
    ENVIRONMENT, /* the same, K=V */
    LIMIT,       /* one of enum sb_limit */
    START,
    CGROUP,
    UID_RANGE,
    FLOOR,
    ACTION /* something else than running a script */
};

struct row {
    enum kind kind;
    char letter;       /* of the short form, or 0 */
    const char *name;  /* of the long form, or NULL */
    const char *value; /* what its value is called, NULL when it takes none */
    const char *help;
    size_t where; /* offset in struct options; enum sb_limit; enum action */
};

#define AT(field) offsetof(struct options, field)

static const struct row running[] = {
    {TEXT, 'c', NULL, "CODE", "run this code; what follows are its arguments", AT(code)},
    {TEXT, 'm', NULL, "MODULE", "run this module; what follows are its arguments", AT(module)},
    {TEXT, 0, "policy", "NAME|FILE", "limits, mounts and filter [default]", AT(policy)},
    {LIST, 0, "files", "PATH", "put this file or directory into /work too; repeatable", AT(files)},
    {ENVIRONMENT, 0, "env", "K=V", "set this in the script's environment; repeatable", AT(env)},
    {TEXT, 0, "call", "NAME|JSON", "call this function then; --json and --meta have its value",
     AT(call)},
    {FLAG, 0, "merge-stderr", NULL, "stderr goes to stdout, in the order written",
     AT(merge_stderr)},
    {FLAG, 0, "json", NULL, "print the verdict, one line of JSON, in place of output", AT(json)},
    {TEXT, 0, "meta", "FILE", "write the verdict to FILE, as JSON without output", AT(meta)},
    {FLAG, 0, "quiet", NULL, "no sentence of sandbox-run's own on stderr", AT(quiet)},
    {TEXT, 0, "via", "ADDRESS", "through a service: unix:/PATH or http://127.0.0.1:PORT", AT(via)},
};

static const struct row others[] = {
    {TEXT, 0, "rootfs", "DIR", "root file system with Python in it", AT(sandbox.rootfs)},
    {TEXT, 0, "python", "PATH", "interpreter in there", AT(sandbox.python)},
    {FLAG, 0, "best-effort", NULL, "go on where the host can't enforce something; see --doctor",
     AT(sandbox.best_effort)},
    {CGROUP, 0, "cgroup", "KIND", "auto, v2-delegated, v2-scope, v2-root, v1 or none", 0},
    {START, 0, "start", "KIND", "cold, or warm as a service does it (slower for one run) [cold]",
     0},
    {UID_RANGE, 0, "uid-range", "FIRST:COUNT", "as root: host uids for jobs, one for each", 0},
    {FLOOR, 0, "memory-floor", "SIZE", "end the job when the host has less memory left", 0},
    {ACTION, 0, "doctor", NULL, "show what this host can enforce, and remedies; also --json",
     ACTION_DOCTOR},
    {ACTION, 0, "selftest", NULL, "run hostile scripts and see each contained", ACTION_SELFTEST},
    {ACTION, 0, "list-policies", NULL, "show the policies that there are; with --json as JSON",
     ACTION_LIST_POLICIES},
    {ACTION, 0, "print-policy", NULL, "show --policy, every key", ACTION_PRINT_POLICY},
    {ACTION, 0, "version", NULL, "show the version", ACTION_VERSION},
    {ACTION, 'h', "help", NULL, "show this text", ACTION_HELP},
};

enum { ROWS = ARRAY_LEN(running) + SB_LIMITS + ARRAY_LEN(others) };

static const char *limit_value_name(const struct sb_limit_info *info)
{
    if (strcmp(info->unit, "ms") == 0)
        return "TIME";
    return strcmp(info->unit, "bytes") == 0 ? "SIZE" : "N";
}

/* The whole table: the limits' rows stand between those for the script and those for the host. */
static void make_table(struct row table[static ROWS])
{
    memcpy(table, running, sizeof(running));
    table += ARRAY_LEN(running);
    for (size_t i = 0; i < SB_LIMITS; i++) {
        const struct sb_limit_info *info = sb_limit_info((enum sb_limit)i);
        table[i] = (struct row){LIMIT, 0, info->option, limit_value_name(info), info->meaning, i};
    }
    memcpy(table + SB_LIMITS, others, sizeof(others));
}

/* ── Values ─────────────────────────────────────────────────────────────────────────────────── */

static int take_uid_range(struct sb_options *sandbox, const char *value, struct sb_error *err)
{
    char extra;
    long long first, count;
    /* Neither root nor (uid_t)-1, which means "no change" to the kernel, may be in the range. */
    if (sscanf(value, "%lld:%lld%c", &first, &count, &extra) != 2 || first < 1 || count < 1 ||
        first > UINT32_MAX - 1 || count > UINT32_MAX - first)
        return fail(err, "uid-range",
                    "--uid-range takes FIRST:COUNT such as 200000:65536, without uid 0 and below "
                    "4294967295, not '%s'",
                    value);
    sandbox->uid_first = (uint32_t)first;
    sandbox->uid_count = (uint32_t)count;
    return 0;
}

static int take_start(bool *warm, const char *value, struct sb_error *err)
{
    *warm = strcmp(value, "warm") == 0;
    if (!*warm && strcmp(value, "cold") != 0)
        return fail(err, "start", "--start takes cold or warm, not '%s'", value);
    return 0;
}

static int take_cgroup(struct sb_options *sandbox, const char *value, struct sb_error *err)
{
    int kind = sb_cgroup_from_name(value);
    if (kind < 0)
        return fail(err, "cgroup",
                    "--cgroup takes auto, v2-delegated, v2-scope, v2-root, v1 or none, not '%s'",
                    value);
    sandbox->cgroup = (enum sb_cgroup)kind;
    return 0;
}

static int take_floor(struct sb_options *sandbox, const char *value, struct sb_error *err)
{
    if (!quantity_parse("bytes", value, &sandbox->memory_floor_bytes))
        return fail(err, "memory-floor", "--memory-floor takes %s, not '%s'",
                    quantity_form("bytes"), value);
    return 0;
}

static int take_action(struct options *options, const struct row *row, struct sb_error *err)
{
    if (options->action == ACTION_HELP) /* whatever else is asked */
        return 0;
    if (options->action != ACTION_RUN && options->action != (enum action)row->where &&
        row->where != ACTION_HELP)
        return fail(err, row->name,
                    "--%s and --%s are two different things to do: give one of them", row->name,
                    options->action_name);
    options->action = (enum action)row->where;
    options->action_name = row->name;
    return 0;
}

static void append(const char **list, const char *value)
{
    while (*list != NULL)
        list++;
    *list = value;
}

static int take(struct options *options, const struct row *row, const char *value,
                struct sb_error *err)
{
    char *field = (char *)options + row->where;
    switch (row->kind) {
    case FLAG:
        *(bool *)field = true;
        return 0;
    case TEXT:
        if (*value == '\0' && row->name != NULL)
            return fail(err, row->name, "--%s takes %s, not an empty text", row->name, row->value);
        *(const char **)field = value;
        return 0;
    case ENVIRONMENT:
        if (*value == '=' || strchr(value, '=') == NULL)
            return fail(err, row->name, "--env takes NAME=VALUE, not '%s'", value);
        /* fall through */
    case LIST:
        append(*(const char ***)field, value);
        return 0;
    case LIMIT:
        return sb_limit_parse((enum sb_limit)row->where, value, &options->limits.value[row->where],
                              err);
    case START:
        return take_start(&options->warm, value, err);
    case CGROUP:
        return take_cgroup(&options->sandbox, value, err);
    case UID_RANGE:
        return take_uid_range(&options->sandbox, value, err);
    case FLOOR:
        return take_floor(&options->sandbox, value, err);
    case ACTION:
        return take_action(options, row, err);
    }
    return -1;
}

/* ── The command line ───────────────────────────────────────────────────────────────────────── */

/* With --via nothing runs on this host. */
static bool is_about_host(const struct row *row, const struct row table[static ROWS])
{
    bool text = row->kind == ACTION && (row->where == ACTION_VERSION || row->where == ACTION_HELP);
    return (size_t)(row - table) >= ARRAY_LEN(running) + SB_LIMITS && !text;
}

/* What getopt_long refused: an unknown option, a value too few or one too many. */
static int refuse(int answer, const struct row table[static ROWS], char **argv,
                  struct sb_error *err)
{
    for (int i = 0; i < ROWS && optopt != 0; i++) {
        const struct row *row = &table[i];
        if (optopt == row->letter && answer == ':')
            return fail(err, "", "-%c needs a value: -%c %s", row->letter, row->letter, row->value);
        if (optopt != i + 256)
            continue;
        if (answer == ':')
            return fail(err, row->name, "--%s needs a value: --%s %s", row->name, row->name,
                        row->value);
        return fail(err, row->name, "--%s takes no value: write it without '='", row->name);
    }
    if (optopt != 0)
        return fail(err, "", "there is no option -%c", optopt);
    const char *names[ROWS];
    char text[NEAREST_TEXT_SIZE];
    size_t count = 0;
    for (int i = 0; i < ROWS; i++)
        if (table[i].name != NULL)
            names[count++] = table[i].name;
    return fail(err, "", "%s", nearest_option(text, argv[optind - 1], names, count));
}

static int parse_words(struct options *options, int argc, char **argv, struct sb_error *err)
{
    struct row table[ROWS];
    struct option longs[ROWS + 1] = {0};
    make_table(table);
    for (int i = 0, used = 0; i < ROWS; i++) {
        if (table[i].name != NULL)
            longs[used++] = (struct option){
                table[i].name, table[i].value != NULL ? required_argument : no_argument, NULL,
                i + 256};
    }
    const char *here = NULL;
    opterr = 0;
    optind = 0; /* from the start: the self-test parses many command lines */
    int answer;
    /* "+": options end at the script. They end at -c CODE and -m MODULE, too, as they do for
     * python. */
    while (options->code == NULL && options->module == NULL &&
           (answer = getopt_long(argc, argv, "+:c:m:h", longs, NULL)) != -1) {
        if (answer == '?' || answer == ':')
            return refuse(answer, table, argv, err);
        const struct row *row = &table[0];
        while (answer != row->letter && answer != row - table + 256)
            row++;
        if (take(options, row, optarg, err) < 0)
            return -1;
        if (is_about_host(row, table))
            here = row->name;
    }
    if (options->via != NULL && here != NULL)
        return fail(err, here,
                    "--%s is about this host, and --via runs nothing on it: leave out one of them",
                    here);
    return 0;
}

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && *value != '\0' ? value : NULL;
}

int options_parse(struct options *options, int argc, char **argv, struct sb_error *err)
{
    *options = (struct options){
        .policy = "default",
        .policy_directory = environment("SANDBOX_POLICIES"),
        .sandbox.rootfs = environment("SANDBOX_ROOTFS"),
        .token = environment("SANDBOX_TOKEN"),
        .limits = sb_limits_unset(),
        .files = calloc((size_t)argc + 1, sizeof(char *)),
        .env = calloc((size_t)argc + 1, sizeof(char *)),
    };
    if (options->files == NULL || options->env == NULL)
        return fail(err, "", "no memory for the command line: free some and try again");
    if (parse_words(options, argc, argv, err) < 0)
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
    return 0;
}

void options_free(struct options *options)
{
    free(options->files);
    free(options->env);
    *options = (struct options){0};
}

/* ── Usage ──────────────────────────────────────────────────────────────────────────────────── */

static void print_row(FILE *file, const struct row *row)
{
    char left[40];
    int length = 0;
    if (row->letter != 0)
        length = snprintf(left, sizeof(left), "-%c%s", row->letter, row->name ? ", " : "");
    if (row->name != NULL)
        length += snprintf(left + length, sizeof(left) - (size_t)length, "--%s", row->name);
    if (row->value != NULL)
        snprintf(left + length, sizeof(left) - (size_t)length, " %s", row->value);
    fprintf(file, "  %-25s %s\n", left, row->help);
}

static void print_rows(FILE *file, const char *title, const struct row *rows, size_t count)
{
    fprintf(file, "\n%s\n", title);
    for (size_t i = 0; i < count; i++)
        print_row(file, &rows[i]);
}

void options_usage(FILE *file)
{
    struct row table[ROWS];
    make_table(table);
    fputs("usage: sandbox-run [options] script.py [argument…]\n"
          "       sandbox-run [options] -c CODE [argument…]\n"
          "       sandbox-run [options] -m MODULE [argument…]\n"
          "       sandbox-run [options] [-] [argument…]      the code comes from stdin\n"
          "Runs a Python script that you do not trust. Options end at the script.\n",
          file);
    print_rows(file, "The script:", table, ARRAY_LEN(running));
    print_rows(file,
               "Limits, up to the policy's caps (TIME: 10, 500ms, 2m; SIZE: 1000, 64K, 128M):",
               table + ARRAY_LEN(running), SB_LIMITS);
    print_rows(file, "The host:", table + ARRAY_LEN(running) + SB_LIMITS, ARRAY_LEN(others));
    fputs("\nExit status:\n", file);
    status_print(file);
    fputs("\nEnvironment: SANDBOX_ROOTFS (as --rootfs), SANDBOX_POLICIES (directory of policies),\n"
          "SANDBOX_TOKEN (for --via).\n"
          "See sandbox-run(1), sandbox-policy(5).\n",
          file);
}
