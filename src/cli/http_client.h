/* One HTTP/1.1 request to a service on this host, and its answer. The client is our own: a library
 * for it can't be linked statically, and sandbox-run is one file that starts in half a millisecond.
 * It looks up no names and has no TLS: nothing leaves the host. */
#ifndef CLI_HTTP_CLIENT_H
#define CLI_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "sandbox.h"

struct http_address {
    struct sockaddr_storage socket;
    socklen_t size;
    const char *shown; /* as it was given */
    char host[64];     /* for the Host header */
};

/* "unix:/PATH" or "http://ADDRESS[:PORT]", of loopback. `text` must outlive the address. */
int http_address_parse(struct http_address *address, const char *text, struct sb_error *err);

struct http_client {
    int fd;
    const char *shown; /* the address, for messages */
    char *request;
    size_t request_size, sent;
    char *answer;
    size_t answer_size, allocated;
    size_t head_size; /* 0 until the header is there */
    size_t body_size; /* SIZE_MAX: up to the end of the connection */
    size_t searched;  /* of the body: there is no newline in the first so many bytes */
    int status;
};

/* Connects, which may wait while the service is busy. */
int http_connect(struct http_client *client, const struct http_address *address,
                 struct sb_error *err);

/* Makes the request, ready to be sent: POST of JSON. `token` may be NULL. With `lines` the answer
 * may come in lines. */
int http_post(struct http_client *client, const struct http_address *address, const char *path,
              const char *token, const char *body, size_t size, bool lines, struct sb_error *err);

/* For poll. */
short http_events(const struct http_client *client);

/* Sends and reads what can be without waiting. 1: the answer is there; 0: not yet. */
int http_turn(struct http_client *client, struct sb_error *err);

/* The answer's body, NUL-terminated. */
const char *http_body(const struct http_client *client, size_t *size);

/* The next whole line of an answer that comes in lines, without its newline; NULL: there is none
 * yet, or the answer is another. It is valid until http_drop_line, which goes on to the next. */
const char *http_line(struct http_client *client, size_t *size);
void http_drop_line(struct http_client *client);

/* May be called before the answer has come: the service then sees that its client has left. */
void http_close(struct http_client *client);

#endif
