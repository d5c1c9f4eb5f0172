/* Directories of cgroups: what several programs do at their start, at the same moment. */
#include "unit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "cgroup/cgroup.h"
#include "cgroup/cgroup_backend.h"
#include "common/util.h"

enum { PROGRAMS = 4, ROUNDS = 500 };

struct race {
    char path[64];
    pthread_barrier_t start, end;
    int failed;
};

static void *run(void *user)
{
    struct race *race = user;
    for (int round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&race->start);
        _cleanup_close_ int fd = cgroup_open_directory(race->path);
        if (fd < 0)
            __atomic_fetch_add(&race->failed, 1, __ATOMIC_RELAXED);
        if (pthread_barrier_wait(&race->end) == PTHREAD_BARRIER_SERIAL_THREAD)
            rmdir(race->path);
    }
    return NULL;
}

/* The first jobs of a host: each finds no directory, and one of them makes it. */
static void a_directory_that_several_make_at_once_is_opened_by_all(void **state)
{
    (void)state;
    char parent[] = "/tmp/test_cgroup-XXXXXX";
    struct race race = {0};
    pthread_t programs[PROGRAMS];
    assert_non_null(mkdtemp(parent));
    snprintf(race.path, sizeof(race.path), "%s/sandbox-run", parent);
    pthread_barrier_init(&race.start, NULL, PROGRAMS);
    pthread_barrier_init(&race.end, NULL, PROGRAMS);
    for (int i = 0; i < PROGRAMS; i++)
        assert_int_equal(pthread_create(&programs[i], NULL, run, &race), 0);
    for (int i = 0; i < PROGRAMS; i++)
        pthread_join(programs[i], NULL);
    rmdir(race.path);
    assert_int_equal(rmdir(parent), 0);
    assert_int_equal(race.failed, 0);
}

static void one_that_is_there_already_keeps_its_mode(void **state)
{
    (void)state;
    char directory[] = "/tmp/test_cgroup-XXXXXX";
    struct stat info;
    assert_non_null(mkdtemp(directory));
    _cleanup_close_ int fd = cgroup_open_directory(directory);
    assert_true(fd >= 0 && fstat(fd, &info) == 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    assert_int_equal(rmdir(directory), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_directory_that_several_make_at_once_is_opened_by_all),
        cmocka_unit_test(one_that_is_there_already_keeps_its_mode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
