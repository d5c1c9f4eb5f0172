/* Verdicts as exit statuses: one table, from which --help is printed too. */
#ifndef CLI_STATUS_H
#define CLI_STATUS_H

#include <stdio.h>

#include "sandbox.h"

#define STATUS_FAILED 125 /* sandbox-run's own failure, or wrong usage */
#define STATUS_SIGNAL 128 /* and the signal's number, as shells do */

/* The exit status for a verdict. */
int status_of(const struct sb_verdict *verdict);

void status_print(FILE *file);

#endif
