/* The names of what a job may do without, where the host can't enforce it and its caller or its
 * policy allows that: the bits of enum sb_missing. Options, policies, errors and verdicts use
 * them. */
#ifndef SB_POLICY_MISSING_H
#define SB_POLICY_MISSING_H

#include <stddef.h>

#include "sandbox.h"

/* Room for all names, with ", " between them. */
#define MISSING_NAMES_SIZE 96

/* "memory", "proc", …: a constant. NULL: not one bit of enum sb_missing. */
const char *missing_name(unsigned missing);

/* The bit of a name, which need not end with NUL; 0: there is no such name. */
unsigned missing_of_name(const char *name, size_t size);

/* All names, with ", " between them. */
const char *missing_names(char text[static MISSING_NAMES_SIZE]);

#endif
