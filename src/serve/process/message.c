#include "serve/process/message.h"

#include <stdarg.h>
#include <stdio.h>

void say(const char *format, ...)
{
    char sentence[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);
    dprintf(2, "sandbox-serve: %s\n", sentence);
}
