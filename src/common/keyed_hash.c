/* See keyed_hash.h. */
#include "common/keyed_hash.h"

#include <string.h>

static uint64_t rotate(uint64_t word, int bits)
{
    return word << bits | word >> (64 - bits);
}

static void mix(uint64_t v[4], int rounds)
{
    for (; rounds > 0; rounds--) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] = rotate(v[2], 32);
    }
}

static void take_word(struct keyed_hash *hash, uint64_t word)
{
    hash->v[3] ^= word;
    mix(hash->v, 2);
    hash->v[0] ^= word;
}

void keyed_hash_begin(struct keyed_hash *hash, const uint64_t key[2])
{
    *hash = (struct keyed_hash){
        .v = {key[0] ^ UINT64_C(0x736f6d6570736575), key[1] ^ UINT64_C(0x646f72616e646f6d),
              key[0] ^ UINT64_C(0x6c7967656e657261), key[1] ^ UINT64_C(0x7465646279746573)}};
}

void keyed_hash_add(struct keyed_hash *hash, const void *data, size_t size)
{
    const unsigned char *at = data;
    while (size > 0) {
        if (hash->size % 8 == 0 && size >= 8) {
            uint64_t word;
            memcpy(&word, at, sizeof(word)); /* both architectures are little-endian */
            take_word(hash, word);
            hash->size += 8;
            at += 8;
            size -= 8;
            continue;
        }
        hash->word |= (uint64_t)*at++ << 8 * (hash->size % 8);
        size--;
        if (++hash->size % 8 != 0)
            continue;
        take_word(hash, hash->word);
        hash->word = 0;
    }
}

uint64_t keyed_hash_end(struct keyed_hash *hash)
{
    take_word(hash, hash->word | (uint64_t)hash->size << 56);
    hash->v[2] ^= 0xff;
    mix(hash->v, 4);
    return hash->v[0] ^ hash->v[1] ^ hash->v[2] ^ hash->v[3];
}
