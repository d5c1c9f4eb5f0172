/* The parts of a form, multipart/form-data (RFC 7578), as curl -F and browsers send it. Knows
 * nothing of requests. The body is hostile: whatever two readers might understand differently is an
 * error, and the time is proportional to the size. */
#ifndef SERVE_MULTIPART_H
#define SERVE_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>

#include "sandbox.h"

#define MULTIPART_BOUNDARY_SIZE 71 /* RFC 2046, 5.1.1: up to 70 characters, and a NUL */
#define MULTIPART_PARTS_MAX 1000
#define MULTIPART_HEAD_MAX 8192 /* bytes of one part's header */

struct multipart {
    char *at, *end;                              /* what has not been read yet */
    char delimiter[MULTIPART_BOUNDARY_SIZE + 4]; /* CRLF, "--" and the boundary */
    size_t delimiter_size;
    size_t parts; /* read so far */
    bool over;    /* the last boundary has been read */
};

/* One part. All of it lies in the body. */
struct multipart_part {
    const char *name;     /* without NUL; may be any other bytes, and so may the file's name */
    const char *filename; /* NULL: none */
    const char *data;
    size_t size;
};

/* Whether a Content-Type (NULL: none) is that of a form. Its boundary may be missing. */
bool multipart_is_form(const char *content_type);

/* The boundary that the Content-Type of a form names. −1, with err->field "Content-Type": none, or
 * none that RFC 2046 allows. */
int multipart_boundary(char boundary[static MULTIPART_BOUNDARY_SIZE], const char *content_type,
                       struct sb_error *err);

/* Begins to read a body, which must outlive the parts, and is changed where headers stand. */
int multipart_begin(struct multipart *form, const char *boundary, char *body, size_t size,
                    struct sb_error *err);

/* Reads the next part. 1: *part is one; 0: there are no more; −1: the form is malformed, or has
 * more parts or longer headers than allowed, nested forms, or an encoding. */
int multipart_next(struct multipart *form, struct multipart_part *part, struct sb_error *err);

#endif
