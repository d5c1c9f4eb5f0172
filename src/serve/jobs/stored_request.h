/* Requests and answers as a store keeps them: their bytes, and before them what is needed to read
 * those again. */
#ifndef SERVE_STORED_REQUEST_H
#define SERVE_STORED_REQUEST_H

#include "serve/contracts/request.h"
#include "serve/http/exchange.h"

struct stored_request {
    char address[128];                      /* of the client, for the log */
    char boundary[MULTIPART_BOUNDARY_SIZE]; /* of a form; "": the body is JSON */
    char *body;                             /* from malloc */
    size_t size;
};

/* An exchange's request. The caller frees the result. NULL: out of memory. */
void *stored_request_write(const struct exchange *exchange, size_t *size);

/* Reads it; the caller frees request->body. −1: it is damaged, or there is no memory: *err says so.
 * What is in a store is input: whoever can write to it can run jobs. */
int stored_request_read(struct stored_request *request, const void *data, size_t size,
                        struct sb_error *err);

/* An answer: JSON; whether its stdout and stderr are in base64. */
char *stored_answer_write(const char *json, bool base64, size_t *size);
/* Its JSON, within `data`, which ends with a NUL; NULL: it is damaged. */
const char *stored_answer_read(const char *data, size_t size, bool *base64);

#endif
