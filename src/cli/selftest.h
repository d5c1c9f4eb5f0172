/* Runs the hostile scripts and checks that each is contained. */
#ifndef CLI_SELFTEST_H
#define CLI_SELFTEST_H

#include "cli/options.h"

/* Returns the exit status: 0, or 1 when a script was not contained. */
int selftest(const struct options *options);

#endif
