/* What is kept of an output stream. */
#include "unit.h"

#include <stdlib.h>

#include "stream.h"

/* Writes `size` bytes that count up, in pieces of `piece`, and returns what is kept. */
static const char *kept(struct stream *stream, size_t size, size_t piece, size_t *kept_size)
{
    char *data = malloc(size + 1);
    for (size_t i = 0; i < size; i++)
        data[i] = (char)('a' + i % 26);
    for (size_t at = 0; at < size; at += piece) {
        size_t n = size - at < piece ? size - at : piece;
        assert_int_equal(stream_keep(stream, data + at, n, 0), 0);
    }
    free(data);
    return stream_text(stream, kept_size);
}

static void output_within_the_limit_is_kept_whole(void **state)
{
    (void)state;
    for (size_t piece = 1; piece <= 27; piece += 13) {
        struct stream stream;
        size_t size;
        stream_init(&stream, 26);
        assert_string_equal(kept(&stream, 26, piece, &size), "abcdefghijklmnopqrstuvwxyz");
        assert_int_equal(size, 26);
        assert_int_equal(stream_dropped(&stream), 0);
        stream_free(&stream);
    }
}

static void past_the_limit_the_first_and_the_last_part_are_kept_and_the_rest_counted(void **state)
{
    (void)state;
    for (size_t piece = 1; piece <= 300; piece += 7) {
        struct stream stream;
        size_t size;
        stream_init(&stream, 10);
        assert_string_equal(kept(&stream, 26 * 11, piece, &size), "abcdevwxyz");
        assert_int_equal(stream.written, 26 * 11);
        assert_int_equal(stream_dropped(&stream), 26 * 11 - 10);
        stream_free(&stream);
    }
}

static void a_limit_of_nothing_keeps_nothing_and_counts(void **state)
{
    (void)state;
    struct stream stream;
    size_t size;
    stream_init(&stream, 0);
    assert_string_equal(kept(&stream, 1000, 10, &size), "");
    assert_int_equal(size, 0);
    assert_int_equal(stream_dropped(&stream), 1000);
    stream_free(&stream);
}

static void odd_limits_keep_all_their_bytes(void **state)
{
    (void)state;
    for (int64_t limit = 1; limit < 40; limit++) {
        struct stream stream;
        size_t size;
        stream_init(&stream, limit);
        kept(&stream, 500, 3, &size);
        assert_int_equal(size, limit);
        assert_int_equal(stream_dropped(&stream), 500 - limit);
        stream_free(&stream);
    }
}

static void what_was_handed_on_live_is_not_kept_again(void **state)
{
    (void)state;
    struct stream stream;
    struct stream_piece pieces[2];
    stream_init(&stream, 10);
    const char *data = "abcdefghijklmnopqrstuvwxyz";
    size_t live = stream_head_part(&stream, 26);
    assert_int_equal(live, 5);
    assert_int_equal(stream_keep(&stream, data, 26, live), 0);
    assert_int_equal(stream_head_part(&stream, 26), 0);
    assert_null(stream.head);
    stream_tail(&stream, pieces);
    char tail[6] = "";
    memcpy(tail, pieces[0].data, pieces[0].size);
    memcpy(tail + pieces[0].size, pieces[1].data, pieces[1].size);
    assert_string_equal(tail, "vwxyz");
    stream_free(&stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_within_the_limit_is_kept_whole),
        cmocka_unit_test(past_the_limit_the_first_and_the_last_part_are_kept_and_the_rest_counted),
        cmocka_unit_test(a_limit_of_nothing_keeps_nothing_and_counts),
        cmocka_unit_test(odd_limits_keep_all_their_bytes),
        cmocka_unit_test(what_was_handed_on_live_is_not_kept_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
