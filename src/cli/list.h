/* --list-policies. */
#ifndef CLI_LIST_H
#define CLI_LIST_H

#include "cli/options.h"

/* Prints the policies as lines or, with --json, as an array of objects with the names of GET
 * /policies. A policy that can't be read is reported and left out. Returns the exit status. */
int list_policies(const struct options *options);

#endif
