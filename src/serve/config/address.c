/* Addresses of clients. Only literals: no name is ever looked up. */
#include "serve/config/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void take_ipv6(struct address *address, const struct in6_addr *in6)
{
    if (IN6_IS_ADDR_V4MAPPED(in6)) {
        address->family = AF_INET;
        memcpy(address->bytes, in6->s6_addr + 12, 4);
    } else {
        address->family = AF_INET6;
        memcpy(address->bytes, in6->s6_addr, 16);
    }
}

void address_from_socket(struct address *address, const struct sockaddr *socket)
{
    *address = (struct address){.family = AF_UNSPEC};
    if (socket->sa_family == AF_INET) {
        address->family = AF_INET;
        memcpy(address->bytes, &((const struct sockaddr_in *)(const void *)socket)->sin_addr, 4);
    } else if (socket->sa_family == AF_INET6) {
        take_ipv6(address, &((const struct sockaddr_in6 *)(const void *)socket)->sin6_addr);
    } else if (socket->sa_family == AF_UNIX) {
        address->family = AF_UNIX;
    }
}

/* The host part of "host", "host:port", "[host]" or "[host]:port", copied out. */
static bool cut_port(char host[ADDRESS_TEXT_SIZE], const char *text, size_t size)
{
    const char *begin = text, *end = text + size;
    if (size > 0 && *text == '[') {
        begin++;
        end = memchr(text, ']', size);
        if (end == NULL)
            return false;
    } else {
        const char *colon = memchr(text, ':', size);
        /* With two colons it is a bare IPv6 address. */
        if (colon != NULL && memchr(colon + 1, ':', (size_t)(end - colon - 1)) == NULL)
            end = colon;
    }
    size_t length = (size_t)(end - begin);
    if (length == 0 || length >= ADDRESS_TEXT_SIZE || memchr(begin, '\0', length) != NULL)
        return false;
    memcpy(host, begin, length);
    host[length] = '\0';
    return true;
}

bool address_parse(struct address *address, const char *text, size_t size)
{
    char host[ADDRESS_TEXT_SIZE];
    struct in6_addr in6;
    *address = (struct address){.family = AF_UNSPEC};
    if (!cut_port(host, text, size))
        return false;
    if (inet_pton(AF_INET, host, address->bytes) == 1)
        address->family = AF_INET;
    else if (inet_pton(AF_INET6, host, &in6) == 1)
        take_ipv6(address, &in6);
    return address->family != AF_UNSPEC;
}

const char *address_text(const struct address *address, char text[ADDRESS_TEXT_SIZE])
{
    if (address->family == AF_UNIX)
        snprintf(text, ADDRESS_TEXT_SIZE, "unix %u", (unsigned)address->uid);
    else if (inet_ntop(address->family, address->bytes, text, ADDRESS_TEXT_SIZE) == NULL)
        snprintf(text, ADDRESS_TEXT_SIZE, "unknown");
    return text;
}

struct address address_subscriber(const struct address *address)
{
    struct address subscriber = *address;
    if (address->family == AF_INET6)
        memset(subscriber.bytes + 8, 0, 8);
    return subscriber;
}

bool address_is_loopback(const struct address *address)
{
    static const unsigned char one[16] = {[15] = 1};
    if (address->family == AF_INET)
        return address->bytes[0] == 127;
    return address->family == AF_INET6 && memcmp(address->bytes, one, sizeof(one)) == 0;
}

bool network_parse(struct network *network, const char *text)
{
    *network = (struct network){0};
    if (strcmp(text, "unix") == 0) {
        network->address.family = AF_UNIX;
        return true;
    }
    const char *slash = strchr(text, '/');
    size_t size = slash != NULL ? (size_t)(slash - text) : strlen(text);
    if (!address_parse(&network->address, text, size))
        return false;
    unsigned bits = network->address.family == AF_INET ? 32 : 128;
    network->prefix = bits;
    if (slash == NULL)
        return true;
    size_t digits = strspn(slash + 1, "0123456789");
    if (digits == 0 || digits > 3 || slash[1 + digits] != '\0')
        return false;
    network->prefix = (unsigned)strtoul(slash + 1, NULL, 10);
    return network->prefix <= bits;
}

bool network_holds(const struct network *network, const struct address *address)
{
    if (network->address.family != address->family)
        return false;
    size_t whole = network->prefix / 8;
    unsigned rest = network->prefix % 8;
    if (memcmp(network->address.bytes, address->bytes, whole) != 0)
        return false;
    unsigned mask = 0xffu << (8 - rest) & 0xffu;
    return rest == 0 || ((network->address.bytes[whole] ^ address->bytes[whole]) & mask) == 0;
}

bool networks_hold(const struct network *networks, size_t count, const struct address *address)
{
    for (size_t i = 0; i < count; i++)
        if (network_holds(&networks[i], address))
            return true;
    return false;
}

struct address address_forwarded(const struct address *peer, const char *forwarded,
                                 const struct network *proxies, size_t proxies_count)
{
    struct address client = *peer;
    const char *end = forwarded != NULL ? forwarded + strlen(forwarded) : NULL;
    while (end != NULL && end > forwarded && networks_hold(proxies, proxies_count, &client)) {
        const char *begin = end;
        while (begin > forwarded && begin[-1] != ',')
            begin--;
        const char *first = begin, *last = end;
        while (first < last && (*first == ' ' || *first == '\t'))
            first++;
        while (last > first && (last[-1] == ' ' || last[-1] == '\t'))
            last--;
        struct address next;
        if (!address_parse(&next, first, (size_t)(last - first)))
            break; /* "unknown": the proxy that says so is the last one known */
        client = next;
        end = begin > forwarded ? begin - 1 : begin;
    }
    return client;
}
