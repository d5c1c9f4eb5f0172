#include "cli/relay.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/util.h"

/* O_NONBLOCK belongs to the open file, which other programs share: set on an inherited descriptor
 * it makes their reads and writes fail. Pipes and terminals can be opened a second time through
 * /proc, which gives an open file of our own. If it is refused, see write_some. */
static int open_again(int fd)
{
    struct stat st;
    if (fstat(fd, &st) < 0 || !(S_ISFIFO(st.st_mode) || isatty(fd)))
        return -1;
    char path[32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

void relay_open(struct relay *relay, int fd)
{
    *relay = (struct relay){.fd = fd, .own_fd = open_again(fd), .last = '\n'};
}

void relay_close(struct relay *relay)
{
    close_fd(&relay->own_fd);
    free_memory(&relay->kept);
}

bool relay_waits(const struct relay *relay)
{
    return relay->sent < relay->size;
}

static int writable_fd(const struct relay *relay)
{
    return relay->own_fd >= 0 ? relay->own_fd : relay->fd;
}

int relay_fd(const struct relay *relay)
{
    return relay_waits(relay) ? writable_fd(relay) : -1;
}

/* One write that does not block. A pipe that polls writable takes PIPE_BUF bytes at once; regular
 * files, which poll always as writable, take all. */
static ssize_t write_some(const struct relay *relay, const char *data, size_t size)
{
    int fd = writable_fd(relay);
    if (fd == relay->fd) {
        struct pollfd ready = {.fd = fd, .events = POLLOUT};
        if (poll(&ready, 1, 0) == 0) {
            errno = EAGAIN;
            return -1;
        }
        if (size > PIPE_BUF)
            size = PIPE_BUF;
    }
    return write(fd, data, size);
}

/* How much was written; all of it after an error, which is recorded. */
static size_t write_most(struct relay *relay, const char *data, size_t size)
{
    size_t sent = 0;
    while (sent < size && relay->error == 0) {
        ssize_t n = write_some(relay, data + sent, size - sent);
        if (n >= 0)
            sent += (size_t)n;
        else if (errno == EAGAIN)
            return sent;
        else if (errno != EINTR)
            relay->error = errno;
    }
    return size;
}

static void keep(struct relay *relay, const char *data, size_t size)
{
    size_t needed = relay->size + size;
    if (needed > relay->allocated) {
        char *larger = realloc(relay->kept, needed);
        if (larger == NULL) {
            relay->error = ENOMEM;
            return;
        }
        relay->kept = larger;
        relay->allocated = needed;
    }
    memcpy(relay->kept + relay->size, data, size);
    relay->size = needed;
}

static void remember(struct relay *relay, const char *data, size_t size)
{
    const size_t most = sizeof(relay->tail) - 1;
    size_t kept = strlen(relay->tail), fresh = size < most ? size : most;
    size_t dropped = kept + fresh > most ? kept + fresh - most : 0;
    memmove(relay->tail, relay->tail + dropped, kept - dropped);
    memcpy(relay->tail + kept - dropped, data + size - fresh, fresh);
    relay->tail[kept - dropped + fresh] = '\0';
}

void relay_put(struct relay *relay, const void *data, size_t size)
{
    if (size == 0 || relay->error != 0)
        return;
    remember(relay, data, size);
    relay->last = ((const char *)data)[size - 1];
    size_t sent = relay_waits(relay) ? 0 : write_most(relay, data, size);
    if (sent < size)
        keep(relay, (const char *)data + sent, size - sent);
}

void relay_flush(struct relay *relay)
{
    relay->sent += write_most(relay, relay->kept + relay->sent, relay->size - relay->sent);
    if (!relay_waits(relay))
        relay->sent = relay->size = 0;
}
