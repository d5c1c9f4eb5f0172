/* Tokens: lines of their file, who has one, and the commands that change the file. */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/util.h"
#include "serve/config/token_command.h"
#include "serve/config/tokens.h"

/* SHA-256 of "secret" and of "other" (FIPS 180-4; sha256sum says the same). */
#define SECRET "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"
#define OTHER "d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa"

static char directory[64], path[96];

static int set_up(void **state)
{
    (void)state;
    snprintf(directory, sizeof(directory), "/tmp/test_tokens.XXXXXX");
    if (mkdtemp(directory) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/tokens", directory);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(directory); /* fails when something else was left there */
}

static void write_text(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static struct tokens *load(void)
{
    struct tokens *tokens;
    struct sb_error err;
    if (tokens_load(&tokens, path, &err) < 0)
        fail_msg("%s", err.message);
    return tokens;
}

static void a_token_is_found_by_its_text_alone(void **state)
{
    (void)state;
    write_text("# who\nann " SECRET " policy=run rate=2.5 jobs=3 max-body=64M\n\nbob " OTHER "\n");
    struct tokens *tokens = load();
    assert_int_equal(tokens_count(tokens), 2);
    const struct token *ann = tokens_find(tokens, "secret", 6);
    assert_non_null(ann);
    assert_string_equal(ann->name, "ann");
    assert_string_equal(ann->policy, "run");
    assert_true(ann->rate > 2.49 && ann->rate < 2.51);
    assert_int_equal(ann->jobs, 3);
    assert_int_equal(ann->body_bytes, 64 << 20);
    assert_int_equal(tokens_most_body(tokens), 64 << 20);
    assert_int_equal(tokens_most_body(NULL), 0);
    const struct token *bob = tokens_find(tokens, "other", 5);
    assert_non_null(bob);
    assert_string_equal(bob->policy, "");
    assert_int_equal(bob->jobs, 0);
    static const char *const strangers[] = {"", "secre", "secret ", "Secret", "ann", SECRET};
    for (size_t i = 0; i < ARRAY_LEN(strangers); i++)
        assert_null(tokens_find(tokens, strangers[i], strlen(strangers[i])));
    tokens_free(tokens);
}

static void a_file_without_tokens_lets_nobody_in(void **state)
{
    (void)state;
    write_text("# nobody yet\n");
    struct tokens *tokens = load();
    assert_int_equal(tokens_count(tokens), 0);
    assert_null(tokens_find(tokens, "", 0));
    assert_null(tokens_find(tokens, "x", 1));
    tokens_free(tokens);
}

static void what_is_wrong_is_named_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } wrong[] = {
        {"ann\n", ":1: a line is NAME"},
        {"\nann 1234\n", ":2: a line is NAME"},
        {"ann " SECRET "0\n", ":1: a line is NAME"},
        {"an/n " SECRET "\n", ":1: a line is NAME"},
        {"ann " SECRET " speed=1\n", "'speed=1'"},
        {"ann " SECRET " rate=0\n", "'rate=0'"},
        {"ann " SECRET " rate=fast\n", "'rate=fast'"},
        {"ann " SECRET " jobs=-1\n", "'jobs=-1'"},
        {"ann " SECRET " jobs=1.5\n", "'jobs=1.5'"},
        {"ann " SECRET " max-body=0\n", "'max-body=0'"},
        {"ann " SECRET " max-body=2G\n", "max-body=SIZE (from 1 KiB to 1 GiB)"},
        {"ann " SECRET " policy=../x\n", "'policy=../x'"},
        {"ann " SECRET "\nann " OTHER "\n", ":2: there are two tokens named ann"},
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct tokens *tokens;
        struct sb_error err;
        write_text(wrong[i].text);
        assert_int_equal(tokens_load(&tokens, path, &err), -1);
        assert_says(&err, wrong[i].says);
        assert_sentence(&err);
    }
}

static void a_file_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    struct tokens *tokens;
    struct sb_error err;
    assert_int_equal(tokens_load(&tokens, path, &err), -1);
    assert_says(&err, "token add");
    assert_int_equal(tokens_load(&tokens, directory, &err), -1);
}

/* ── Commands ───────────────────────────────────────────────────────────────────────────────── */

/* What it prints on stdout goes to *printed (may be NULL). */
static int run(enum command_action action, const char *name, const char *rate, char printed[128],
               struct sb_error *err)
{
    struct command command = {
        .action = action, .name = name, .token_rate = rate, .config.tokens = path};
    char text[128] = "";
    fflush(stdout);
    FILE *catch = tmpfile();
    int saved = dup(1), saved_err = dup(2), quiet = open("/dev/null", O_WRONLY);
    dup2(fileno(catch), 1);
    dup2(quiet, 2);
    int result = token_command(&command, err);
    fflush(stdout);
    dup2(saved, 1);
    dup2(saved_err, 2);
    close(saved);
    close(saved_err);
    close(quiet);
    rewind(catch);
    text[fread(text, 1, sizeof(text) - 1, catch)] = '\0';
    fclose(catch);
    if (printed != NULL)
        memcpy(printed, text, sizeof(text));
    return result;
}

static void a_new_token_opens_and_is_kept_as_a_hash_alone(void **state)
{
    (void)state;
    struct sb_error err;
    char printed[128];
    assert_int_equal(run(ACTION_TOKEN_ADD, "ann", "2", printed, &err), 0);
    size_t size = strcspn(printed, "\n");
    assert_true(size >= 64); /* 256 bits in hexadecimal, and a prefix */

    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    char kept[512] = "";
    FILE *file = fopen(path, "r");
    assert_true(fread(kept, 1, sizeof(kept) - 1, file) > 0);
    fclose(file);
    printed[size] = '\0';
    assert_null(strstr(kept, printed));
    assert_null(strstr(kept, strchr(printed, '_') + 1));

    struct tokens *tokens = load();
    const struct token *ann = tokens_find(tokens, printed, size);
    assert_non_null(ann);
    assert_string_equal(ann->name, "ann");
    assert_true(ann->rate > 1.99 && ann->rate < 2.01);
    tokens_free(tokens);
}

static void no_two_tokens_are_alike(void **state)
{
    (void)state;
    struct sb_error err;
    char first[128], second[128];
    assert_int_equal(run(ACTION_TOKEN_ADD, "ann", NULL, first, &err), 0);
    assert_int_equal(run(ACTION_TOKEN_ADD, "bob", NULL, second, &err), 0);
    assert_string_not_equal(first, second);
}

static void adding_and_removing_keep_the_rest_of_the_file(void **state)
{
    (void)state;
    struct sb_error err;
    write_text("# comment\nann " SECRET " jobs=3\nbob " OTHER "\n");
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(run(ACTION_TOKEN_ADD, "eve", NULL, NULL, &err), 0);
    assert_int_equal(run(ACTION_TOKEN_REMOVE, "ann", NULL, NULL, &err), 0);
    assert_int_equal(run(ACTION_TOKEN_REMOVE, "eve", NULL, NULL, &err), 0);
    char kept[512] = "";
    FILE *file = fopen(path, "r");
    assert_true(fread(kept, 1, sizeof(kept) - 1, file) > 0);
    fclose(file);
    assert_string_equal(kept, "# comment\nbob " OTHER "\n");
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
}

static void what_can_not_be_done_leaves_the_file_as_it_was(void **state)
{
    (void)state;
    static const struct {
        enum command_action action;
        const char *name, *rate, *says;
    } wrong[] = {
        {ACTION_TOKEN_ADD, "ann", NULL, "a token named ann exists already"},
        {ACTION_TOKEN_ADD, "a b", NULL, "can't be a token's name"},
        {ACTION_TOKEN_ADD, "", NULL, "can't be a token's name"},
        {ACTION_TOKEN_ADD, "bob", "fast", "rate=fast"},
        {ACTION_TOKEN_ADD, "bob", "1 jobs=5", "--rate can't be"},
        {ACTION_TOKEN_REMOVE, "bob", NULL, "there is no token named bob"},
        {ACTION_TOKEN_REMOVE, "an", NULL, "there is no token named an"},
    };
    write_text("ann " SECRET "\n");
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct sb_error err;
        assert_int_equal(run(wrong[i].action, wrong[i].name, wrong[i].rate, NULL, &err), -1);
        assert_says(&err, wrong[i].says);
        struct tokens *tokens = load();
        assert_int_equal(tokens_count(tokens), 1);
        assert_non_null(tokens_find(tokens, "secret", 6));
        tokens_free(tokens);
    }
}

static void a_list_shows_names_and_limits_and_no_hash(void **state)
{
    (void)state;
    struct sb_error err;
    char printed[128];
    write_text("ann " SECRET " policy=run jobs=3 max-body=4096\n# x\nbob " OTHER "\n");
    assert_int_equal(run(ACTION_TOKEN_LIST, NULL, NULL, printed, &err), 0);
    assert_non_null(strstr(printed, "ann"));
    assert_non_null(strstr(printed, "policy=run jobs=3 max-body=4096"));
    assert_non_null(strstr(printed, "bob"));
    assert_null(strstr(printed, "2bb80d"));
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(a_token_is_found_by_its_text_alone),
        EACH(a_file_without_tokens_lets_nobody_in),
        EACH(what_is_wrong_is_named_with_its_line),
        EACH(a_file_that_is_not_there_is_an_error),
        EACH(a_new_token_opens_and_is_kept_as_a_hash_alone),
        EACH(no_two_tokens_are_alike),
        EACH(adding_and_removing_keep_the_rest_of_the_file),
        EACH(what_can_not_be_done_leaves_the_file_as_it_was),
        EACH(a_list_shows_names_and_limits_and_no_hash),
    };
    return cmocka_run_group_tests_name("tokens", tests, NULL, NULL);
}
