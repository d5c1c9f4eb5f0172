/* See presence.h. */
#include "serve/http/presence.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/util.h"
#include "serve/config/address.h"

/* As in inet_diag, with IPv4-mapped IPv6 addresses as IPv4. */
struct end {
    struct address address;
    in_port_t port;
};

struct pair {
    struct end own, peer;
};

/* The state of a socket, as the kernel reports it. */
struct socket_state {
    bool found;
    uint32_t inode;
    bool shut; /* both halves are */
};

static void read_end(struct end *end, const struct sockaddr_storage *socket)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    memcpy(&v4, socket, sizeof(v4));
    memcpy(&v6, socket, sizeof(v6));
    address_from_socket(&end->address, (const struct sockaddr *)socket);
    end->port = socket->ss_family == AF_INET6 ? v6.sin6_port : v4.sin_port;
}

static bool read_pair(struct pair *pair, int fd)
{
    struct sockaddr_storage own = {0}, peer = {0};
    socklen_t own_size = sizeof(own), peer_size = sizeof(peer);
    if (getsockname(fd, (struct sockaddr *)&own, &own_size) < 0 ||
        getpeername(fd, (struct sockaddr *)&peer, &peer_size) < 0)
        return false;
    read_end(&pair->own, &own);
    read_end(&pair->peer, &peer);
    return pair->own.address.family == pair->peer.address.family;
}

static bool is_local(const struct pair *pair)
{
    const struct address *own = &pair->own.address, *peer = &pair->peer.address;
    return address_is_loopback(peer) || memcmp(own->bytes, peer->bytes, sizeof(own->bytes)) == 0;
}

static int ask(int netlink, const struct end *from, const struct end *to)
{
    struct {
        struct nlmsghdr head;
        struct inet_diag_req_v2 body;
    } request = {
        .head = {.nlmsg_len = sizeof(request),
                 .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                 .nlmsg_flags = NLM_F_REQUEST},
        .body = {.sdiag_family = (uint8_t)from->address.family,
                 .sdiag_protocol = IPPROTO_TCP,
                 .idiag_states = UINT32_MAX,
                 .id = {.idiag_sport = from->port,
                        .idiag_dport = to->port,
                        .idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}}},
    };
    memcpy(request.body.id.idiag_src, from->address.bytes, sizeof(from->address.bytes));
    memcpy(request.body.id.idiag_dst, to->address.bytes, sizeof(to->address.bytes));
    return send(netlink, &request, sizeof(request), 0) < 0 ? -1 : 0;
}

/* After shutdown(2) with SHUT_RDWR the socket keeps its inode: only this attribute shows it. */
static bool is_shut(const struct inet_diag_msg *message, size_t size)
{
    enum { BOTH = 3 }; /* RCV_SHUTDOWN and SEND_SHUTDOWN, net/sock.h */
    const struct rtattr *attribute = (const struct rtattr *)(const void *)(message + 1);
    for (; RTA_OK(attribute, size); attribute = RTA_NEXT(attribute, size))
        if (attribute->rta_type == INET_DIAG_SHUTDOWN && RTA_PAYLOAD(attribute) >= 1)
            return (*(const unsigned char *)RTA_DATA(attribute) & BOTH) == BOTH;
    return false;
}

/* False: the answer is not understood. */
static bool listen_to(int netlink, struct socket_state *state)
{
    _Alignas(struct nlmsghdr) char buffer[4096];
    /* The answer is there when send returns. */
    ssize_t size = recv(netlink, buffer, sizeof(buffer), 0);
    const struct nlmsghdr *head = (const struct nlmsghdr *)(const void *)buffer;
    *state = (struct socket_state){0};
    if (size < 0 || !NLMSG_OK(head, (size_t)size))
        return false;
    if (head->nlmsg_type == NLMSG_ERROR) {
        const struct nlmsgerr *error = NLMSG_DATA(head);
        return head->nlmsg_len >= NLMSG_LENGTH(sizeof(*error)) && error->error == -ENOENT;
    }
    const struct inet_diag_msg *message = NLMSG_DATA(head);
    if (head->nlmsg_type != SOCK_DIAG_BY_FAMILY || head->nlmsg_len < NLMSG_LENGTH(sizeof(*message)))
        return false;
    state->found = message->idiag_state != TCP_LISTEN; /* not one that has taken the port since */
    state->inode = message->idiag_inode;
    state->shut = is_shut(message, head->nlmsg_len - NLMSG_LENGTH(sizeof(*message)));
    return true;
}

enum presence presence_of_peer(int fd)
{
    struct pair pair;
    struct socket_state own, peer;
    struct stat status;
    if (!read_pair(&pair, fd) || !is_local(&pair) || fstat(fd, &status) < 0)
        return PRESENCE_UNKNOWN;
    _cleanup_close_ int netlink =
        socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
    /* Finding our own end shows that the kernel looks in the right network namespace. */
    if (netlink < 0 || ask(netlink, &pair.own, &pair.peer) < 0 || !listen_to(netlink, &own) ||
        !own.found || own.inode != (uint32_t)status.st_ino ||
        ask(netlink, &pair.peer, &pair.own) < 0 || !listen_to(netlink, &peer))
        return PRESENCE_UNKNOWN;
    return peer.found && peer.inode != 0 && !peer.shut ? PRESENCE_HERE : PRESENCE_GONE;
}
