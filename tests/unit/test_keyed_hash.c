/* The keyed hash is SipHash-2-4: its authors' test vectors, given in pieces of any size. */
#include "unit.h"

#include "common/keyed_hash.h"
#include "common/util.h"

/* The first and some later entries of vectors_sip64 (github.com/veorq/SipHash, vectors.h): the key
 * is 00 01 … 0f, the text 00 01 02 …, of as many bytes as the entry's number says. */
static const struct {
    size_t size;
    uint64_t hash;
} vectors[] = {
    {0, UINT64_C(0x726fdb47dd0e0e31)},  {1, UINT64_C(0x74f839c593dc67fd)},
    {7, UINT64_C(0xab0200f58b01d137)},  {8, UINT64_C(0x93f5f5799a932462)},
    {15, UINT64_C(0xa129ca6149be45e5)},
};

static void the_hash_is_that_of_the_vectors_in_any_pieces(void **state)
{
    (void)state;
    const uint64_t key[2] = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
    unsigned char text[64];
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (unsigned char)i;
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++)
        for (size_t piece = 1; piece <= 16; piece++) {
            struct keyed_hash hash;
            keyed_hash_begin(&hash, key);
            for (size_t at = 0; at < vectors[i].size; at += piece)
                keyed_hash_add(&hash, text + at, MIN(piece, vectors[i].size - at));
            assert_int_equal(keyed_hash_end(&hash), vectors[i].hash);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hash_is_that_of_the_vectors_in_any_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
