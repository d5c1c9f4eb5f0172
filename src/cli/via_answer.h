/* The native answer of POST /run, read back into a verdict. */
#ifndef CLI_VIA_ANSWER_H
#define CLI_VIA_ANSWER_H

#include <json-c/json.h>

#include "sandbox.h"

struct answer {
    struct json_object *fields; /* all but "result" and "display", which may be what json-c can't */
    char *result, *display;
    char *text[SB_STREAMS];
    const char **missing;
    struct sb_denied *denied;
    struct sb_collected *files;
    struct sb_left_out *left_out;
    struct sb_verdict verdict; /* points into the above */
    const char *refusal;       /* "error" of an answer that is not a verdict, or NULL */
    bool is_verdict;           /* of an event: it is the last one */
    bool is_display;           /* of an event: its line is a display, with a member "event" */
};

/* Reads the answer to a request with base64. −1: it is neither a verdict nor a refusal. The caller
 * frees the answer with answer_free, also when this fails. */
int answer_read(struct answer *answer, const char *body, size_t size);
/* Reads an event of a streamed answer, one line. Of output, verdict.text has the bytes; of the last
 * event, *answer is as answer_read gives it. Others have neither. −1: it is not an event. */
int event_read(struct answer *answer, const char *line, size_t size);
void answer_free(struct answer *answer);

#endif
