/* Connections that were answered before the whole request had arrived. If such a connection were
 * closed at once, the kernel would answer further data with a reset, and the client might never see
 * the answer (RFC 9112, 9.6). So the data is read and thrown away, for a moment and up to some
 * size. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/http/http_state.h"
#include "serve/http/linger.h"

enum { LINGER_MS = 2000, LINGERERS = 64, CHUNK = 64 * 1024, READS_AT_ONCE = 16 };
#define LINGER_BYTES (INT64_C(64) * 1024 * 1024)

struct lingerer {
    struct http *http;
    struct watch watch;
    struct timer timer;
    int64_t bytes;
    LIST_ENTRY(lingerer) link;
};

static void free_lingerer(void *user)
{
    struct lingerer *lingerer = user;
    struct http *http = lingerer->http;
    timer_close(&lingerer->timer, http->loop);
    loop_remove(http->loop, &lingerer->watch);
    close(lingerer->watch.fd);
    LIST_REMOVE(lingerer, link);
    http->lingerers_count--;
    free(lingerer);
}

static void drain(void *user, uint32_t events)
{
    (void)events;
    struct lingerer *lingerer = user;
    char waste[CHUNK];
    for (int i = 0; i < READS_AT_ONCE; i++) {
        ssize_t got = recv(lingerer->watch.fd, waste, sizeof(waste), MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        lingerer->bytes += got;
        if (got <= 0 || lingerer->bytes > LINGER_BYTES) {
            free_lingerer(lingerer);
            return;
        }
    }
}

void linger(struct http *http, int fd)
{
    if (http->lingerers_count == LINGERERS)
        return;
    struct lingerer *lingerer = calloc(1, sizeof(*lingerer));
    if (lingerer == NULL)
        return;
    *lingerer =
        (struct lingerer){.http = http, .watch = {fcntl(fd, F_DUPFD_CLOEXEC, 3), drain, lingerer}};
    if (lingerer->watch.fd < 0 ||
        timer_open(&lingerer->timer, http->loop, free_lingerer, lingerer) < 0 ||
        loop_add(http->loop, &lingerer->watch, EPOLLIN) < 0) {
        timer_close(&lingerer->timer, http->loop);
        if (lingerer->watch.fd >= 0)
            close(lingerer->watch.fd);
        free(lingerer);
        return;
    }
    shutdown(fd, SHUT_WR);
    timer_set(&lingerer->timer, LINGER_MS);
    LIST_INSERT_HEAD(&http->lingerers, lingerer, link);
    http->lingerers_count++;
}

void linger_close_all(struct http *http)
{
    while (!LIST_EMPTY(&http->lingerers))
        free_lingerer(LIST_FIRST(&http->lingerers));
}
