/* One callback on its way to one host: the request that is sent, and its tries. */
#ifndef SERVE_CALLBACK_DELIVERY_H
#define SERVE_CALLBACK_DELIVERY_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "serve/jobs/callback_url.h"

struct delivery {
    TAILQ_ENTRY(delivery) next; /* in its host's queue, or in callbacks->sending */
    size_t place;               /* in callbacks->waiting */
    const struct callback_hosts *allowed;
    int64_t time_limit_ms;
    const char *ca_file; /* NULL: the system's */
    size_t host;         /* of `allowed` */
    CURLU *url;
    char *id, *secret, *body;
    size_t size;
    int tries;
    int64_t due_us; /* of the next one */
    /* while it is being sent */
    CURL *easy;
    struct curl_slist *headers;
    size_t received;
    const char *refused; /* why its address may not be sent to; NULL: it may */
    char error[CURL_ERROR_SIZE];
};

/* Begins a try: hands a request to curl. −1: out of memory. */
int delivery_begin(struct delivery *delivery, CURLM *multi);
/* Its try is over, or is given up. */
void delivery_end(struct delivery *delivery, CURLM *multi);

void delivery_free(struct delivery *delivery);

#endif
