/* For tests of policies: a directory for each test, with one policy file and a seccomp profile. */
#ifndef POLICY_PLACE_H
#define POLICY_PLACE_H

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/policy.h"

struct place {
    char directory[64];
    char file[96]; /* policy.json in it */
};

static inline void write_file(const char *path, const char *text, size_t size)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static inline const char *below(const struct place *place, const char *name)
{
    static char path[192];
    snprintf(path, sizeof(path), "%s/%s", place->directory, name);
    return path;
}

static inline int make_place(void **state)
{
    struct place *place = calloc(1, sizeof(*place));
    assert_non_null(place);
    snprintf(place->directory, sizeof(place->directory), "/tmp/test_policy.XXXXXX");
    assert_non_null(mkdtemp(place->directory));
    snprintf(place->file, sizeof(place->file), "%s/policy.json", place->directory);
    assert_int_equal(mkdir(below(place, "seccomp"), 0700), 0);
    write_file(below(place, "seccomp/default.json"), "{}", 2);
    *state = place;
    return 0;
}

static inline int remove_place(void **state)
{
    struct place *place = *state;
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", place->directory);
    assert_int_equal(system(command), 0);
    free(place);
    return 0;
}

/* NULL when it is refused. */
static inline struct sb_policy *load_text(const struct place *place, const char *text, size_t size,
                                          struct sb_error *err)
{
    struct sb_policy *policy = NULL;
    *err = (struct sb_error){0};
    write_file(place->file, text, size);
    if (sb_policy_load(&policy, place->directory, "policy", err) < 0)
        assert_null(policy);
    return policy;
}

static inline struct sb_policy *load_good(const struct place *place, const char *text)
{
    struct sb_error err;
    struct sb_policy *policy = load_text(place, text, strlen(text), &err);
    if (policy == NULL)
        fail_msg("%s: %s", text, err.message);
    return policy;
}

#define PLACE_TEST(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)

#endif
