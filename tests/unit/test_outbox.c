/* The outbox: what its reader does not take at once is kept in order, up to a bound, and what is
 * beyond is counted. */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "serve/process/outbox.h"

/* A reader, and what it has read. */
struct reader {
    struct outbox outbox;
    size_t room; /* that it has now */
    int error;   /* that it gives otherwise */
    char text[256];
    size_t size;
    int begun; /* rests that it was given */
    int emptied;
};

static ssize_t take(void *user, const char *data, size_t size, bool begun)
{
    struct reader *reader = user;
    if (reader->room == 0) {
        errno = reader->error;
        return -1;
    }
    size_t taken = size < reader->room ? size : reader->room;
    memcpy(reader->text + reader->size, data, taken);
    reader->size += taken;
    reader->text[reader->size] = '\0';
    reader->room -= taken;
    reader->begun += begun;
    return (ssize_t)taken;
}

static void emptied(void *user)
{
    struct reader *reader = user;
    reader->emptied++;
}

static void open_reader(struct reader *reader, size_t bytes_max)
{
    *reader = (struct reader){.error = EAGAIN,
                              .outbox = {.send = take, .emptied = emptied, .bytes_max = bytes_max}};
    reader->outbox.user = reader;
    outbox_open(&reader->outbox);
}

static void put(struct reader *reader, const char *text)
{
    outbox_put(&reader->outbox, text, strlen(text));
}

static void what_a_reader_takes_is_not_kept(void **state)
{
    (void)state;
    struct reader reader;
    open_reader(&reader, 100);
    reader.room = 100;
    put(&reader, "one ");
    put(&reader, "two ");
    assert_string_equal(reader.text, "one two ");
    assert_int_equal(reader.outbox.bytes, 0);
    assert_int_equal(reader.outbox.lost, 0);
}

static void messages_come_whole_and_in_order_however_little_is_taken_at_once(void **state)
{
    (void)state;
    struct reader reader;
    open_reader(&reader, 100);
    reader.room = 2;
    put(&reader, "first ");
    put(&reader, "second ");
    put(&reader, "third ");
    for (int i = 0; i < 20 && reader.outbox.bytes > 0; i++) {
        reader.room = 3;
        outbox_flush(&reader.outbox);
    }
    assert_string_equal(reader.text, "first second third ");
    assert_int_equal(reader.emptied, 1);
    assert_int_equal(reader.outbox.lost, 0);
    assert_true(reader.begun > 0);
}

static void what_is_beyond_the_bound_is_lost_and_counted(void **state)
{
    (void)state;
    struct reader reader;
    open_reader(&reader, 10);
    put(&reader, "123456 ");
    put(&reader, "abcdef "); /* 14 together */
    put(&reader, "xy ");
    assert_int_equal(reader.outbox.lost, 1);
    reader.room = 100;
    outbox_flush(&reader.outbox);
    assert_string_equal(reader.text, "123456 xy ");
}

static void a_message_that_is_larger_than_the_bound_is_kept_alone(void **state)
{
    (void)state;
    struct reader reader;
    open_reader(&reader, 4);
    put(&reader, "much larger ");
    put(&reader, "x");
    assert_int_equal(reader.outbox.lost, 1);
    reader.room = 100;
    outbox_flush(&reader.outbox);
    assert_string_equal(reader.text, "much larger ");
}

static void a_reader_that_is_gone_is_given_nothing_later(void **state)
{
    (void)state;
    struct reader reader;
    open_reader(&reader, 100);
    put(&reader, "kept ");
    reader.error = EPIPE;
    put(&reader, "new ");
    outbox_flush(&reader.outbox);
    assert_int_equal(reader.outbox.bytes, 0);
    assert_int_equal(reader.outbox.lost, 2);
}

static void a_disk_that_is_full_is_tried_again(void **state)
{
    (void)state;
    struct reader reader;
    open_reader(&reader, 100);
    reader.error = ENOSPC;
    put(&reader, "kept ");
    reader.room = 100;
    outbox_flush(&reader.outbox);
    assert_string_equal(reader.text, "kept ");
}

static void the_end_waits_only_so_long(void **state)
{
    (void)state;
    struct reader reader;
    open_reader(&reader, 100);
    put(&reader, "never read ");
    outbox_finish(&reader.outbox, 10);
    assert_int_equal(reader.outbox.bytes, strlen("never read "));
    outbox_free(&reader.outbox);
    assert_int_equal(reader.outbox.bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_reader_takes_is_not_kept),
        cmocka_unit_test(messages_come_whole_and_in_order_however_little_is_taken_at_once),
        cmocka_unit_test(what_is_beyond_the_bound_is_lost_and_counted),
        cmocka_unit_test(a_message_that_is_larger_than_the_bound_is_kept_alone),
        cmocka_unit_test(a_reader_that_is_gone_is_given_nothing_later),
        cmocka_unit_test(a_disk_that_is_full_is_tried_again),
        cmocka_unit_test(the_end_waits_only_so_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
