/* Requests to the service over kept-alive connections, each answer checked, for tests/bench/bench.
 *
 *     http_load series PORT COUNT START JSON             one after the other: a line of nanoseconds
 * for each http_load rate PORT CLIENTS SECONDS START JSON     by clients that each ask again at
 * once: the rate, and the median and the 99th percentile in nanoseconds
 *
 * START is how each job must have been started: warm or cold. A wrong answer ends the program with
 * status 1. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "http_client.h"

enum { CLIENTS_MAX = 1024, SAMPLES_MAX = 1 << 22 };

static void fail(const char *what)
{
    fprintf(stderr, "http_load: %s\n", what);
    exit(1);
}

static void check(const struct http_client *client, const char *start)
{
    const char *wrong = http_wrong(client, start);
    if (wrong == NULL)
        return;
    fprintf(stderr, "%s: %s\n", wrong, client->answer);
    exit(1);
}

static int series(char **argv)
{
    struct http_client client;
    long count = atol(argv[3]);
    int64_t *took = calloc((size_t)count, sizeof(*took));
    if (took == NULL)
        fail("no memory");
    http_open(&client, argv[2], argv[5]);
    for (long i = 0; i < count; i++) {
        took[i] = http_exchange(&client);
        check(&client, argv[4]);
    }
    for (long i = 0; i < count; i++)
        printf("%lld\n", (long long)took[i]);
    free(took);
    http_close(&client);
    return 0;
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static int rate(char **argv)
{
    static struct http_client clients[CLIENTS_MAX];
    static int64_t sent[CLIENTS_MAX], took[SAMPLES_MAX];
    int count = atoi(argv[3]), epoll = epoll_create1(EPOLL_CLOEXEC);
    size_t ended = 0;
    if (count < 1 || count > CLIENTS_MAX || epoll < 0)
        fail("too many clients");
    for (int i = 0; i < count; i++) {
        http_open(&clients[i], argv[2], argv[6]);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, clients[i].fd, &event) < 0)
            fail("epoll");
    }
    int64_t began = now_ns(), end = began + (int64_t)(atof(argv[4]) * 1e9), now = began;
    for (int i = 0; i < count; i++) {
        sent[i] = now_ns();
        http_send(&clients[i]);
    }
    while (now < end && ended < SAMPLES_MAX) {
        struct epoll_event event;
        if (epoll_wait(epoll, &event, 1, 60000) != 1)
            fail("the service does not answer");
        uint32_t i = event.data.u32;
        if (!http_receive(&clients[i]))
            continue;
        now = now_ns();
        took[ended++] = now - sent[i];
        check(&clients[i], argv[5]);
        sent[i] = now;
        http_send(&clients[i]);
    }
    qsort(took, ended, sizeof(*took), by_size);
    printf("%.2f %lld %lld\n", (double)ended * 1e9 / (double)(now - began),
           (long long)took[ended / 2], (long long)took[ended * 99 / 100]);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 6 && strcmp(argv[1], "series") == 0)
        return series(argv);
    if (argc == 7 && strcmp(argv[1], "rate") == 0)
        return rate(argv);
    fail("usage: http_load series|rate PORT …");
}
