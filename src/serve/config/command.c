/* The command line: what to do, and the options of config.c's table. */
#include "serve/config/command.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/util.h"

/* An option as it stood on the command line. */
struct given {
    const struct option_row *row;
    const char *value;
};

struct words {
    struct given *given;
    size_t given_count;
    char **rest; /* what is not an option, NULL-terminated */
};

static int keep(struct words *words, const struct given *one, struct sb_error *err)
{
    struct given *more = reallocarray(words->given, words->given_count + 1, sizeof(*more));
    if (more == NULL)
        return sb_fail(err, "command line", 0, "out of memory (options)");
    words->given = more;
    more[words->given_count++] = *one;
    return 0;
}

static int read_words(struct words *words, int argc, char **argv, struct sb_error *err)
{
    struct option_line line;
    struct given one;
    int result = option_begin(&line, &config_options, argc, argv, false, err);
    while (result == 0 && (result = option_next(&line, &one.row, &one.value, err)) > 0)
        result = keep(words, &one, err);
    words->rest = argv + optind;
    option_end(&line);
    return result;
}

/* The last value of an option that has no reader; NULL: it was not given. */
static const char *last_value(const struct words *words, const char *name)
{
    for (size_t i = words->given_count; i-- > 0;)
        if (strcmp(words->given[i].row->name, name) == 0)
            return words->given[i].value;
    return NULL;
}

/* ── What to do ─────────────────────────────────────────────────────────────────────────────── */

static int choose_token_action(struct command *command, char **rest, struct sb_error *err)
{
    static const struct {
        const char *verb;
        enum command_action action;
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
                   "unknown command: write token add NAME, token list or token remove NAME");
}

static int choose_action(struct command *command, const struct words *words, struct sb_error *err)
{
    if (last_value(words, "help") != NULL)
        command->action = ACTION_HELP;
    else if (last_value(words, "version") != NULL)
        command->action = ACTION_VERSION;
    else if (words->rest == NULL || words->rest[0] == NULL)
        command->action = ACTION_SERVE;
    else if (strcmp(words->rest[0], "token") == 0)
        return choose_token_action(command, words->rest, err);
    else
        return sb_fail(
            err, "command line", 0,
            "'%.60s' is not an option: send scripts by HTTP, or run one with sandbox-run",
            words->rest[0]);
    return 0;
}

/* For `token add`, --rate, --jobs and --max-body are the new token's. */
static bool take_for_token(struct command *command, const struct given *given)
{
    if (command->action != ACTION_TOKEN_ADD)
        return false;
    if (strcmp(given->row->name, "rate") == 0)
        command->token_rate = given->value;
    else if (strcmp(given->row->name, "jobs") == 0)
        command->token_jobs = given->value;
    else if (strcmp(given->row->name, "max-body") == 0)
        command->token_body = given->value;
    else
        return false;
    return true;
}

/* systemd has made a directory for what must outlast us: jobs are kept there, unless the
 * configuration says otherwise. The environment is read after the file. */
static int read_state_directory(struct config_reader *reader, struct sb_error *err)
{
#ifdef HAVE_SQLITE
    const char *directory = getenv("STATE_DIRECTORY");
    char address[PATH_MAX + 16];
    if (reader->config->store != NULL || directory == NULL || *directory != '/' ||
        strchr(directory, ':') != NULL || strlen(directory) >= PATH_MAX - 8)
        return 0;
    snprintf(address, sizeof(address), "sqlite:%s/jobs.db", directory);
    return config_set(reader, option_find(&config_options, "store"), address, CONFIG_ENVIRONMENT,
                      "STATE_DIRECTORY", err);
#else
    (void)reader, (void)err;
    return 0;
#endif
}

static int set_environment(struct config_reader *reader, struct sb_error *err)
{
    static const char *const names[][2] = {{"SANDBOX_ROOTFS", "rootfs"},
                                           {"SANDBOX_POLICIES", "policies"}};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *value = getenv(names[i][0]);
        if (value != NULL && *value != '\0' &&
            config_set(reader, option_find(&config_options, names[i][1]), value, CONFIG_ENVIRONMENT,
                       names[i][0], err) < 0)
            return -1;
    }
    return read_state_directory(reader, err);
}

/* A named file must exist; "" and "none" mean no file, not even the standard one. */
static int read_file(struct config_reader *reader, const char *named, struct sb_error *err)
{
    if (named != NULL && (*named == '\0' || strcmp(named, "none") == 0))
        return 0;
    return config_read(reader, named != NULL ? named : SERVE_CONFIG_FILE, named != NULL, err);
}

static int configure(struct command *command, struct config_reader *reader,
                     const struct words *words, struct sb_error *err)
{
    if (read_file(reader, last_value(words, "config"), err) < 0 || set_environment(reader, err) < 0)
        return -1;
    for (size_t i = 0; i < words->given_count; i++) {
        const struct given *given = &words->given[i];
        if (given->row->read == NULL || take_for_token(command, given))
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
        command->token_policy = last_value(&words, "policy");
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

void command_usage(FILE *file)
{
    fputs("usage: sandbox-serve [options]\n"
          "       sandbox-serve token add NAME [--policy NAME] [--rate N] [--jobs N]\n"
          "                     [--max-body SIZE]\n"
          "       sandbox-serve token list | token remove NAME\n"
          "Runs untrusted Python for HTTP clients: POST /run.\n"
          "\nTIME: 10, 500ms, 2m; SIZE: 1000, 64K, 128M. Every option but those at the end may\n"
          "stand in " SERVE_CONFIG_FILE " too, as a line: name = value.\n",
          file);
    option_print(file, &config_options, 29);
    fputs("\n--rate and --jobs of a token hold on each node: with N nodes behind a load balancer, "
          "it\n"
          "has N times as much.\n"
          "\nSIGTERM: stop after --linger, when jobs are done; again: at once. SIGHUP: read "
          "policies, tokens and\n"
          "certificates again.\n"
          "Exit status: 0 stopped as told, 1 can't serve, 2 wrong options or configuration.\n"
          "Environment: SANDBOX_ROOTFS (as --rootfs), SANDBOX_POLICIES (as --policies).\n"
          "See sandbox-serve(8), sandbox-api(7).\n",
          file);
}
