/* Runs one script, with its streams live. */
#ifndef CLI_RUN_HERE_H
#define CLI_RUN_HERE_H

#include "cli/options.h"

/* Returns the exit status of the program, or −1 with *err when the job could not be run. */
int run_script(const struct options *options, struct sb_error *err);

#endif
