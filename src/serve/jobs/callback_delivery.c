/* See callback_delivery.h. What curl may do is decided here, in one place. */
#include "serve/jobs/callback_delivery.h"

#include <inttypes.h>
#include <nettle/base16.h>
#include <nettle/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* Bytes read of an answer, which are thrown away; its header, too. */
enum { ANSWER_MAX = 64 * 1024 };

/* Every address comes by here, just before it is connected to. */
static curl_socket_t open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct delivery *delivery = user;
    (void)purpose;
    delivery->refused =
        callback_address_refused(&delivery->allowed->host[delivery->host], &address->addr);
    if (delivery->refused != NULL)
        return CURL_SOCKET_BAD;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Nothing of an answer is kept but its status; a long one is cut off. */
static size_t drop_answer(char *data, size_t size, size_t count, void *user)
{
    struct delivery *delivery = user;
    (void)data;
    delivery->received += size * count;
    return delivery->received <= ANSWER_MAX ? size * count : 0;
}

/* "t=TIME,v1=HMAC", with HMAC-SHA256 of "TIME.ID.BODY". */
static void sign(const struct delivery *delivery, int64_t now, char *text, size_t size)
{
    struct hmac_sha256_ctx hmac;
    uint8_t digest[SHA256_DIGEST_SIZE];
    char head[64], hex[BASE16_ENCODE_LENGTH(SHA256_DIGEST_SIZE) + 1];
    int length = snprintf(head, sizeof(head), "%" PRId64 ".", now);
    hmac_sha256_set_key(&hmac, strlen(delivery->secret), (const uint8_t *)delivery->secret);
    hmac_sha256_update(&hmac, (size_t)length, (const uint8_t *)head);
    hmac_sha256_update(&hmac, strlen(delivery->id), (const uint8_t *)delivery->id);
    hmac_sha256_update(&hmac, 1, (const uint8_t *)".");
    hmac_sha256_update(&hmac, delivery->size, (const uint8_t *)delivery->body);
    hmac_sha256_digest(&hmac, sizeof(digest), digest);
    base16_encode_update(hex, sizeof(digest), digest);
    hex[sizeof(hex) - 1] = '\0';
    snprintf(text, size, "X-Sandbox-Signature: t=%" PRId64 ",v1=%s", now, hex);
}

static bool add_header(struct delivery *delivery, const char *text)
{
    struct curl_slist *longer = curl_slist_append(delivery->headers, text);
    if (longer != NULL)
        delivery->headers = longer;
    return longer != NULL;
}

static bool make_headers(struct delivery *delivery)
{
    char signature[160], job[96];
    curl_slist_free_all(delivery->headers);
    delivery->headers = NULL;
    sign(delivery, (int64_t)time(NULL), signature, sizeof(signature));
    snprintf(job, sizeof(job), "X-Sandbox-Job: %s", delivery->id);
    return add_header(delivery, "Content-Type: application/json") && add_header(delivery, job) &&
           add_header(delivery, signature) &&
           add_header(delivery, "Expect:"); /* else a server that does not know it costs a second */
}

static bool set_what(const struct delivery *delivery)
{
    CURL *easy = delivery->easy;
    return curl_easy_setopt(easy, CURLOPT_CURLU, delivery->url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)delivery->size) ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POSTFIELDS, delivery->body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTPHEADER, delivery->headers) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_USERAGENT, "sandbox-serve") == CURLE_OK;
}

/* What curl may not do. Its other powers, as cookies, netrc, redirects and compression, are off
 * unless they are asked for; those here are on, or should be seen to be off. */
static bool set_bounds(const struct delivery *delivery)
{
    CURL *easy = delivery->easy;
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK && /* none of the environment */
           curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)delivery->time_limit_ms) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           /* When the time is up while a name is looked up, curl would wait for its thread. */
           curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK;
}

static bool set_handlers(struct delivery *delivery)
{
    CURL *easy = delivery->easy;
    return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, delivery) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop_answer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, delivery) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, drop_answer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERDATA, delivery) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, delivery->error) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PRIVATE, delivery) == CURLE_OK &&
           (delivery->ca_file == NULL ||
            curl_easy_setopt(easy, CURLOPT_CAINFO, delivery->ca_file) == CURLE_OK);
}

int delivery_begin(struct delivery *delivery, CURLM *multi)
{
    if (!make_headers(delivery))
        return -1;
    delivery->easy = curl_easy_init();
    if (delivery->easy == NULL)
        return -1;
    if (set_what(delivery) && set_bounds(delivery) && set_handlers(delivery) &&
        curl_multi_add_handle(multi, delivery->easy) == CURLM_OK)
        return 0;
    curl_easy_cleanup(delivery->easy);
    delivery->easy = NULL;
    return -1;
}

void delivery_end(struct delivery *delivery, CURLM *multi)
{
    curl_multi_remove_handle(multi, delivery->easy);
    curl_easy_cleanup(delivery->easy);
    delivery->easy = NULL;
}

void delivery_free(struct delivery *delivery)
{
    curl_slist_free_all(delivery->headers);
    curl_url_cleanup(delivery->url);
    free(delivery->id);
    free(delivery->secret);
    free(delivery->body);
    free(delivery);
}
