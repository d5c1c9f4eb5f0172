/* Shows what this host can enforce. */
#ifndef CLI_FINDINGS_H
#define CLI_FINDINGS_H

#include "cli/options.h"

/* Returns the exit status: 0, or 1 when the default policy can't be enforced. */
int doctor(const struct options *options);

#endif
