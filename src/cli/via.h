/* Runs one script through a service that is running: POST /run of sandbox-serve. */
#ifndef CLI_VIA_H
#define CLI_VIA_H

#include "cli/options.h"

/* As run_script: the exit status of the program, or −1 with *err when the job could not be run. */
int run_via(const struct options *options, struct sb_error *err);

/* The body of the request, from the options and the files that they name. The caller frees it. NULL
 * on errors. */
/* `cases`: JSON text of an object with "cases", whose members become those of the request; NULL:
 * none. */
char *via_request(const struct options *options, const char *cases, size_t *size,
                  struct sb_error *err);

#endif
