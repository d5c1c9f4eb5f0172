/* Whether the head of a request is what any other reader would take it for. libmicrohttpd takes
 * more than RFC 9112 allows: several spaces, NULs, lines that end with LF alone or go on in the
 * next. A proxy in front may read such a head in another way, and see another request (request
 * smuggling, RFC 9112, 11.2).
 *
 * So its parts are held against the one form that there is, METHOD SP TARGET SP VERSION CRLF, then
 * NAME ":" VALUE CRLF for each field, then CRLF: each must begin where the one before it ends. They
 * still lie where they came in, with NULs in place of what was between them. */
#ifndef SERVE_HEAD_H
#define SERVE_HEAD_H

#include <stdbool.h>
#include <stddef.h>

struct head {
    const char *at;  /* where the next part must begin */
    const char *end; /* of the whole head */
    bool malformed;
};

/* NULL, or the sentence that says what is wrong with a target, as it came in. */
const char *head_target_wrong(const char *target);

/* `target_size` as it came in: the query has been cut off since. `size` of the whole head. */
struct head head_begin(const char *method, const char *target, size_t target_size,
                       const char *version, size_t size);
void head_field(struct head *head, const char *name, size_t name_size, const char *value,
                size_t value_size);
/* Returns whether the head is malformed. */
bool head_end(struct head *head);

#endif
