/* Addresses of clients: IPv4, IPv6, or the user behind a UNIX socket; and networks of them. */
#ifndef SERVE_ADDRESS_H
#define SERVE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define ADDRESS_TEXT_SIZE 64

struct address {
    int family;              /* AF_INET, AF_INET6, AF_UNIX; AF_UNSPEC: not known */
    unsigned char bytes[16]; /* 4 of them for AF_INET */
    uint32_t uid;            /* for AF_UNIX */
};

/* IPv4 in IPv6 (::ffff:1.2.3.4) becomes IPv4. */
void address_from_socket(struct address *address, const struct sockaddr *socket);

/* "1.2.3.4", "1.2.3.4:567", "::1", "[::1]", "[::1]:567". False: the text is not one of these. */
bool address_parse(struct address *address, const char *text, size_t size);

/* Returns `text`. */
const char *address_text(const struct address *address, char text[ADDRESS_TEXT_SIZE]);

/* The key of one client: its IPv4 address, or the /64 of its IPv6 address, as a subscriber has a
 * whole /64.
 */
struct address address_subscriber(const struct address *address);

bool address_is_loopback(const struct address *address);

struct network {
    struct address address;
    unsigned prefix; /* bits */
};

/* "10.0.0.0/8", "::1", "unix": every UNIX socket. False: the text is not one of these. */
bool network_parse(struct network *network, const char *text);
bool network_holds(const struct network *network, const struct address *address);
/* Whether one of them does. */
bool networks_hold(const struct network *networks, size_t count, const struct address *address);

/* The sender of a request: `peer`, or, when `peer` is a trusted proxy, the right-most address in
 * X-Forwarded-For that is not one. Addresses that a client itself wrote there stand further left
 * and are never reached. */
struct address address_forwarded(const struct address *peer, const char *forwarded,
                                 const struct network *proxies, size_t proxies_count);

#endif
