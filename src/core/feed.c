/* Relaying stdin. See feed.h. */
#include "core/feed.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "common/util.h"

#define CHUNK (64 * 1024)

/* Makes a descriptor of our own for a source: the same source may feed several jobs, and epoll
 * takes each number once. A pipe or terminal is opened again, so that we can read without blocking
 * and leave the caller's flags alone; anything else is duplicated. */
static int open_again(int source)
{
    struct stat info;
    char path[32];
    if (fstat(source, &info) < 0)
        return -1;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", source);
    int fd = -1;
    if (S_ISFIFO(info.st_mode) || S_ISCHR(info.st_mode))
        fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    return fd >= 0 ? fd : fcntl(source, F_DUPFD_CLOEXEC, 0);
}

/* Reads without blocking, also where another reader takes the data that poll has announced. */
static ssize_t read_ready(int fd, void *data, size_t size)
{
    ssize_t n = recv(fd, data, size, MSG_DONTWAIT);
    if (n >= 0 || errno != ENOTSOCK)
        return n;
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    if (poll(&ready, 1, 0) == 0) {
        errno = EAGAIN;
        return -1;
    }
    return read(fd, data, size);
}

int feed_init(struct feed *feed, const void *data, size_t size, int source)
{
    *feed = (struct feed){.source = -1};
    if (source >= 0) {
        feed->source = open_again(source);
        return feed->source < 0 ? -1 : 0;
    }
    if (size == 0)
        return 0;
    feed->data = malloc(size);
    if (feed->data == NULL)
        return -1;
    memcpy(feed->data, data, size);
    feed->size = size;
    return 0;
}

void feed_free(struct feed *feed)
{
    close_fd(&feed->source);
    free(feed->data);
    feed->data = NULL;
    feed->size = feed->done = 0;
}

bool feed_hungry(const struct feed *feed)
{
    return feed->done == feed->size && feed->source >= 0;
}

bool feed_done(const struct feed *feed)
{
    return feed->done == feed->size && feed->source < 0;
}

void feed_read(struct feed *feed)
{
    if (feed->data == NULL && (feed->data = malloc(CHUNK)) == NULL) {
        close_fd(&feed->source);
        return;
    }
    ssize_t n = read_ready(feed->source, feed->data, CHUNK);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    feed->done = 0;
    feed->size = n > 0 ? (size_t)n : 0;
    if (n <= 0)
        close_fd(&feed->source);
}

/* write(2) that fails with EPIPE and raises no SIGPIPE, however the caller of the library handles
 * that signal. */
static ssize_t write_quietly(int fd, const void *data, size_t size)
{
    sigset_t pipe_signal, before, pending;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    ssize_t n = write(fd, data, size);
    int failed = errno;
    if (n < 0 && failed == EPIPE && !sigismember(&pending, SIGPIPE))
        sigtimedwait(&pipe_signal, NULL, &(struct timespec){0});
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = failed;
    return n;
}

int feed_write(struct feed *feed, int pipe)
{
    while (feed->done < feed->size) {
        ssize_t n = write_quietly(pipe, feed->data + feed->done, feed->size - feed->done);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR ? 0 : -1;
        feed->done += (size_t)n;
    }
    return 0;
}
