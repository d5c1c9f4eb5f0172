/* Errors are values: a step, an errno and one sentence. Written once, where it is known what failed
 * and what a person can do about it. */
#ifndef SB_ERROR_H
#define SB_ERROR_H

#include "sandbox.h"

/* Fills *err (which may be NULL) and returns −1. `errnum` 0: no system call failed; otherwise the
 * sentence tells the reason where `format` has %m, and else at its end, ": <strerror>". What to do
 * about it comes last: a sentence that says so has %m before it. */
int sb_fail(struct sb_error *err, const char *step, int errnum, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same for an argument or a key at fault: err->field names it. */
int sb_fail_field(struct sb_error *err, const char *step, const char *field, const char *format,
                  ...) __attribute__((format(printf, 4, 5)));

/* The same for an argument of the library's that is NULL and must not be: `give` is what belongs
 * there. */
int sb_fail_null(struct sb_error *err, const char *argument, const char *give);

#endif
