/* Token buckets, each of which is one number (the generic cell rate algorithm): the time at which
 * the bucket will be full again. A bucket whose time has passed is full, and need not be kept: its
 * place is free for another client. Workers write with atomics; at worst, a race leaves one request
 * uncounted. */
#include "serve/http/rate.h"

#include <nettle/sha2.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>

enum { WAYS = 8, SETS = 2048 };

struct bucket {
    _Atomic(uint64_t) tag; /* of the client; 0: free */
    _Atomic(int64_t) full_us;
};

struct rates {
    unsigned char secret[16];
    struct bucket buckets[SETS][WAYS];
};

size_t rates_size(void)
{
    return sizeof(struct rates);
}

void rates_begin(struct rates *rates)
{
    /* Without random bytes a client could at worst choose addresses that share a set. */
    if (getrandom(rates->secret, sizeof(rates->secret), 0) < 0)
        memset(rates->secret, 0, sizeof(rates->secret));
}

static uint64_t tag_of(const struct rates *rates, const char *key)
{
    struct sha256_ctx context;
    uint64_t tag;
    uint8_t digest[sizeof(tag)];
    sha256_init(&context);
    sha256_update(&context, sizeof(rates->secret), rates->secret);
    sha256_update(&context, strlen(key), (const uint8_t *)key);
    sha256_digest(&context, sizeof(digest), digest);
    memcpy(&tag, digest, sizeof(tag));
    return tag != 0 ? tag : 1;
}

/* The client's bucket; if it has none, the place of the bucket in its set that is full, or will be
 * full first. */
static struct bucket *find(struct rates *rates, uint64_t tag)
{
    struct bucket *set = rates->buckets[tag % SETS];
    struct bucket *oldest = &set[0];
    for (int i = 0; i < WAYS; i++) {
        if (atomic_load_explicit(&set[i].tag, memory_order_relaxed) == tag)
            return &set[i];
        if (atomic_load_explicit(&set[i].full_us, memory_order_relaxed) <
            atomic_load_explicit(&oldest->full_us, memory_order_relaxed))
            oldest = &set[i];
    }
    atomic_store_explicit(&oldest->tag, tag, memory_order_relaxed);
    atomic_store_explicit(&oldest->full_us, 0, memory_order_relaxed);
    return oldest;
}

int64_t rates_take(struct rates *rates, const char *key, double rate, int64_t burst, int64_t now_us)
{
    struct bucket *bucket = find(rates, tag_of(rates, key));
    int64_t each_us = (int64_t)(1e6 / rate);
    if (each_us < 1)
        each_us = 1;
    int64_t full = atomic_load_explicit(&bucket->full_us, memory_order_relaxed);
    for (;;) {
        int64_t next = (full > now_us ? full : now_us) + each_us;
        int64_t too_early = next - now_us - burst * each_us;
        if (too_early > 0)
            return (too_early + 999) / 1000;
        if (atomic_compare_exchange_weak_explicit(&bucket->full_us, &full, next,
                                                  memory_order_relaxed, memory_order_relaxed))
            return 0;
    }
}
