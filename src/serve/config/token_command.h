/* sandbox-serve token add|list|remove. */
#ifndef SERVE_TOKEN_COMMAND_H
#define SERVE_TOKEN_COMMAND_H

#include "serve/config/command.h"

/* Does what the command says with the file that its configuration names. */
int token_command(const struct command *command, struct sb_error *err);

#endif
