/* Accepts connections, up to a limit for all and one for each subscriber. When there is no room,
 * the subscriber with the most connections loses one; new connections wait in the kernel meanwhile.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/error.h"
#include "common/util.h"
#include "serve/http/accept.h"
#include "serve/http/connection.h"
#include "serve/http/http_state.h"
#include "serve/http/peers.h"

enum { ACCEPT_AT_ONCE = 32, RETRY_MS = 100, YIELD_MS = 2 };

/* ── Making room ────────────────────────────────────────────────────────────────────────────── */

/* The connection to close: one of `only`'s or, if that is NULL, one of the subscriber with the most
 * connections. The one that has been idle longest goes first, then one whose request or answer is
 * not complete. NULL: all of them wait for jobs, or no subscriber has more than another. */
static struct connection *find_victim(struct http *http, const struct peer *only)
{
    static const struct {
        enum connection_phase phase;
        bool idle;
    } places[] = {{PHASE_IDLE, true},
                  {PHASE_CONNECTED, true},
                  {PHASE_HEADER, false},
                  {PHASE_BODY, false},
                  {PHASE_ANSWER, false}};
    struct connection *connection, *victim = NULL;
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        TAILQ_FOREACH(connection, &http->phases[places[i].phase], link)
        {
            int64_t count = connection->peer->connections;
            if ((only == NULL || connection->peer == only) && (places[i].idle || count > 1) &&
                (victim == NULL || count > victim->peer->connections))
                victim = connection;
        }
    return victim;
}

static bool evict(struct http *http, const struct peer *only)
{
    struct connection *victim = find_victim(http, only);
    if (victim != NULL)
        connection_shut(victim);
    return victim != NULL;
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
    if (!http->doors_shut || http->draining)
        return;
    http->doors_shut = false;
    /* Of the workers that share a socket, the kernel wakes one, not all. */
    for (size_t i = 0; i < http->doors_count; i++)
        loop_add(http->loop, &http->doors[i].watch, EPOLLIN | EPOLLEXCLUSIVE);
}

void doors_reopen(struct http *http)
{
    if (http->doors_shut && http->connections < (size_t)http->config->connections)
        doors_open(http);
}

/* A connection is closed only when a new one waits to be accepted. */
static bool has_room(struct http *http, bool somebody_waits)
{
    if (http->connections < (size_t)http->config->connections)
        return true;
    if (somebody_waits) {
        shut_doors(http);
        evict(http, NULL);
    }
    return false;
}

/* How many connections a subscriber may have. A trusted proxy has many clients, which its requests
 * tell apart. A subscriber on this host may have nearly all connections, since it may be a proxy,
 * too. */
static int64_t limit_for(const struct http *http, const struct address *address)
{
    const struct config *config = http->config;
    if (networks_hold(http->proxies, http->proxies_count, address))
        return INT64_MAX;
    if (address->family == AF_UNIX || address_is_loopback(address))
        return config->connections - config->connections / 8;
    return config->connections_per_address;
}

/* A subscriber beyond its limit loses its oldest connection if it is on this host. If it is
 * elsewhere, where one address may be a whole company, the new connection is refused. */
static bool may_stay(struct http *http, const struct address *address, const struct peer *peer)
{
    if (peer->connections <= limit_for(http, address))
        return true;
    bool here = address->family == AF_UNIX || address_is_loopback(address);
    return here && evict(http, peer);
}

static struct address address_of(const struct door *door, int fd, const struct sockaddr *from)
{
    struct address address;
    struct ucred peer;
    socklen_t size = sizeof(peer);
    address_from_socket(&address, from);
    if (door->local)
        address.uid =
            getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.uid : (uint32_t)-1;
    return address;
}

static void hand_to_daemon(struct door *door, int fd, const struct sockaddr *from, socklen_t size)
{
    struct http *http = door->http;
    struct daemon *daemon = http->tls != NULL && !door->local ? http->tls : http->plain;
    struct address address = address_of(door, fd, from);
    struct peer *peer = peer_enter(&http->peers, &address);
    if (peer == NULL || !may_stay(http, &address, peer)) {
        peer_leave(peer);
        close(fd);
        return;
    }
    /* Calls connection_notify, and closes the descriptor when it fails. */
    http->newcomer = NULL;
    if (MHD_add_connection(daemon->mhd, fd, from, size) == MHD_YES && http->newcomer != NULL) {
        http->newcomer->address = address;
        http->newcomer->peer = peer;
    } else {
        peer_leave(peer);
    }
}

/* Of workers that wait for one socket, the kernel wakes the one that has been in its queue longest.
 * So a worker that has accepted a connection goes to the end of that queue. */
static void queue_again(struct door *door)
{
    struct http *http = door->http;
    if (!door->shared || http->doors_shut)
        return;
    loop_remove(http->loop, &door->watch);
    loop_add(http->loop, &door->watch, EPOLLIN | EPOLLEXCLUSIVE);
}

/* Whether another worker has clearly fewer connections. */
static bool is_ahead(const struct http *http)
{
    int64_t own = (int64_t)http->connections, least = own;
    for (int64_t i = 0; i < http->config->workers; i++) {
        int64_t other = metrics_get(&http->all_metrics[i].connections);
        least = other < least ? other : least;
    }
    return own > least + least / 8 + 2;
}

/* When many connections come at once, the kernel has woken the other workers, too, but they may
 * not have got a CPU yet. A worker that is ahead of them lets them accept first, for a moment. */
static bool yields(struct door *door)
{
    struct http *http = door->http;
    http->yielding = door->shared && !http->yielding && is_ahead(http);
    if (!http->yielding)
        return false;
    shut_doors(http);
    timer_set(&http->door_timer, YIELD_MS);
    return true;
}

static void door_ready(void *user, uint32_t events)
{
    (void)events;
    struct door *door = user;
    struct http *http = door->http;
    int at_once = door->shared ? 1 : ACCEPT_AT_ONCE; /* the others take theirs */
    if (yields(door))
        return;
    for (int i = 0; i < at_once && has_room(http, i == 0); i++) {
        struct sockaddr_storage from = {.ss_family = AF_UNIX};
        socklen_t size = sizeof(from);
        int fd =
            accept4(door->watch.fd, (struct sockaddr *)&from, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            /* An unnamed UNIX peer has an address of two bytes. */
            hand_to_daemon(door, fd, (struct sockaddr *)&from,
                           size < sizeof(sa_family_t) ? (socklen_t)sizeof(sa_family_t) : size);
            queue_again(door);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            log_say(http->log, LOG_WARNING,
                    "can't accept connections: %s; raise the limit on open files, or lower "
                    "--connections",
                    strerror(errno));
            shut_doors(http);
            evict(http, NULL);
            timer_set(&http->door_timer, RETRY_MS);
        }
        if (errno != ECONNABORTED && errno != EINTR)
            return;
    }
}

int http_listen(struct http *http, const struct listeners *listeners, struct sb_error *err)
{
    http->doors = calloc(listeners->count, sizeof(*http->doors));
    if (http->doors == NULL)
        return sb_fail(err, "listen", 0, "out of memory (sockets)");
    http->doors_count = listeners->count;
    for (size_t i = 0; i < listeners->count; i++) {
        const struct listener *listener = &listeners->list[i];
        http->doors[i] = (struct door){http,
                                       {listener->fd, door_ready, &http->doors[i]},
                                       listener->local,
                                       http->config->workers > 1};
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
