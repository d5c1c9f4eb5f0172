/* The file of tokens: "NAME SHA256 [policy=NAME] [rate=N] [jobs=N] [max-body=SIZE]" on each line,
 * '#' before comments. A token has 256 random bits: its plain SHA-256 can't be reversed or guessed,
 * so a slow hash is not needed. */
#include "serve/config/tokens.h"

#include <errno.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/quantity.h"
#include "common/util.h"

struct tokens {
    struct token *list;
    size_t count;
};

void token_hash(unsigned char hash[TOKEN_HASH_SIZE], const char *text, size_t size)
{
    struct sha256_ctx context;
    sha256_init(&context);
    sha256_update(&context, size, (const uint8_t *)text);
    sha256_digest(&context, TOKEN_HASH_SIZE, hash);
}

bool token_name_valid(const char *name)
{
    size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
    return size > 0 && size < TOKEN_NAME_SIZE && name[size] == '\0';
}

/* ── Lines ──────────────────────────────────────────────────────────────────────────────────── */

static bool parse_hash(unsigned char hash[TOKEN_HASH_SIZE], const char *text)
{
    if (strlen(text) != 2 * TOKEN_HASH_SIZE || text[strspn(text, "0123456789abcdef")] != '\0')
        return false;
    for (size_t i = 0; i < TOKEN_HASH_SIZE; i++) {
        const char digits[3] = {text[2 * i], text[2 * i + 1], '\0'};
        hash[i] = (unsigned char)strtoul(digits, NULL, 16);
    }
    return true;
}

#define BODY_MIN 1024
#define BODY_MAX (INT64_C(1) << 30)

/* "policy=NAME", "rate=N", "jobs=N" or "max-body=SIZE". */
static int parse_limit(struct token *token, const char *word, const char *place,
                       struct sb_error *err)
{
    const char *equals = strchr(word, '=');
    const char *value = equals != NULL ? equals + 1 : "";
    size_t size = equals != NULL ? (size_t)(equals - word) : 0;
    int64_t number;
    if (size == 6 && memcmp(word, "policy", size) == 0 && token_name_valid(value)) {
        snprintf(token->policy, sizeof(token->policy), "%s", value);
        return 0;
    }
    if (size == 4 && memcmp(word, "rate", size) == 0 && quantity_parse("rate", value, &number) &&
        number > 0 && number <= INT64_C(1000000000)) {
        token->rate = (double)number / 1000;
        return 0;
    }
    if (size == 4 && memcmp(word, "jobs", size) == 0 && quantity_parse("count", value, &number) &&
        number > 0 && number <= 1000000) {
        token->jobs = number;
        return 0;
    }
    if (size == 8 && memcmp(word, "max-body", size) == 0 &&
        quantity_parse("bytes", value, &number) && number >= BODY_MIN && number <= BODY_MAX) {
        token->body_bytes = number;
        return 0;
    }
    return sb_fail(err, "tokens", 0,
                   "%s: '%.60s' is not one of policy=NAME, rate=N (requests a second), jobs=N (at "
                   "the same time), max-body=SIZE (from 1 KiB to 1 GiB)",
                   place, word);
}

int token_parse(struct token *token, const char *line, bool *is_token, const char *place,
                struct sb_error *err)
{
    _cleanup_free_ char *copy = strdup(line);
    if (copy == NULL)
        return sb_fail(err, "tokens", 0, "out of memory (tokens)");
    *token = (struct token){0};
    char *rest;
    const char *name = strtok_r(copy, " \t\r", &rest);
    *is_token = name != NULL && *name != '#';
    if (!*is_token)
        return 0;
    const char *hash = strtok_r(NULL, " \t\r", &rest);
    if (!token_name_valid(name) || hash == NULL || !parse_hash(token->hash, hash))
        return sb_fail(err, "tokens", 0,
                       "%s: a line is NAME, the token's SHA-256 in hexadecimal, and perhaps "
                       "limits; make tokens with: sandbox-serve token add NAME",
                       place);
    snprintf(token->name, sizeof(token->name), "%s", name);
    for (const char *word; (word = strtok_r(NULL, " \t\r", &rest)) != NULL;)
        if (parse_limit(token, word, place, err) < 0)
            return -1;
    return 0;
}

/* ── The file ───────────────────────────────────────────────────────────────────────────────── */

static int add(struct tokens *tokens, const struct token *token, const char *place,
               struct sb_error *err)
{
    for (size_t i = 0; i < tokens->count; i++)
        if (strcmp(tokens->list[i].name, token->name) == 0)
            return sb_fail(err, "tokens", 0, "%s: there are two tokens named %s: remove one", place,
                           token->name);
    struct token *more = reallocarray(tokens->list, tokens->count + 1, sizeof(*more));
    if (more == NULL)
        return sb_fail(err, "tokens", 0, "out of memory (tokens)");
    tokens->list = more;
    more[tokens->count++] = *token;
    return 0;
}

static int read_lines(struct tokens *tokens, FILE *file, const char *path, struct sb_error *err)
{
    _cleanup_free_ char *line = NULL;
    size_t room = 0;
    ssize_t size;
    for (int number = 1; (size = getline(&line, &room, file)) >= 0; number++) {
        char place[256];
        snprintf(place, sizeof(place), "%.200s:%d", path, number);
        if (size > 0 && line[size - 1] == '\n')
            line[--size] = '\0';
        if (strlen(line) != (size_t)size)
            return sb_fail(err, "tokens", 0, "%s: there is a NUL in the line: remove it", place);
        struct token token;
        bool is_token = false;
        if (token_parse(&token, line, &is_token, place, err) < 0 ||
            (is_token && add(tokens, &token, place, err) < 0))
            return -1;
    }
    return ferror(file) ? sb_fail(err, "tokens", errno, "can't read %.200s", path) : 0;
}

struct given_file tokens_file(const char *path)
{
    return (struct given_file){.path = path,
                               .step = "tokens",
                               .field = "tokens",
                               .what = "the file of tokens",
                               .make = "sandbox-serve token add NAME --tokens FILE makes one"};
}

int tokens_load(struct tokens **result, const char *path, struct sb_error *err)
{
    const struct given_file given = tokens_file(path);
    _cleanup_close_ int fd = given_file_open(&given, err);
    if (fd < 0)
        return -1;
    FILE *file = fdopen(fd, "re");
    struct tokens *tokens = calloc(1, sizeof(*tokens));
    int failed = -1;
    if (file != NULL)
        (void)steal_fd(&fd);
    if (file == NULL || tokens == NULL)
        sb_fail(err, "tokens", 0, "out of memory (tokens)");
    else
        failed = read_lines(tokens, file, path, err);
    if (file != NULL)
        fclose(file);
    if (failed < 0) {
        tokens_free(tokens);
        return -1;
    }
    *result = tokens;
    return 0;
}

void tokens_free(struct tokens *tokens)
{
    if (tokens == NULL)
        return;
    free(tokens->list);
    free(tokens);
}

size_t tokens_count(const struct tokens *tokens)
{
    return tokens->count;
}

const struct token *tokens_named(const struct tokens *tokens, const char *name)
{
    for (size_t i = 0; tokens != NULL && i < tokens->count; i++)
        if (strcmp(tokens->list[i].name, name) == 0)
            return &tokens->list[i];
    return NULL;
}

int64_t tokens_most_body(const struct tokens *tokens)
{
    int64_t most = 0;
    for (size_t i = 0; tokens != NULL && i < tokens->count; i++)
        if (tokens->list[i].body_bytes > most)
            most = tokens->list[i].body_bytes;
    return most;
}

const struct token *tokens_find(const struct tokens *tokens, const char *text, size_t size)
{
    unsigned char hash[TOKEN_HASH_SIZE];
    const struct token *found = NULL;
    token_hash(hash, text, size);
    for (size_t i = 0; i < tokens->count; i++)
        if (memeql_sec(hash, tokens->list[i].hash, TOKEN_HASH_SIZE))
            found = &tokens->list[i];
    return found;
}
