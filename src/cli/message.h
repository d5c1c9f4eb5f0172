/* Messages of sandbox-run itself: one sentence on stderr, behind its name. */
#ifndef CLI_MESSAGE_H
#define CLI_MESSAGE_H

#include "sandbox.h"

/* Fills *err with a sentence and returns −1. `field` is the option or argument at fault, or "". */
int fail(struct sb_error *err, const char *field, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Prints "sandbox-run: ", the sentence and a newline on stderr. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
