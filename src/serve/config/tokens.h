/* Bearer tokens: a file with one line for each, of which only hashes are kept. */
#ifndef SERVE_TOKENS_H
#define SERVE_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox.h"
#include "serve/config/given_file.h"

#define TOKEN_NAME_SIZE 65
#define TOKEN_HASH_SIZE 32
#define TOKEN_TEXT_SIZE 80

struct token {
    char name[TOKEN_NAME_SIZE];
    unsigned char hash[TOKEN_HASH_SIZE]; /* SHA-256 of the token's text */
    char policy[TOKEN_NAME_SIZE];        /* the only one that it allows; "": any */
    double rate;                         /* requests per second; 0: the service's */
    int64_t jobs;                        /* at once; 0: not limited */
    int64_t body_bytes;                  /* largest body of a request; 0: the service's */
};

struct tokens;

/* Its description for errors. `path` must outlive it. */
struct given_file tokens_file(const char *path);

/* Reads the file. A file without tokens is valid: nobody has access. */
int tokens_load(struct tokens **tokens, const char *path, struct sb_error *err);
void tokens_free(struct tokens *tokens);
size_t tokens_count(const struct tokens *tokens);

/* The token with this text, or NULL. Takes the same time for every token. */
const struct token *tokens_find(const struct tokens *tokens, const char *text, size_t size);

/* The token of that name, or NULL. */
const struct token *tokens_named(const struct tokens *tokens, const char *name);

/* The largest bound on bodies that a token has; 0: none has one. */
int64_t tokens_most_body(const struct tokens *tokens);

/* One line of the file, without its newline. False, with *is_token false: empty or a comment. */
int token_parse(struct token *token, const char *line, bool *is_token, const char *place,
                struct sb_error *err);

/* Whether it can be the name of a token. */
bool token_name_valid(const char *name);

void token_hash(unsigned char hash[TOKEN_HASH_SIZE], const char *text, size_t size);

#endif
