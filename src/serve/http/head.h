/* Whether every reader understands the head of a request in the same way. libmicrohttpd accepts
 * more than RFC 9112 allows: several spaces, NULs, lines that end with LF alone or continue on the
 * next line. A proxy in front may read such a head differently, and see another request (request
 * smuggling, RFC 9112, 11.2).
 *
 * So its parts are checked against the only valid form, METHOD SP TARGET SP VERSION CRLF, then
 * NAME ":" VALUE CRLF for each field, then CRLF: each must begin where the one before it ends. They
 * still lie where they arrived, with NULs in place of what was between them. */
#ifndef SERVE_HEAD_H
#define SERVE_HEAD_H

#include <stdbool.h>
#include <stddef.h>

struct head {
    const char *at;  /* where the next part must begin */
    const char *end; /* of the whole head */
    bool malformed;
};

/* Checks a request target as it was sent. Returns NULL, or a sentence that says what is wrong. */
const char *head_target_wrong(const char *target);

/* `target_size`: as it was sent, since libmicrohttpd has cut off the query. `size`: of the whole
 * head. */
struct head head_begin(const char *method, const char *target, size_t target_size,
                       const char *version, size_t size);
void head_field(struct head *head, const char *name, size_t name_size, const char *value,
                size_t value_size);
/* Returns whether the head is malformed. */
bool head_end(struct head *head);

#endif
