/* Whether a script's output, or the value of its function, is the expected one. Pure functions over
 * bytes of any origin; the time is proportional to the sizes (for values: n log n). */
#ifndef SB_GRADE_H
#define SB_GRADE_H

#include <stdbool.h>
#include <stddef.h>

enum grade_compare {
    GRADE_LINES,  /* white space at the ends of lines and empty lines at the end do not count */
    GRADE_EXACT,  /* every byte counts */
    GRADE_TOKENS, /* only what stands between white space counts */
    GRADE_FLOAT   /* as tokens, and numbers may differ a little: see `tolerance` */
};

/* White space is that of ASCII: space, \t, \n, \v, \f, \r. */
struct grade_output {
    enum grade_compare compare;
    double tolerance; /* GRADE_FLOAT: a difference of at most this, or of this part of the expected
                         number, does not count. NaN equals NaN */
    const char *text;
    size_t size;
};

/* The first place where output is not as expected. */
struct grade_difference {
    const char *unit;           /* "line" or "token" */
    size_t number;              /* of it, from 1 */
    const char *expected, *got; /* the line or token at that place, in the texts; NULL: there is
                                   none any more */
    size_t expected_size, got_size;
};

/* `difference` may be NULL, and is filled in only when the answer is false. */
bool grade_output(const struct grade_output *expected, const char *text, size_t size,
                  struct grade_difference *difference);

/* Whether two values in JSON text are equal: numbers by their exact value (1, 1.0 and 1e0 are
 * equal; true and 1 are not), or with `tolerance` above 0 as GRADE_FLOAT does; objects whatever the
 * order of their keys. A text that is not JSON equals nothing, and so does what lack of memory
 * keeps from being compared. `expected` should not be nested deeper than JSON_TEXT_DEPTH. */
bool grade_value(const char *expected, size_t expected_size, const char *value, size_t value_size,
                 double tolerance);

/* Whether two numbers differ by no more than the tolerance, in size or in proportion. */
bool grade_is_near(double expected, double number, double tolerance);

#endif
