/* See place_link.h. The socket keeps the boundaries of packets, and takes a packet whole or not at
 * all. So there are no halves of messages, and many are sent by one call. */
#include "serve/jobs/place_link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/util.h"

/* Messages in one packet. */
enum { PACKET = 64 };

int place_link_pair(int ends[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends);
}

static void lose(struct place_link *link)
{
    if (link->watch.fd < 0)
        return;
    place_link_close(link);
    link->lost(link->user);
}

/* Waits until the other side takes messages again, or no longer. */
static void set_full(struct place_link *link, bool full)
{
    if (link->full == full)
        return;
    link->full = full;
    loop_remove(link->loop, &link->watch);
    if (loop_add(link->loop, &link->watch, full ? EPOLLIN | EPOLLOUT : EPOLLIN) < 0)
        link->failed = true;
}

static void hear(struct place_link *link)
{
    struct place_message messages[PACKET];
    ssize_t size = recv(link->watch.fd, messages, sizeof(messages), MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (size <= 0) {
        lose(link);
        return;
    }
    for (size_t i = 0; i < (size_t)size / sizeof(*messages); i++)
        link->heard(link->user, &messages[i]);
    link->round(link->user);
}

static void ready(void *user, uint32_t events)
{
    struct place_link *link = user;
    if (events & EPOLLOUT)
        place_link_flush(link);
    if (events & ~(uint32_t)EPOLLOUT && link->watch.fd >= 0)
        hear(link);
}

int place_link_open(struct place_link *link, struct loop *loop, int fd)
{
    link->loop = loop;
    link->watch = (struct watch){fd, ready, link};
    if (loop_add(loop, &link->watch, EPOLLIN) == 0)
        return 0;
    close_fd(&link->watch.fd);
    return -1;
}

void place_link_close(struct place_link *link)
{
    if (link->watch.fd >= 0)
        loop_remove(link->loop, &link->watch);
    place_link_forked(link);
}

void place_link_forked(struct place_link *link)
{
    close_fd(&link->watch.fd);
    free(link->out);
    link->out = NULL;
    link->sent = link->count = link->room = 0;
    link->full = link->failed = false;
}

static int make_room(struct place_link *link)
{
    if (link->sent > 0 && link->count == link->room) {
        link->count -= link->sent;
        memmove(link->out, link->out + link->sent, link->count * sizeof(*link->out));
        link->sent = 0;
    }
    if (link->count < link->room)
        return 0;
    size_t room = MAX(2 * link->room, PACKET);
    struct place_message *more = reallocarray(link->out, room, sizeof(*more));
    if (more == NULL)
        return -1;
    link->out = more;
    link->room = room;
    return 0;
}

void place_link_say(struct place_link *link, const struct place_message *message)
{
    if (link->watch.fd < 0)
        return;
    if (make_room(link) < 0)
        link->failed = true; /* the next flush gives up the link */
    else
        link->out[link->count++] = *message;
}

void place_link_flush(struct place_link *link)
{
    while (link->watch.fd >= 0 && !link->failed && link->sent < link->count) {
        size_t some = MIN(link->count - link->sent, (size_t)PACKET);
        ssize_t size = send(link->watch.fd, link->out + link->sent, some * sizeof(*link->out),
                            MSG_DONTWAIT | MSG_NOSIGNAL);
        if (size > 0) {
            link->sent += some;
        } else if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) {
            set_full(link, true);
            break;
        } else if (errno != EINTR) {
            link->failed = true;
        }
    }
    if (link->failed) {
        lose(link);
    } else if (link->sent == link->count) {
        link->sent = link->count = 0;
        if (link->watch.fd >= 0)
            set_full(link, false);
    }
}
