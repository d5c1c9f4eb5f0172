/* Hints at likely mistakes. */
#ifndef CLI_HINT_H
#define CLI_HINT_H

#include <stdbool.h>

#include "cli/options.h"

#define HINT_SIZE 512

/* A script that ended with a ModuleNotFoundError may miss a module that stands beside it on this
 * host: then writes a sentence to `hint`. `shown` is the end of the script's stderr. */
bool hint_missing_module(char hint[static HINT_SIZE], const struct options *options,
                         const char *shown);

#endif
