/* What is shown of an output stream: properties that hold for any text, any limit and any way in
 * which the text is cut into pieces. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/utf8.h"
#include "common/util.h"
#include "core/stream.h"

#define MIN(a, b) ((a) < (b) ? (a) : (b))

struct bytes {
    char *data;
    size_t size;
};

/* ── Texts ───────────────────────────────────────────────────────────────────────────────────── */

/* xorshift: each test has its own, so that a failure comes again. */
static uint32_t draw(uint32_t *state, uint32_t below)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state % below;
}

static const char *const characters[] = {"a", "b", "é", "€", "😀", "\\", "\t"};
static const char *const others[] = {"\xff",         "\x80", "\xe2\x82",
                                     "\xf0\x9f\x98", "\xc0", "\xed\xa0\x80"};

/* Characters, a newline in `line` of them (0: none), `binary`: some bytes that are no UTF-8. */
static struct bytes make_text(uint32_t *state, size_t size, uint32_t line, bool binary)
{
    struct bytes text = {malloc(size + 8), 0};
    assert_non_null(text.data);
    while (text.size < size) {
        const char *next = characters[draw(state, ARRAY_LEN(characters))];
        if (binary && draw(state, 3) == 0)
            next = others[draw(state, ARRAY_LEN(others))];
        if (line > 0 && draw(state, line) == 0)
            next = "\n";
        memcpy(text.data + text.size, next, strlen(next));
        text.size += strlen(next);
    }
    return text;
}

/* ── Streams ─────────────────────────────────────────────────────────────────────────────────── */

/* What a reader gets of a text that comes in pieces of up to `piece` bytes, of random sizes. */
static struct bytes shown(const struct bytes *text, int64_t limit, uint32_t piece, bool live,
                          uint32_t *state, int64_t *dropped)
{
    struct stream stream;
    struct bytes got = {malloc((size_t)limit + STREAM_MARK_MAX + 1), 0};
    assert_non_null(got.data);
    stream_init(&stream, limit);
    for (size_t at = 0, size; at < text->size; at += size) {
        size_t next = 1 + draw(state, piece);
        size = MIN(text->size - at, next);
        assert_int_equal(stream_keep(&stream, text->data + at, size), 0);
        size_t ready = live ? stream_ready(&stream) : 0;
        if (ready == 0)
            continue;
        assert_true(got.size + ready <= (size_t)limit);
        memcpy(got.data + got.size, stream.head, ready);
        got.size += ready;
        stream_handed(&stream, ready);
    }
    size_t size;
    const char *rest = stream_text(&stream, &size);
    assert_non_null(rest);
    assert_int_equal(rest[size], '\0');
    assert_true(got.size + size <= (size_t)limit + STREAM_MARK_MAX);
    memcpy(got.data + got.size, rest, size);
    got.size += size;
    got.data[got.size] = '\0';
    assert_int_equal(stream.written, text->size);
    *dropped = stream.dropped;
    stream_free(&stream);
    return got;
}

/* ── What must hold ──────────────────────────────────────────────────────────────────────────── */

static bool starts_character(const struct bytes *text, size_t at)
{
    size_t i = 0;
    bool valid;
    while (i < at)
        i += utf8_next(text->data + i, text->size - i, &valid);
    return i == at;
}

/* Finds the mark of `dropped` bytes at which head and tail of the text meet, and checks all that is
 * promised of them. */
static void assert_honest(const struct bytes *text, const struct bytes *got, int64_t limit,
                          int64_t dropped)
{
    char mark[STREAM_MARK_MAX];
    int size = snprintf(mark, sizeof(mark), "… %lld bytes left out …\n", (long long)dropped);
    const char *found = memmem(got->data, got->size, mark, (size_t)size);
    assert_non_null(found);
    size_t head = (size_t)(found - got->data), tail = got->size - head - (size_t)size;
    if (head > 0) { /* on a line of its own: by the text's newline, or by one more */
        assert_int_equal(got->data[head - 1], '\n');
        if (head + tail + (size_t)dropped != text->size)
            head--;
    }
    size_t behind = text->size - tail;
    /* Bytes shown and bytes missing are all that was written, and none is shown twice. */
    assert_int_equal(head + tail + (size_t)dropped, text->size);
    assert_true((int64_t)(head + tail) <= limit);
    assert_memory_equal(got->data, text->data, head);
    assert_memory_equal(got->data + got->size - tail, text->data + behind, tail);
    assert_true(starts_character(text, head));
    assert_true(tail == 0 || starts_character(text, behind));
    /* Whole lines, where one ends in the half that lies at the gap. */
    size_t tail_max = MIN((size_t)limit / 2, (size_t)STREAM_TAIL_MAX);
    size_t head_max = (size_t)limit - tail_max, from = text->size - tail_max;
    if (memchr(text->data + head_max / 2, '\n', head_max - head_max / 2) != NULL)
        assert_int_equal(text->data[head - 1], '\n');
    if (memchr(text->data + from, '\n', tail_max / 2) != NULL)
        assert_int_equal(text->data[behind - 1], '\n');
}

static void check(uint32_t *state, int64_t limit, size_t size, uint32_t line, bool binary)
{
    struct bytes text = make_text(state, size, line, binary);
    int64_t dropped, again;
    struct bytes whole = shown(&text, limit, UINT32_MAX >> 1, false, state, &dropped);
    if ((int64_t)text.size <= limit) {
        assert_int_equal(dropped, 0);
        assert_int_equal(whole.size, text.size);
        assert_memory_equal(whole.data, text.data, text.size);
    } else {
        assert_honest(&text, &whole, limit, dropped);
    }
    for (int live = 0; live <= 1; live++)
        for (uint32_t piece = 1; piece <= 2 * size; piece = 3 * piece + 1) {
            struct bytes got = shown(&text, limit, piece, live, state, &again);
            assert_int_equal(again, dropped);
            assert_int_equal(got.size, whole.size);
            assert_memory_equal(got.data, whole.data, got.size);
            free(got.data);
        }
    free(whole.data);
    free(text.data);
}

static void any_text_in_any_pieces_shows_the_same_whole_lines_and_the_count_of_the_rest(void **data)
{
    (void)data;
    uint32_t state = 1;
    for (int round = 0; round < 3000; round++) {
        int64_t limit = draw(&state, 300);
        size_t size = draw(&state, 3 * (uint32_t)limit + 20);
        check(&state, limit, size, draw(&state, 60), round % 3 == 0);
    }
}

static void large_texts_do_so_too(void **data)
{
    (void)data;
    uint32_t state = 2;
    for (int round = 0; round < 30; round++) {
        int64_t limit = 1000 + draw(&state, 400000);
        check(&state, limit, draw(&state, 2 * (uint32_t)limit), 1 + draw(&state, 200),
              round % 3 == 0);
    }
}

/* ── Examples ────────────────────────────────────────────────────────────────────────────────── */

static void assert_shown(const char *text, int64_t limit, const char *expected, int64_t missing)
{
    uint32_t state = 3;
    const struct bytes written = {(char *)text, strlen(text)};
    for (int live = 0; live <= 1; live++) {
        int64_t dropped;
        struct bytes got = shown(&written, limit, 5, live, &state, &dropped);
        assert_string_equal(got.data, expected);
        assert_int_equal(dropped, missing);
        free(got.data);
    }
}

static void the_line_stands_between_whole_lines(void **data)
{
    (void)data;
    const char *rows = "row 1\nrow 2\nrow 3\nrow 4\nrow 5\nrow 6\n";
    assert_shown(rows, 36, rows, 0);
    assert_shown(rows, 34, "row 1\nrow 2\n… 12 bytes left out …\nrow 5\nrow 6\n", 12);
    assert_shown(rows, 26, "row 1\nrow 2\n… 12 bytes left out …\nrow 5\nrow 6\n", 12);
    assert_shown(rows, 20, "row 1\n… 24 bytes left out …\nrow 6\n", 24);
}

static void a_line_that_is_too_long_is_cut_between_characters(void **data)
{
    (void)data;
    assert_shown("abcdefghijklmnopqrstuvwxyz", 10, "abcde\n… 16 bytes left out …\nvwxyz", 16);
    assert_shown("ééééééééé", 10, "éé\n… 10 bytes left out …\néé", 10);
    assert_shown("a€€€€€€€€", 10, "a€\n… 18 bytes left out …\n€", 18);
    assert_shown("ab😀😀😀😀", 10, "ab\n… 12 bytes left out …\n😀", 12);
}

static void bytes_that_are_no_utf8_are_characters_of_one_byte(void **data)
{
    (void)data;
    assert_shown("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 8,
                 "\xff\xff\xff\xff\n… 4 bytes left out …\n\xff\xff\xff\xff", 4);
}

static void a_limit_of_nothing_shows_the_line_alone(void **data)
{
    (void)data;
    assert_shown("", 0, "", 0);
    assert_shown("abc", 0, "… 3 bytes left out …\n", 3);
    assert_shown("abc", 1, "a\n… 2 bytes left out …\n", 2);
}

static void
what_comes_is_handed_on_at_once_until_shortly_before_the_end_of_the_first_part(void **data)
{
    (void)data;
    struct stream stream;
    stream_init(&stream, 100000);
    assert_int_equal(stream_keep(&stream, "a prompt: ", 10), 0);
    assert_int_equal(stream_ready(&stream), 10);
    stream_handed(&stream, 10);
    assert_int_equal(stream_ready(&stream), 0);
    stream_free(&stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            any_text_in_any_pieces_shows_the_same_whole_lines_and_the_count_of_the_rest),
        cmocka_unit_test(large_texts_do_so_too),
        cmocka_unit_test(the_line_stands_between_whole_lines),
        cmocka_unit_test(a_line_that_is_too_long_is_cut_between_characters),
        cmocka_unit_test(bytes_that_are_no_utf8_are_characters_of_one_byte),
        cmocka_unit_test(a_limit_of_nothing_shows_the_line_alone),
        cmocka_unit_test(
            what_comes_is_handed_on_at_once_until_shortly_before_the_end_of_the_first_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
