/* Files that an administrator names: an error says whether one is not there, closed itself, or
 * behind a closed directory, and what to do. Root tries it as somebody whom nothing belongs to. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/util.h"
#include "serve/config/given_file.h"

enum { STRANGER = 12345 }; /* neither a user nor a group */

static char directory[64], path[PATH_MAX];

static int set_up(void **state)
{
    (void)state;
    snprintf(directory, sizeof(directory), "/tmp/test_given_file.XXXXXX");
    if (mkdtemp(directory) == NULL || chmod(directory, 0755) < 0)
        return -1;
    snprintf(path, sizeof(path), "%s/closed", directory);
    if (mkdir(path, 0755) < 0)
        return -1;
    snprintf(path, sizeof(path), "%s/closed/file", directory);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    return close(fd);
}

static int tear_down(void **state)
{
    (void)state;
    char parent[PATH_MAX];
    snprintf(parent, sizeof(parent), "%s/closed", directory);
    chmod(parent, 0700);
    unlink(path);
    rmdir(parent);
    snprintf(parent, sizeof(parent), "%s/link", directory);
    unlink(parent);
    return rmdir(directory);
}

/* Opens it as a user whom it is closed to. */
static int open_closed(const char *name, struct sb_error *err)
{
    const struct given_file file = {
        .path = name, .step = "tls", .field = "tls-key", .what = "the key", .make = "make it"};
    bool root = geteuid() == 0;
    if (root && (setegid(STRANGER) < 0 || seteuid(STRANGER) < 0))
        fail_msg("can't become a stranger");
    int fd = given_file_open(&file, err);
    if (root && (seteuid(0) < 0 || setegid(0) < 0))
        fail_msg("can't become root again");
    return fd;
}

static void one_that_may_be_read_is_opened(void **state)
{
    (void)state;
    struct sb_error err;
    _cleanup_close_ int fd = open_closed(path, &err);
    assert_true(fd >= 0);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

static void one_that_is_not_there_is_to_be_made(void **state)
{
    (void)state;
    struct sb_error err;
    unlink(path);
    assert_int_equal(open_closed(path, &err), -1);
    assert_int_equal(err.errnum, ENOENT);
    assert_says(&err, "the key ");
    assert_says(&err, "is not there: make it");
    assert_sentence(&err);
}

static void one_that_is_closed_is_to_be_given_to_the_group_of_the_user(void **state)
{
    (void)state;
    char remedy[PATH_MAX];
    struct sb_error err;
    chmod(path, 0);
    assert_int_equal(open_closed(path, &err), -1);
    assert_int_equal(err.errnum, EACCES);
    assert_string_equal(err.field, "tls-key");
    assert_says(&err, "may not read the key: chgrp ");
    snprintf(remedy, sizeof(remedy), " %.100s && chmod 640 %.100s", path, path);
    assert_says(&err, remedy);
    if (geteuid() == 0)
        assert_says(&err, "user 12345 may not read the key: chgrp 12345 ");
    assert_sentence(&err);
}

static void one_behind_a_closed_directory_is_to_be_moved(void **state)
{
    (void)state;
    char parent[PATH_MAX], named[PATH_MAX + 32];
    struct sb_error err;
    snprintf(parent, sizeof(parent), "%s/closed", directory);
    chmod(parent, 0);
    assert_int_equal(open_closed(path, &err), -1);
    snprintf(named, sizeof(named), "as it has no access to %s: put it", parent);
    assert_says(&err, named);
    assert_null(strstr(err.message, "chgrp"));
    assert_sentence(&err);
}

static void one_that_links_into_a_closed_directory_is_to_be_moved(void **state)
{
    (void)state;
    char name[PATH_MAX];
    struct sb_error err;
    snprintf(name, sizeof(name), "%s/closed", directory);
    chmod(name, 0);
    snprintf(name, sizeof(name), "%s/link", directory);
    assert_int_equal(symlink(path, name), 0);
    assert_int_equal(open_closed(name, &err), -1);
    assert_says(&err, "a directory that it links to: put it");
    assert_null(strstr(err.message, "chgrp"));
}

static void one_that_is_no_file_is_told(void **state)
{
    (void)state;
    struct sb_error err;
    assert_int_equal(open_closed(directory, &err), -1);
    assert_says(&err, "is not a file: name the key");
}

static void a_long_path_leaves_a_sentence(void **state)
{
    (void)state;
    char name[PATH_MAX];
    struct sb_error err;
    memset(name, 'x', sizeof(name));
    for (size_t i = 0; i < sizeof(name); i += 100)
        name[i] = '/';
    name[3000] = '\0';
    assert_int_equal(open_closed(name, &err), -1);
    assert_sentence(&err);
    memset(name + 1, 'x', 2999);
    assert_int_equal(open_closed(name, &err), -1);
    assert_sentence(&err);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(one_that_may_be_read_is_opened),
        EACH(one_that_is_not_there_is_to_be_made),
        EACH(one_that_is_closed_is_to_be_given_to_the_group_of_the_user),
        EACH(one_behind_a_closed_directory_is_to_be_moved),
        EACH(one_that_links_into_a_closed_directory_is_to_be_moved),
        EACH(one_that_is_no_file_is_told),
        EACH(a_long_path_leaves_a_sentence),
    };
    return cmocka_run_group_tests_name("given_file", tests, NULL, NULL);
}
