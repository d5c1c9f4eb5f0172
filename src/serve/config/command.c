/* The command line: what to do, and the options of config.c's table. */
#include "serve/config/command.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/nearest.h"
#include "common/util.h"

/* Options that no configuration file has. */
enum { OTHER_CONFIG, OTHER_POLICY, OTHER_VERSION, OTHER_HELP, OTHERS };

static const struct {
    const char *name, *argument, *help;
} others[OTHERS] = {
    [OTHER_CONFIG] = {"config", "FILE",
                      "read options from FILE; none: no file [" SERVE_CONFIG_FILE "]"},
    [OTHER_POLICY] = {"policy", "NAME", "token add: the only policy that the token may use"},
    [OTHER_VERSION] = {"version", NULL, "show the version"},
    [OTHER_HELP] = {"help", NULL, "show this text"},
};

enum { FIRST_ROW = 256 }; /* what getopt returns for the first row of the table */

/* An option of the table as it stood on the command line. */
struct given {
    const struct config_row *row;
    const char *value;
};

struct words {
    struct given *given;
    size_t given_count;
    const char *other[OTHERS]; /* NULL: not given */
    char **rest;               /* what is no option, NULL-terminated */
};

static int refuse_unknown(const char *option, struct sb_error *err)
{
    char text[NEAREST_TEXT_SIZE];
    const char *names[128];
    size_t count = 0;
    for (size_t i = 0; i < config_rows_count && count < ARRAY_LEN(names) - OTHERS; i++)
        if (config_rows[i].name != NULL)
            names[count++] = config_rows[i].name;
    for (size_t i = 0; i < OTHERS; i++)
        names[count++] = others[i].name;
    return sb_fail(err, "command line", 0, "%s", nearest_option(text, option, names, count));
}

static int refuse(int answer, char **argv, struct sb_error *err)
{
    const char *name = NULL, *argument = NULL;
    size_t which = (size_t)(optopt - FIRST_ROW);
    if (optopt >= FIRST_ROW && which < config_rows_count) {
        name = config_rows[which].name;
        argument = config_rows[which].argument;
    } else if (optopt >= FIRST_ROW) {
        name = others[which - config_rows_count].name;
        argument = others[which - config_rows_count].argument;
    }
    if (name != NULL && answer == ':')
        return sb_fail_field(err, "command line", name, "--%s needs a value: --%s %s", name, name,
                             argument);
    if (name != NULL)
        return sb_fail_field(err, "command line", name, "--%s takes no value: write it without '='",
                             name);
    if (optopt != 0)
        return sb_fail(err, "command line", 0, "there is no option -%c", optopt);
    return refuse_unknown(argv[optind - 1], err);
}

static int take(struct words *words, int answer, const char *value)
{
    size_t which = answer == 'h' ? config_rows_count + OTHER_HELP : (size_t)(answer - FIRST_ROW);
    if (which >= config_rows_count) {
        words->other[which - config_rows_count] = value != NULL ? value : "";
        return 0;
    }
    struct given *more = reallocarray(words->given, words->given_count + 1, sizeof(struct given));
    if (more == NULL)
        return -1;
    words->given = more;
    /* A flag takes a value too, behind '=', to overrule the configuration file: --insecure=no. */
    more[words->given_count++] = (struct given){&config_rows[which], value ? value : "yes"};
    return 0;
}

static int read_words(struct words *words, int argc, char **argv, struct sb_error *err)
{
    _cleanup_free_ struct option *longs =
        calloc(config_rows_count + OTHERS + 1, sizeof(struct option));
    if (longs == NULL)
        return sb_fail(err, "command line", 0, "no memory for the options: free some");
    size_t used = 0;
    for (size_t i = 0; i < config_rows_count; i++)
        if (config_rows[i].kind != CONFIG_HEADING)
            longs[used++] = (struct option){config_rows[i].name,
                                            config_rows[i].kind == CONFIG_FLAG ? optional_argument
                                                                               : required_argument,
                                            NULL, FIRST_ROW + (int)i};
    for (size_t i = 0; i < OTHERS; i++)
        longs[used++] =
            (struct option){others[i].name, others[i].argument ? required_argument : no_argument,
                            NULL, FIRST_ROW + (int)(config_rows_count + i)};
    opterr = 0;
    optind = 0;
    int answer;
    while ((answer = getopt_long(argc, argv, ":h", longs, NULL)) != -1) {
        if (answer == '?' || answer == ':')
            return refuse(answer, argv, err);
        if (take(words, answer, optarg) < 0)
            return sb_fail(err, "command line", 0, "no memory for the options: free some");
    }
    words->rest = argv + optind;
    return 0;
}

/* ── What to do ─────────────────────────────────────────────────────────────────────────────── */

static int choose_token_action(struct command *command, char **rest, struct sb_error *err)
{
    static const struct {
        const char *verb;
        enum action action;
        int words;
    } verbs[] = {{"add", ACTION_TOKEN_ADD, 3},
                 {"list", ACTION_TOKEN_LIST, 2},
                 {"remove", ACTION_TOKEN_REMOVE, 3}};
    int count = 0;
    while (rest[count] != NULL)
        count++;
    for (size_t i = 0; i < ARRAY_LEN(verbs) && count > 1; i++) {
        if (strcmp(verbs[i].verb, rest[1]) != 0)
            continue;
        if (count != verbs[i].words)
            break;
        command->action = verbs[i].action;
        command->name = rest[2];
        return 0;
    }
    return sb_fail(err, "command line", 0,
                   "write: token add NAME, or token list, or token remove NAME");
}

static int choose_action(struct command *command, const struct words *words, struct sb_error *err)
{
    if (words->other[OTHER_HELP] != NULL)
        command->action = ACTION_HELP;
    else if (words->other[OTHER_VERSION] != NULL)
        command->action = ACTION_VERSION;
    else if (words->rest == NULL || words->rest[0] == NULL)
        command->action = ACTION_SERVE;
    else if (strcmp(words->rest[0], "token") == 0)
        return choose_token_action(command, words->rest, err);
    else
        return sb_fail(err, "command line", 0,
                       "'%.60s' is not an option: scripts come by HTTP; for one script there is "
                       "sandbox-run",
                       words->rest[0]);
    return 0;
}

/* For `token add`, --rate and --jobs are the new token's. */
static bool take_for_token(struct command *command, const struct given *given)
{
    if (command->action != ACTION_TOKEN_ADD)
        return false;
    if (strcmp(given->row->name, "rate") == 0)
        command->token_rate = given->value;
    else if (strcmp(given->row->name, "jobs") == 0)
        command->token_jobs = given->value;
    else
        return false;
    return true;
}

static int set_environment(struct config_reader *reader, struct sb_error *err)
{
    static const char *const names[][2] = {{"SANDBOX_ROOTFS", "rootfs"},
                                           {"SANDBOX_POLICIES", "policies"}};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *value = getenv(names[i][0]);
        if (value != NULL && *value != '\0' &&
            config_set(reader, config_row(names[i][1]), value, CONFIG_ENVIRONMENT, names[i][0],
                       err) < 0)
            return -1;
    }
    return 0;
}

/* The file that is named must be there; "" and "none" name no file, not even the standard one. */
static int read_file(struct config_reader *reader, const char *named, struct sb_error *err)
{
    if (named != NULL && (*named == '\0' || strcmp(named, "none") == 0))
        return 0;
    return config_read(reader, named != NULL ? named : SERVE_CONFIG_FILE, named != NULL, err);
}

static int configure(struct command *command, struct config_reader *reader,
                     const struct words *words, struct sb_error *err)
{
    if (read_file(reader, words->other[OTHER_CONFIG], err) < 0 || set_environment(reader, err) < 0)
        return -1;
    for (size_t i = 0; i < words->given_count; i++) {
        const struct given *given = &words->given[i];
        if (take_for_token(command, given))
            continue;
        char where[64];
        snprintf(where, sizeof(where), "--%s", given->row->name);
        if (config_set(reader, given->row, given->value, CONFIG_COMMAND, where, err) < 0)
            return -1;
    }
    return config_check(&command->config, err);
}

int command_parse(struct command *command, int argc, char **argv, struct sb_error *err)
{
    *command = (struct command){0};
    struct words words = {0};
    struct config_reader reader = {0};
    int result = read_words(&words, argc, argv, err);
    if (result == 0)
        result = choose_action(command, &words, err);
    if (result == 0 && command->action < ACTION_VERSION) {
        command->token_policy = words.other[OTHER_POLICY];
        result = config_begin(&reader, &command->config, err);
        if (result == 0)
            result = configure(command, &reader, &words, err);
        if (result == 0 && command->action != ACTION_TOKEN_ADD && command->token_policy != NULL)
            result = sb_fail_field(err, "command line", "policy",
                                   "--policy belongs to token add; requests name their policy");
    }
    config_reader_end(&reader);
    free(words.given);
    return result;
}

void command_free(struct command *command)
{
    config_free(&command->config);
}

/* ── Usage ──────────────────────────────────────────────────────────────────────────────────── */

static void print_option(FILE *file, const char *name, const char *argument, const char *help,
                         const char *standard)
{
    char left[64];
    snprintf(left, sizeof(left), "--%s%s%s", name, argument ? " " : "", argument ? argument : "");
    fprintf(file, "  %-29s %s", left, help);
    if (standard != NULL)
        fprintf(file, " [%s]", standard);
    fputc('\n', file);
}

void command_usage(FILE *file)
{
    fputs("usage: sandbox-serve [options]\n"
          "       sandbox-serve token add NAME [--policy NAME] [--rate N] [--jobs N]\n"
          "       sandbox-serve token list | token remove NAME\n"
          "Runs Python that you do not trust, by HTTP: POST /run.\n"
          "\nTIME: 10, 500ms, 2m; SIZE: 1000, 64K, 128M. Every option but those at the end may\n"
          "stand in " SERVE_CONFIG_FILE " too, as a line: name = value.\n",
          file);
    for (size_t i = 0; i < config_rows_count; i++) {
        const struct config_row *row = &config_rows[i];
        if (row->kind == CONFIG_HEADING)
            fprintf(file, "\n%s\n", row->help);
        else
            print_option(file, row->name, row->argument, row->help,
                         row->kind == CONFIG_FLAG ? NULL : row->standard);
    }
    fputs("\nOthers:\n", file);
    for (size_t i = 0; i < OTHERS; i++)
        print_option(file, others[i].name, others[i].argument, others[i].help, NULL);
    fputs("\nSIGTERM: stop when jobs are done; again: at once. SIGHUP: read policies, tokens and\n"
          "certificates anew.\n"
          "Exit status: 0 stopped as told, 1 can't serve, 2 wrong options or configuration.\n"
          "Environment: SANDBOX_ROOTFS (as --rootfs), SANDBOX_POLICIES (as --policies).\n"
          "See sandbox-serve(8), sandbox-api(7).\n",
          file);
}
