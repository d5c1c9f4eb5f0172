/* A client of the service: one kept-alive connection, one request at a time, or many of them side
 * by side. It checks what each answer says. */
#ifndef BENCH_HTTP_CLIENT_H
#define BENCH_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ANSWER_MAX = 65536 };

struct http_client {
    int fd;
    char *request; /* the whole of it, header and body */
    size_t request_size;
    char *answer; /* header and body, ended by NUL */
    size_t answer_size;
    const char *body; /* in the answer, once it is whole */
};

int64_t now_ns(void);
/* Connects to 127.0.0.1:PORT; the request is POST /run with this JSON. Ends the program when it
 * can't. */
void http_open(struct http_client *client, const char *port, const char *json);
void http_close(struct http_client *client);
void http_send(struct http_client *client);
/* Reads what there is: true once the answer is whole. */
bool http_receive(struct http_client *client);
int http_status(const struct http_client *client);
/* Sends and receives. Returns nanoseconds from before the first byte to after the last. */
int64_t http_exchange(struct http_client *client);
/* What is wrong with an answer to print(1) by a job that started so ("warm", "cold"; NULL: either)
 * and had every layer: NULL, or a sentence. */
const char *http_wrong(const struct http_client *client, const char *start);

#endif
