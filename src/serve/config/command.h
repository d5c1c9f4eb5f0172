/* The command line of sandbox-serve. */
#ifndef SERVE_COMMAND_H
#define SERVE_COMMAND_H

#include <stdio.h>

#include "serve/config/config.h"

enum command_action {
    ACTION_SERVE,
    ACTION_TOKEN_ADD,
    ACTION_TOKEN_LIST,
    ACTION_TOKEN_REMOVE,
    ACTION_VERSION,
    ACTION_HELP
};

struct command {
    enum command_action action;
    struct config config;
    const char *name; /* of the token */
    /* Options of a new token, as they were written; NULL when not given. */
    const char *token_policy, *token_rate, *token_jobs, *token_body;
};

/* Reads the command line, the configuration file and the environment (SANDBOX_ROOTFS,
 * SANDBOX_POLICIES). `argv` must live as long as the command. */
int command_parse(struct command *command, int argc, char **argv, struct sb_error *err);
void command_free(struct command *command);

void command_usage(FILE *file);

#endif
