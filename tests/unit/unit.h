/* What every unit test needs: cmocka with its includes, and a look into error messages. */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sandbox.h"

/* Fails, showing the message, unless it holds the part. */
static inline void assert_says(const struct sb_error *err, const char *part)
{
    if (strstr(err->message, part) == NULL)
        fail_msg("the message \"%s\" does not hold \"%s\"", err->message, part);
}

/* A message is one sentence: not empty, one line, not cut off at the end of its buffer. */
static inline void assert_sentence(const struct sb_error *err)
{
    assert_int_not_equal(err->message[0], '\0');
    assert_null(strchr(err->message, '\n'));
    assert_true(strlen(err->message) < sizeof(err->message) - 1);
}

#endif
