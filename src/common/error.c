/* Errors as values. See error.h. */
#include "common/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Takes the last character off a text that was cut, as it may be half of one. */
static void trim_character(char *text)
{
    size_t size = strlen(text);
    while (size > 0 && ((unsigned char)text[size - 1] & 0xc0) == 0x80)
        size--;
    text[size > 0 ? size - 1 : 0] = '\0';
}

static void fill(struct sb_error *err, const char *step, const char *field, int errnum,
                 const char *format, va_list args)
{
    if (err == NULL)
        return;
    int saved = errno;
    *err = (struct sb_error){.errnum = errnum};
    snprintf(err->step, sizeof(err->step), "%s", step);
    snprintf(err->field, sizeof(err->field), "%s", field);
    errno = errnum; /* for %m */
    int length = vsnprintf(err->message, sizeof(err->message), format, args);
    if (errnum != 0 && strstr(format, "%m") == NULL && length >= 0 &&
        (size_t)length < sizeof(err->message))
        length += snprintf(err->message + length, sizeof(err->message) - (size_t)length, ": %s",
                           strerror(errnum));
    if (length >= 0 && (size_t)length >= sizeof(err->message))
        trim_character(err->message);
    errno = saved;
}

int sb_fail(struct sb_error *err, const char *step, int errnum, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(err, step, "", errnum, format, args);
    va_end(args);
    return -1;
}

int sb_fail_field(struct sb_error *err, const char *step, const char *field, const char *format,
                  ...)
{
    va_list args;
    va_start(args, format);
    fill(err, step, field, 0, format, args);
    va_end(args);
    return -1;
}

int sb_fail_null(struct sb_error *err, const char *argument, const char *give)
{
    return sb_fail_field(err, "arguments", argument, "%s can't be NULL: give %s", argument, give);
}
