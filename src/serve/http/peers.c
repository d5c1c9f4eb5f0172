/* See peers.h. One table of addresses, by hash. */
#include "serve/http/peers.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

static struct peer_list *bucket_of(struct peers *peers, const struct address *address)
{
    /* FNV-1a. A client that chooses addresses which meet in one bucket makes it as long as the
     * number of its own connections, which is bounded. */
    uint32_t hash = 2166136261u ^ address->uid;
    for (size_t i = 0; i < sizeof(address->bytes); i++)
        hash = (hash ^ address->bytes[i]) * 16777619u;
    return &peers->buckets[hash % ARRAY_LEN(peers->buckets)];
}

/* The addresses that are counted together. This host has 16 million of its own. */
static struct address subscriber_of(const struct address *address)
{
    static const struct address this_host = {.family = AF_INET, .bytes = {127}};
    return address_is_loopback(address) ? this_host : address_subscriber(address);
}

struct peer *peer_enter(struct peers *peers, const struct address *address)
{
    struct address subscriber = subscriber_of(address);
    struct peer_list *bucket = bucket_of(peers, &subscriber);
    struct peer *peer;
    LIST_FOREACH(peer, bucket, link)
    if (peer->address.family == subscriber.family && peer->address.uid == subscriber.uid &&
        memcmp(peer->address.bytes, subscriber.bytes, sizeof(subscriber.bytes)) == 0)
        break;
    if (peer == NULL) {
        peer = calloc(1, sizeof(*peer));
        if (peer == NULL)
            return NULL;
        peer->address = subscriber;
        LIST_INSERT_HEAD(bucket, peer, link);
    }
    peer->connections++;
    return peer;
}

void peer_leave(struct peer *peer)
{
    if (peer == NULL || --peer->connections > 0)
        return;
    LIST_REMOVE(peer, link);
    free(peer);
}
