/* Sentences about a script that ended itself, and when its own words say more. */
#ifndef COMMON_SENTENCE_H
#define COMMON_SENTENCE_H

#include <stdio.h>
#include <string.h>

#include "sandbox.h"

/* Stands before the exception's name: a reader of a verdict finds the name behind it. */
#define RAISED "the script raised "

#define SENTENCE_SIZE 256

/* Why the script ended; of its own words only the exception's name. NULL: it did not end itself, or
 * with status 0. */
static inline const char *own_end_sentence(const struct sb_verdict *verdict,
                                           char text[static SENTENCE_SIZE])
{
    if (verdict->word == SB_EXCEPTION && verdict->exception != NULL)
        snprintf(text, SENTENCE_SIZE, RAISED "%s", verdict->exception);
    else if (verdict->word == SB_EXIT && verdict->exit_code >= 0)
        snprintf(text, SENTENCE_SIZE, "the script ended with exit status %d", verdict->exit_code);
    else
        return NULL;
    return text;
}

/* Whether the error is what the script wrote to stderr: a traceback, the report of failed tests,
 * what sys.exit("…") says. */
static inline bool stderr_says_why(const struct sb_verdict *verdict)
{
    return (verdict->word == SB_EXCEPTION || verdict->word == SB_EXIT) &&
           verdict->text_size[SB_STDERR] > 0;
}

/* The size of the error, which may hold NUL characters when it is the script's. */
static inline size_t error_size(const struct sb_verdict *verdict)
{
    if (verdict->error == NULL)
        return 0;
    return verdict->error == verdict->text[SB_STDERR] ? verdict->text_size[SB_STDERR]
                                                      : strlen(verdict->error);
}

#endif
