/* Errors are values: a step, an errno and one sentence. The sentence is written once, by the code
 * that knows what failed and what a person can do about it. */
#ifndef SB_ERROR_H
#define SB_ERROR_H

#include "sandbox.h"

/* Fills *err (which may be NULL) and returns −1. `errnum` 0: no system call failed; otherwise the
 * sentence gives the reason at the %m of `format`, or if there is none at its end, ": <strerror>".
 * Advice on what to do comes last, behind an explicit %m. */
int sb_fail(struct sb_error *err, const char *step, int errnum, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same for an argument or a key at fault: err->field names it. */
int sb_fail_field(struct sb_error *err, const char *step, const char *field, const char *format,
                  ...) __attribute__((format(printf, 4, 5)));

/* The same for an argument of the library that must not be NULL: `give` says what to pass. */
int sb_fail_null(struct sb_error *err, const char *argument, const char *give);

#endif
