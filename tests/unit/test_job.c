/* What a job may bring: the last that is taken, and the first that is not. That the kernel draws
 * the same line is tested with jobs that run (tests/http/test_boundary_values.py). */
#include "policy_place.h"

#include "common/util.h"

#define PAGE 4096
#define STRING_MOST 131071 /* MAX_ARG_STRLEN without the NUL */

static char zeros[1 << 20];

static struct sb_job job_under(const struct sb_policy *policy)
{
    return (struct sb_job){
        .policy = policy, .code = "pass", .code_size = 4, .limits = sb_limits_unset()};
}

static void assert_taken(const struct sb_job *job)
{
    struct sb_error err;
    if (sb_check(job, &err) < 0)
        fail_msg("refused: %s", err.message);
}

static void assert_refused(const struct sb_job *job, const char *field, const char *says)
{
    struct sb_error err;
    assert_int_equal(sb_check(job, &err), -1);
    assert_string_equal(err.field, field);
    assert_says(&err, says);
    assert_sentence(&err);
}

static void each_file_and_each_directory_on_its_way_is_counted_once(void **state)
{
    struct sb_policy *policy = load_good(*state, "{\"limits\":{\"tmp_files\":16}}");
    static const struct {
        const char *paths[8];
        size_t inodes; /* without the script's */
    } rows[] = {
        {{"a"}, 1},
        {{"a/b"}, 2},
        {{"a/b", "a/c"}, 3},
        {{"a/b/c", "a/b/d", "a/e/c"}, 6},
        {{"a/x", "ab/x", "a.b/x", "a/y"}, 7},
        {{"b/x", "a/x", "b/y", "a/y"}, 6},
        {{"a/b/c/d/e/f/g/h"}, 8},
        {{"a/b/c/d/e/f/g/h", "a/b/c/d/x", "a/b/x", "x"}, 11},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sb_file files[32] = {0};
        char names[32][8];
        size_t count = 0;
        while (count < 8 && rows[i].paths[count] != NULL) {
            files[count] = (struct sb_file){.path = rows[i].paths[count]};
            count++;
        }
        for (size_t inodes = rows[i].inodes; inodes < 16; inodes++, count++) {
            snprintf(names[count], sizeof(names[count]), "n%zu", count);
            files[count] = (struct sb_file){.path = names[count]};
        }
        struct sb_job job = job_under(policy);
        job.files = files;
        job.files_count = count - 1;
        assert_taken(&job);
        job.files_count = count;
        assert_refused(&job, "files", "tmp_files allows 16");
        job.name = "-c"; /* whose code is not a file */
        assert_taken(&job);
    }
    sb_policy_free(policy);
}

static void sizes_are_of_whole_pages(void **state)
{
    struct sb_policy *policy = load_good(*state, "{\"limits\":{\"tmp_bytes\":65536}}");
    struct sb_file files[17] = {0};
    char names[17][8];
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        snprintf(names[i], sizeof(names[i]), "n%zu", i);
        files[i] = (struct sb_file){names[i], zeros, 1, false};
    }
    struct sb_job job = job_under(policy);
    job.files = files;
    job.files_count = 15;
    assert_taken(&job);
    job.files_count = 16;
    assert_refused(&job, "files", "tmp_bytes allows 64 KiB");
    files[15].size = 0;
    assert_taken(&job);
    job.files_count = 1;
    files[0].size = 15 * PAGE;
    assert_taken(&job);
    files[0].size++;
    assert_refused(&job, "files", "tmp_bytes");
    job.name = "-";
    files[0].size = 16 * PAGE;
    assert_taken(&job);
    files[0].size++;
    assert_refused(&job, "files", "tmp_bytes");
    job = job_under(policy);
    job.code = memset(zeros, '#', sizeof(zeros));
    job.code_size = 16 * PAGE;
    assert_taken(&job);
    job.code_size++;
    assert_refused(&job, "code", "tmp_bytes");
    sb_policy_free(policy);
}

static void the_last_page_counts_where_tmp_bytes_ends_in_it(void **state)
{
    struct sb_policy *policy = load_good(*state, "{\"limits\":{\"tmp_bytes\":65537}}");
    struct sb_file file = {"a", zeros, 17 * PAGE, false};
    struct sb_job job = job_under(policy);
    job.name = "-c";
    job.files = &file;
    job.files_count = 1;
    assert_taken(&job);
    file.size++;
    assert_refused(&job, "files", "tmp_bytes");
    sb_policy_free(policy);
}

static void a_source_is_as_large_as_it_becomes(void **state)
{
    struct sb_policy *policy = load_good(*state, "{\"limits\":{\"tmp_bytes\":65536}}");
    static char source[16 * PAGE + 1];
    static const char declared[] = "# coding: l1\n"; /* becomes utf-8, three bytes more */
    memset(source, '#', sizeof(source));
    memcpy(source, declared, strlen(declared));
    struct sb_file file = {"a.py", source, 16 * PAGE - 3, true};
    struct sb_job job = job_under(policy);
    job.name = "-c";
    job.files = &file;
    job.files_count = 1;
    assert_taken(&job);
    file.size++;
    assert_refused(&job, "files", "tmp_bytes");
    file.path = "a.txt";
    assert_taken(&job);
    file.path = "a.py";
    file.text = false; /* bytes, which are what they say */
    assert_taken(&job);
    job = job_under(policy);
    job.code = source;
    job.code_size = 16 * PAGE - 3;
    assert_taken(&job);
    job.code_size++;
    assert_refused(&job, "code", "tmp_bytes");
    job.code_encoded = true;
    assert_taken(&job);
    sb_policy_free(policy);
}

static const char *string_of(size_t size)
{
    static char strings[4][STRING_MOST + 2];
    static size_t next;
    char *string = strings[next++ % 4];
    memset(string, 'x', size);
    string[size] = '\0';
    return string;
}

static void no_string_is_longer_than_execve_takes(void **state)
{
    struct sb_policy *policy = load_good(*state, "{}");
    for (size_t over = 0; over <= 1; over++) {
        const char *args[] = {string_of(STRING_MOST + over), NULL};
        struct sb_job job = job_under(policy);
        job.args = args;
        over ? assert_refused(&job, "args", "131071") : assert_taken(&job);
        char *entry = (char *)string_of(STRING_MOST + over);
        entry[1] = '=';
        const char *env[] = {entry, NULL};
        job = job_under(policy);
        job.env = env;
        over ? assert_refused(&job, "env", "131071") : assert_taken(&job);
        job = job_under(policy);
        job.call = string_of(STRING_MOST + over);
        over ? assert_refused(&job, "call", "131071") : assert_taken(&job);
        char *name = (char *)string_of(STRING_MOST + over);
        name[STRING_MOST - 5] = '/';
        job = job_under(policy);
        job.name = name;
        over ? assert_refused(&job, "name", "131071") : assert_taken(&job);
        char *module = (char *)string_of(STRING_MOST + over);
        for (size_t at = 200; at < STRING_MOST; at += 200)
            module[at] = '.';
        job = job_under(policy);
        job.code_size = 0;
        job.module = module;
        over ? assert_refused(&job, "module", "131071") : assert_taken(&job);
    }
    sb_policy_free(policy);
}

/* As many strings of 1000 bytes with NUL and pointer as fit beside what is ours. */
static size_t strings_that_fit(struct sb_job *job, const char *args[], const char *env[])
{
    size_t fit = 0;
    for (size_t count = 1; count < 3000; count++) {
        struct sb_error err;
        if (args != NULL)
            args[count - 1] = string_of(991);
        if (env != NULL) {
            char *entry = NULL;
            assert_true(asprintf(&entry, "N%zu=%.*s", count, 980, string_of(985)) > 0);
            env[count - 1] = entry;
        }
        if (sb_check(job, &err) == 0)
            fit = count;
        else
            assert_string_equal(err.field, args != NULL ? "args" : "env");
    }
    return fit;
}

static void args_and_the_whole_environment_fit_together(void **state)
{
    struct sb_policy *small = load_good(*state, "{}");
    char text[200000];
    int size = snprintf(text, sizeof(text), "{\"environment\":{");
    for (int i = 0; i < 60; i++)
        size += snprintf(text + size, sizeof(text) - (size_t)size, "%s\"P%d\":\"%.*s\"",
                         i > 0 ? "," : "", i, 985, string_of(990));
    snprintf(text + size, sizeof(text) - (size_t)size, "}}");
    struct sb_policy *large = load_good(*state, text);
    static const char *args[3001], *env[3001];
    struct sb_job job = job_under(small);
    job.args = args;
    size_t alone = strings_that_fit(&job, args, NULL);
    assert_in_range(alone, 2070, 2097); /* of 2 MiB, 1000 bytes each */
    job = job_under(large);
    memset(args, 0, sizeof(args));
    job.args = args;
    assert_in_range(alone - strings_that_fit(&job, args, NULL), 58, 60);
    job = job_under(small);
    job.env = env;
    assert_in_range(strings_that_fit(&job, NULL, env), alone - 10, alone + 25);
    for (size_t i = 0; env[i] != NULL; i++)
        free((char *)env[i]);
    sb_policy_free(small);
    sb_policy_free(large);
}

static void a_variable_in_place_of_the_policys_counts_alone(void **state)
{
    struct sb_policy *policy = load_good(*state, "{\"environment\":{\"A\":\"1\",\"B\":\"2\",\"AB\":"
                                                 "\"3\",\"A.\":\"4\",\"\xc3\xa4\":\"5\"}}");
    static const char *args[2100];
    static char first[3000];
    for (size_t i = 1; i < 2094; i++)
        args[i] = string_of(991);
    struct sb_job job = job_under(policy);
    struct sb_error err;
    args[0] = first;
    job.args = args;
    for (size_t i = 0; sb_check(&job, &err) == 0; i++) {
        assert_true(i < sizeof(first) - 1);
        first[i] = 'x';
    }
    first[strlen(first) - 1] = '\0'; /* not one byte more is taken now */
    const char *env[] = {"A=2", "B=3", "AB=4", "A=3", "A=1", "\xc3\xa4=6", NULL};
    job.env = env; /* no longer than what they stand for */
    assert_taken(&job);
    env[3] = "A=33"; /* does not count: a later one does */
    assert_taken(&job);
    env[4] = "A=11";
    assert_refused(&job, "args", "policy's environment");
    env[4] = "C=";
    assert_refused(&job, "args", "policy's environment");
    sb_policy_free(policy);
}

static void what_a_name_may_be_is_told(void **state)
{
    struct sb_policy *policy = load_good(*state, "{}");
    char longest[300], too_long[300], deep[1100];
    memset(longest, 'n', sizeof(longest));
    memset(too_long, 'n', sizeof(too_long));
    longest[255] = too_long[256] = '\0';
    for (size_t i = 0; i < 1026; i++)
        deep[i] = i % 2 == 0 ? 'd' : '/';
    deep[1023] = '\0';
    const char *good[] = {longest, deep, "a.b", "..a",  "a/..b", " ",
                          "-",     "\n", "./a", "a//b", "a/../b"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct sb_file file = {.path = good[i]};
        struct sb_job job = job_under(policy);
        job.files = &file;
        job.files_count = 1;
        assert_taken(&job);
    }
    deep[1023] = '/';
    deep[1025] = '\0';
    const char *bad[] = {too_long, deep, "", "/a", "a/", ".", "..", "a/..", "../a", "a/../../b"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct sb_file file = {.path = bad[i]};
        struct sb_job job = job_under(policy);
        job.files = &file;
        job.files_count = 1;
        assert_refused(&job, "files", "the file name '");
    }
    sb_policy_free(policy);
}

static void paths_are_counted_in_their_one_spelling(void **state)
{
    struct sb_policy *policy = load_good(*state, "{\"limits\":{\"tmp_files\":16}}");
    struct sb_file files[14] = {{.path = "a/./b//x"}, {.path = "c/../a/b/y"}};
    char names[14][8];
    for (size_t i = 2; i < ARRAY_LEN(files); i++) {
        snprintf(names[i], sizeof(names[i]), "a/n%zu", i);
        files[i].path = names[i];
    }
    struct sb_job job = job_under(policy);
    job.files = files;
    job.files_count = 13; /* and the script, a, a/b */
    assert_taken(&job);
    job.files_count = 14;
    assert_refused(&job, "files", "tmp_files allows 16");
    sb_policy_free(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(each_file_and_each_directory_on_its_way_is_counted_once),
        PLACE_TEST(sizes_are_of_whole_pages),
        PLACE_TEST(the_last_page_counts_where_tmp_bytes_ends_in_it),
        PLACE_TEST(a_source_is_as_large_as_it_becomes),
        PLACE_TEST(no_string_is_longer_than_execve_takes),
        PLACE_TEST(args_and_the_whole_environment_fit_together),
        PLACE_TEST(a_variable_in_place_of_the_policys_counts_alone),
        PLACE_TEST(what_a_name_may_be_is_told),
        PLACE_TEST(paths_are_counted_in_their_one_spelling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
