/* --list-policies. */
#ifndef CLI_LIST_H
#define CLI_LIST_H

#include "cli/options.h"

/* Prints the policies that there are, as lines or, with --json, as an array of objects that have
 * the names of GET /policies. One that can't be read is told of and left out. Returns the exit
 * status. */
int list_policies(const struct options *options);

#endif
