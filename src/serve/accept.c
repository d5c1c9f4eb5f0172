/* Accepting connections, and how many: in all, and from one subscriber. When there is no room the
 * connection that has been idle longest goes, and new ones wait in the kernel meanwhile. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "error.h"
#include "http_parts.h"
#include "util.h"

enum { ACCEPT_AT_ONCE = 32, RETRY_MS = 100 };

/* ── Subscribers ────────────────────────────────────────────────────────────────────────────── */

struct peer {
    struct address address;
    int64_t connections;
    LIST_ENTRY(peer) link;
};

static struct peer_list *bucket_of(struct http *http, const struct address *address)
{
    /* FNV-1a. Who chooses addresses that meet in a bucket makes it as long as their own
     * connections' number, which is bounded. */
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < sizeof(address->bytes); i++)
        hash = (hash ^ address->bytes[i]) * 16777619u;
    return &http->peers.buckets[hash % ARRAY_LEN(http->peers.buckets)];
}

struct peer *peer_enter(struct http *http, const struct address *address, int64_t limit)
{
    struct address subscriber = address_subscriber(address);
    struct peer_list *bucket = bucket_of(http, &subscriber);
    struct peer *peer;
    LIST_FOREACH(peer, bucket, link)
    {
        if (peer->address.family != subscriber.family ||
            memcmp(peer->address.bytes, subscriber.bytes, sizeof(subscriber.bytes)) != 0)
            continue;
        if (peer->connections >= limit)
            return NULL;
        peer->connections++;
        return peer;
    }
    peer = calloc(1, sizeof(*peer));
    if (peer == NULL)
        return NULL;
    peer->address = subscriber;
    peer->connections = 1;
    LIST_INSERT_HEAD(bucket, peer, link);
    return peer;
}

void peer_leave(struct peer *peer)
{
    if (peer == NULL || --peer->connections > 0)
        return;
    LIST_REMOVE(peer, link);
    free(peer);
}

/* ── Doors ──────────────────────────────────────────────────────────────────────────────────── */

static void shut_doors(struct http *http)
{
    for (size_t i = 0; i < http->doors_count && !http->doors_shut; i++)
        loop_remove(http->loop, &http->doors[i].watch);
    http->doors_shut = true;
}

void doors_open(void *user)
{
    struct http *http = user;
    if (!http->doors_shut || http->quiet)
        return;
    http->doors_shut = false;
    /* Of several workers that share a socket one is woken, not all. */
    for (size_t i = 0; i < http->doors_count; i++)
        loop_add(http->loop, &http->doors[i].watch, EPOLLIN | EPOLLEXCLUSIVE);
}

void doors_closed_one(struct http *http)
{
    if (http->doors_shut && http->connections < (size_t)http->config->connections)
        doors_open(http);
}

/* The idle are sent away only for somebody who waits at the door. */
static bool has_room(struct http *http, bool somebody_waits)
{
    if (http->connections < (size_t)http->config->connections)
        return true;
    if (somebody_waits) {
        shut_doors(http);
        connections_evict(http);
    }
    return false;
}

/* Behind a proxy are many clients, who are told apart when they ask. */
static bool is_counted(const struct http *http, const struct address *address)
{
    return !address_is_loopback(address) &&
           !networks_hold(http->proxies, http->proxies_count, address);
}

static void adopt(struct door *door, int fd, const struct sockaddr *from, socklen_t size)
{
    struct http *http = door->http;
    struct endpoint *endpoint = http->tls != NULL && !door->local ? http->tls : http->plain;
    struct address address;
    address_from_socket(&address, from);
    struct peer *peer = NULL;
    if (!door->local && is_counted(http, &address)) {
        peer = peer_enter(http, &address, http->config->connections_per_address);
        if (peer == NULL) {
            close(fd);
            return;
        }
    }
    /* Calls connection_notify, and closes the descriptor when it fails. */
    http->newcomer = NULL;
    if (MHD_add_connection(endpoint->daemon, fd, from, size) == MHD_YES && http->newcomer != NULL)
        http->newcomer->peer = peer;
    else
        peer_leave(peer);
}

static void door_ready(void *user, uint32_t events)
{
    (void)events;
    struct door *door = user;
    struct http *http = door->http;
    for (int i = 0; i < ACCEPT_AT_ONCE && has_room(http, i == 0); i++) {
        struct sockaddr_storage from = {.ss_family = AF_UNIX};
        socklen_t size = sizeof(from);
        int fd =
            accept4(door->watch.fd, (struct sockaddr *)&from, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            /* An unnamed UNIX peer has an address of two bytes. */
            adopt(door, fd, (struct sockaddr *)&from,
                  size < sizeof(sa_family_t) ? (socklen_t)sizeof(sa_family_t) : size);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            log_say(http->log, LOG_WARNING,
                    "can't accept connections: %s; raise the limit on open files, or lower "
                    "--connections",
                    strerror(errno));
            shut_doors(http);
            connections_evict(http);
            timer_set(&http->door_timer, RETRY_MS);
        }
        if (errno != ECONNABORTED && errno != EINTR)
            return;
    }
}

int http_listen(struct http *http, const struct listeners *listeners, size_t worker,
                struct sb_error *err)
{
    http->doors = calloc(listeners->count, sizeof(*http->doors));
    if (http->doors == NULL)
        return sb_fail(err, "listen", 0, "no memory for sockets: free some");
    http->doors_count = listeners->count;
    for (size_t i = 0; i < listeners->count; i++) {
        const struct listener *listener = &listeners->list[i];
        int fd = listener->fds[listener->fds_count > 1 ? worker : 0];
        http->doors[i] = (struct door){http, {fd, door_ready, &http->doors[i]}, listener->local};
        if (loop_add(http->loop, &http->doors[i].watch, EPOLLIN | EPOLLEXCLUSIVE) < 0)
            return sb_fail(err, "listen", errno, "can't wait for connections");
    }
    return 0;
}

void doors_close(struct http *http)
{
    shut_doors(http);
    free(http->doors);
    http->doors = NULL;
    http->doors_count = 0;
}
