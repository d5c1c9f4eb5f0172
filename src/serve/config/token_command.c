/* Changing the file of tokens. The new file takes the old one's place in one step, with the same
 * owner and mode; the first one that root makes is for the service's group, too. The directory is
 * locked meanwhile, so that two who add at once lose nothing. The token itself is printed once and
 * kept nowhere. */
#include "serve/config/token_command.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <nettle/base16.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "common/error.h"
#include "common/util.h"
#include "serve/config/tokens.h"

#define SERVICE_GROUP "sandbox-serve" /* of sandbox-serve.sysusers */

static int print_line(const char *line, struct sb_error *err)
{
    struct token token;
    bool is_token;
    if (token_parse(&token, line, &is_token, "the file of tokens", err) < 0)
        return -1;
    if (!is_token)
        return 0;
    printf("%-24s", token.name);
    if (token.policy[0] != '\0')
        printf(" policy=%s", token.policy);
    if (token.rate > 0)
        printf(" rate=%g", token.rate);
    if (token.jobs > 0)
        printf(" jobs=%lld", (long long)token.jobs);
    if (token.body_bytes > 0)
        printf(" max-body=%lld", (long long)token.body_bytes);
    putchar('\n');
    return 0;
}

static bool line_is_named(const char *line, const char *name)
{
    line += strspn(line, " \t");
    size_t size = strcspn(line, " \t\r");
    return size == strlen(name) && memcmp(line, name, size) == 0;
}

/* Goes through the old file: lists its tokens, or copies all but the one to be removed. */
static int copy_lines(const struct command *command, FILE *old, FILE *new, bool *found,
                      struct sb_error *err)
{
    _cleanup_free_ char *line = NULL;
    size_t room = 0;
    ssize_t size;
    while ((size = getline(&line, &room, old)) >= 0) {
        if (size > 0 && line[size - 1] == '\n')
            line[size - 1] = '\0';
        if (command->action == ACTION_TOKEN_LIST) {
            if (print_line(line, err) < 0)
                return -1;
            continue;
        }
        bool named = line_is_named(line, command->name);
        *found = *found || named;
        if (!named || command->action == ACTION_TOKEN_ADD)
            fprintf(new, "%s\n", line);
    }
    return ferror(old) ? sb_fail(err, "tokens", errno, "can't read the file of tokens") : 0;
}

static int make_token(char text[TOKEN_TEXT_SIZE], struct sb_error *err)
{
    unsigned char bytes[32];
    if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
        return sb_fail(err, "tokens", errno, "can't get random bytes from the kernel");
    char *hex = stpcpy(text, "sandbox_");
    base16_encode_update(hex, sizeof(bytes), bytes);
    hex[BASE16_ENCODE_LENGTH(sizeof(bytes))] = '\0';
    return 0;
}

/* Otherwise a client would be the first to notice a misspelt policy. If no policies can be read
 * here, the token may be meant for another host. */
static int check_policy(const struct command *command, struct sb_error *err)
{
    char **names = NULL, known[256] = "";
    size_t used = 0;
    if (command->token_policy == NULL || sb_policy_list(&names, command->config.policies, err) < 0)
        return 0;
    bool found = false;
    for (size_t i = 0; names[i] != NULL; i++) {
        found = found || strcmp(names[i], command->token_policy) == 0;
        if (used < sizeof(known))
            used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s", i > 0 ? ", " : "",
                                     names[i]);
    }
    sb_strv_free(names);
    return found ? 0
                 : sb_fail_field(err, "tokens", "policy",
                                 "there is no policy '%.60s': --policy is one of %s",
                                 command->token_policy, known);
}

/* The new token's line, checked by the same function that will read it. */
static int write_token(const struct command *command, FILE *new, const char *text,
                       struct sb_error *err)
{
    unsigned char hash[TOKEN_HASH_SIZE];
    char hex[BASE16_ENCODE_LENGTH(TOKEN_HASH_SIZE) + 1] = "", line[512];
    token_hash(hash, text, strlen(text));
    base16_encode_update(hex, sizeof(hash), hash);
    int size = snprintf(line, sizeof(line), "%s %s", command->name, hex);
    const struct {
        const char *name, *value;
    } limits[] = {{"policy", command->token_policy},
                  {"rate", command->token_rate},
                  {"jobs", command->token_jobs},
                  {"max-body", command->token_body}};
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        if (limits[i].value == NULL)
            continue;
        if (strlen(limits[i].value) > TOKEN_NAME_SIZE ||
            strpbrk(limits[i].value, " \t\r\n") != NULL)
            return sb_fail_field(err, "tokens", limits[i].name, "--%s can't be '%.60s'",
                                 limits[i].name, limits[i].value);
        size += snprintf(line + size, sizeof(line) - (size_t)size, " %s=%s", limits[i].name,
                         limits[i].value);
    }
    struct token token;
    bool is_token;
    if (token_parse(&token, line, &is_token, "the new token", err) < 0)
        return -1;
    fprintf(new, "%s\n", line);
    return 0;
}

static int keep_owner(FILE *old, FILE *new, struct sb_error *err)
{
    struct stat status;
    if (fstat(fileno(old), &status) == 0 &&
        (fchown(fileno(new), status.st_uid, status.st_gid) < 0 ||
         fchmod(fileno(new), status.st_mode & 0777) < 0))
        return sb_fail(err, "tokens", errno,
                       "can't give the new file of tokens the old one's owner");
    return 0;
}

/* The service's group in its unit; only for root, who may give files away. NULL: none. */
static const struct group *service_group(void)
{
    return geteuid() == 0 ? getgrnam(SERVICE_GROUP) : NULL;
}

static int let_service_read(FILE *new, struct sb_error *err)
{
    const struct group *group = service_group();
    if (group != NULL &&
        (fchown(fileno(new), (uid_t)-1, group->gr_gid) < 0 || fchmod(fileno(new), 0640) < 0))
        return sb_fail(err, "tokens", errno, "can't give the file of tokens to the group %s",
                       SERVICE_GROUP);
    return 0;
}

/* Warns if the service can't read the file; the owner of an older file chose its mode. */
static void say_when_closed(const char *path)
{
    const struct group *group = service_group();
    struct stat status;
    if (group == NULL || stat(path, &status) < 0 || (status.st_mode & S_IROTH) != 0 ||
        (status.st_gid == group->gr_gid && (status.st_mode & S_IRGRP) != 0))
        return;
    fprintf(stderr,
            "sandbox-serve: under systemd the service may not read it: chgrp %s %s && chmod 640 "
            "%s\n",
            SERVICE_GROUP, path, path);
}

static int write_file(const struct command *command, FILE *old, FILE *new,
                      char text[TOKEN_TEXT_SIZE], struct sb_error *err)
{
    bool found = false;
    if (old != NULL && copy_lines(command, old, new, &found, err) < 0)
        return -1;
    if (command->action == ACTION_TOKEN_ADD && found)
        return sb_fail(err, "tokens", 0,
                       "a token named %s exists already: remove it first, or choose another name",
                       command->name);
    if (command->action == ACTION_TOKEN_REMOVE && !found)
        return sb_fail(err, "tokens", 0, "there is no token named %.64s in %.200s", command->name,
                       command->config.tokens);
    if (command->action == ACTION_TOKEN_ADD &&
        (check_policy(command, err) < 0 || make_token(text, err) < 0 ||
         write_token(command, new, text, err) < 0))
        return -1;
    if ((old != NULL ? keep_owner(old, new, err) : let_service_read(new, err)) < 0)
        return -1;
    if (fflush(new) != 0 || fsync(fileno(new)) < 0)
        return sb_fail(err, "tokens", errno, "can't write %.200s", command->config.tokens);
    return 0;
}

static int replace_file(const struct command *command, FILE *old, char text[TOKEN_TEXT_SIZE],
                        struct sb_error *err)
{
    char path[4096];
    int size = snprintf(path, sizeof(path), "%s.XXXXXX", command->config.tokens);
    int fd = size < (int)sizeof(path) ? mkostemp(path, O_CLOEXEC) : -1; /* mode 0600 */
    if (fd < 0)
        return sb_fail(err, "tokens", errno, "can't create a file beside %.200s",
                       command->config.tokens);
    FILE *new = fdopen(fd, "we");
    if (new == NULL)
        close(fd);
    int failed = new == NULL ? sb_fail(err, "tokens", errno, "can't write the file of tokens")
                             : write_file(command, old, new, text, err);
    if (new != NULL && fclose(new) != 0 && failed == 0)
        failed = sb_fail(err, "tokens", errno, "can't write %.200s", command->config.tokens);
    if (failed == 0 && rename(path, command->config.tokens) < 0)
        failed = sb_fail(err, "tokens", errno, "can't replace %.200s", command->config.tokens);
    if (failed < 0)
        unlink(path);
    return failed;
}

/* The first token makes the directory. */
static int lock_directory(const struct command *command, struct sb_error *err)
{
    const char *path = command->config.tokens;
    _cleanup_free_ char *copy = strdup(path);
    if (copy == NULL)
        return sb_fail(err, "tokens", 0, "out of memory (path)");
    const char *directory = dirname(copy);
    if (command->action == ACTION_TOKEN_ADD)
        mkdir(directory, 0755);
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && flock(fd, LOCK_EX) == 0)
        return fd;
    sb_fail(err, "tokens", errno,
            "can't lock %.200s, the directory of the tokens: create it with mkdir -p", directory);
    if (fd >= 0)
        close(fd);
    return -1;
}

static void say_done(const struct command *command, const char *text)
{
    if (command->action == ACTION_TOKEN_ADD)
        printf("%s\n", text);
    if (command->action == ACTION_TOKEN_LIST)
        return;
    fprintf(stderr,
            "sandbox-serve: %s; a running service reads it on SIGHUP: systemctl reload "
            "sandbox-serve\n",
            command->action == ACTION_TOKEN_ADD ? "this is the only time that the token is shown"
                                                : "the token is removed");
    say_when_closed(command->config.tokens);
}

int token_command(const struct command *command, struct sb_error *err)
{
    const char *path = command->config.tokens;
    if (path == NULL)
        return sb_fail_field(err, "tokens", "tokens",
                             "say which file holds the tokens: --tokens FILE, or a line 'tokens = "
                             "FILE' in " SERVE_CONFIG_FILE);
    if (command->action != ACTION_TOKEN_LIST && !token_name_valid(command->name))
        return sb_fail(
            err, "tokens", 0,
            "'%.64s' can't be a token's name: give up to %d letters, digits, '.', '_' or '-'",
            command->name, TOKEN_NAME_SIZE - 1);
    _cleanup_close_ int lock = lock_directory(command, err);
    if (lock < 0)
        return -1;
    const struct given_file given = tokens_file(path);
    FILE *old = fopen(path, "re");
    if (old == NULL && (errno != ENOENT || command->action != ACTION_TOKEN_ADD))
        return given_file_fail(&given, errno, err);
    char text[TOKEN_TEXT_SIZE] = "";
    bool found = false;
    int failed = command->action == ACTION_TOKEN_LIST ? copy_lines(command, old, NULL, &found, err)
                                                      : replace_file(command, old, text, err);
    if (old != NULL)
        fclose(old);
    if (failed < 0)
        return -1;
    say_done(command, text);
    return 0;
}
