/* Files that an administrator names: configuration, tokens, certificates. */
#ifndef SERVE_GIVEN_FILE_H
#define SERVE_GIVEN_FILE_H

#include "sandbox.h"

struct given_file {
    const char *path;
    const char *step, *field; /* of errors */
    const char *what;         /* it is, in an error: "the file of tokens" */
    const char *make;         /* how to make a missing one; NULL: advises to name an existing one */
};

/* Opens it for reading; returns the descriptor, close-on-exec. −1: *err says whether it is missing,
 * or which user may not read it, why, and what to do; err->errnum is the reason. */
int given_file_open(const struct given_file *file, struct sb_error *err);

/* Sets *err as given_file_open() does, when something has failed to open it with `errnum`; −1. */
int given_file_fail(const struct given_file *file, int errnum, struct sb_error *err);

#endif
