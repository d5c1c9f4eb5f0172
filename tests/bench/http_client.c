/* See http_client.h. It knows of HTTP/1.1 what the service speaks: answers with Content-Length. */
#include "http_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what)
{
    fprintf(stderr, "http_client: %s\n", what);
    exit(1);
}

int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void http_open(struct http_client *client, const char *port, const char *json)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)atoi(port)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    *client = (struct http_client){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (client->fd < 0 || connect(client->fd, (struct sockaddr *)&to, sizeof(to)) < 0)
        fail("can't connect to the service");
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    int size =
        asprintf(&client->request,
                 "POST /run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                 "Content-Length: %zu\r\n\r\n%s",
                 strlen(json), json);
    client->answer = malloc(ANSWER_MAX);
    if (size < 0 || client->answer == NULL)
        fail("no memory");
    client->request_size = (size_t)size;
}

void http_close(struct http_client *client)
{
    close(client->fd);
    free(client->request);
    free(client->answer);
}

void http_send(struct http_client *client)
{
    client->answer_size = 0;
    client->body = NULL;
    if (write(client->fd, client->request, client->request_size) != (ssize_t)client->request_size)
        fail("the service does not take a request");
}

bool http_receive(struct http_client *client)
{
    ssize_t more = read(client->fd, client->answer + client->answer_size,
                        ANSWER_MAX - 1 - client->answer_size);
    if (more < 0 && errno == EINTR)
        return false;
    if (more <= 0)
        fail("the service gives no answer");
    client->answer_size += (size_t)more;
    client->answer[client->answer_size] = '\0';
    const char *end = strstr(client->answer, "\r\n\r\n");
    const char *length = strcasestr(client->answer, "\r\ncontent-length:");
    if (end == NULL || length == NULL || length > end)
        return false;
    client->body = end + 4;
    size_t whole = (size_t)(client->body - client->answer) + (size_t)atol(length + 17);
    return client->answer_size >= whole;
}

int http_status(const struct http_client *client)
{
    int status = 0;
    return sscanf(client->answer, "HTTP/1.1 %d", &status) == 1 ? status : 0;
}

int64_t http_exchange(struct http_client *client)
{
    int64_t began = now_ns();
    http_send(client);
    while (!http_receive(client))
        ;
    return now_ns() - began;
}

const char *http_wrong(const struct http_client *client, const char *start)
{
    char started[32];
    snprintf(started, sizeof(started), "\"start\":\"%s\"", start != NULL ? start : "");
    if (http_status(client) != 200)
        return "its status is not 200";
    if (strstr(client->body, "\"verdict\":\"ok\"") == NULL)
        return "its verdict is not ok";
    if (strstr(client->body, "\"stdout\":\"1\\n\"") == NULL)
        return "its output is not 1";
    if (start != NULL && strstr(client->body, started) == NULL)
        return "it did not start as it should have";
    return strstr(client->body, "\"missing\":[]") == NULL ? "a layer is missing" : NULL;
}
