/* --collect: the files that a script leaves behind become files here. */
#ifndef CLI_COLLECT_INTO_H
#define CLI_COLLECT_INTO_H

#include "cli/presenter.h"

/* Opens the directory of --collect, if there is one, and makes it if it is missing: before the run,
 * so that a directory that can't be had is known before anything has happened. */
int collect_open(struct presenter *presenter, struct sb_error *err);

/* Writes the files of a verdict below the directory, and tells what is missing. */
void collect_write(struct presenter *presenter, const struct sb_verdict *verdict);

/* The patterns to ask for, NULL-terminated; NULL: no files are asked for. */
const char *const *collect_globs(const struct options *options);

#endif
