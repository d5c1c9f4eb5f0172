#include "cli/message.h"

#include <stdarg.h>
#include <stdio.h>

int fail(struct sb_error *err, const char *field, const char *format, ...)
{
    *err = (struct sb_error){.step = "command line"};
    snprintf(err->field, sizeof(err->field), "%s", field);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(err->message, sizeof(err->message), format, arguments);
    va_end(arguments);
    return -1;
}

void say(const char *format, ...)
{
    /* In one write: other programs may be writing to the same terminal. */
    char sentence[sizeof(((struct sb_error *)0)->message) + 128];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);
    dprintf(2, "sandbox-run: %s\n", sentence);
}
