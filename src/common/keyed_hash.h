/* A hash that nobody can foresee who does not know its key: SipHash-2-4
 * (https://www.aumasson.jp/siphash/siphash.pdf). */
#ifndef SB_KEYED_HASH_H
#define SB_KEYED_HASH_H

#include <stddef.h>
#include <stdint.h>

struct keyed_hash {
    uint64_t v[4];
    uint64_t word; /* the bytes that do not fill a word yet */
    size_t size;   /* bytes so far */
};

void keyed_hash_begin(struct keyed_hash *hash, const uint64_t key[2]);
void keyed_hash_add(struct keyed_hash *hash, const void *data, size_t size);
uint64_t keyed_hash_end(struct keyed_hash *hash);

#endif
