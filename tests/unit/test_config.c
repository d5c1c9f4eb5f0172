/* Options of the service: the table, the configuration file, the command line. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/util.h"
#include "serve/config/command.h"
#include "serve/config/config.h"

/* A file with this text; the caller unlinks it. */
static char *write_file(const char *text, size_t size)
{
    static char path[64];
    snprintf(path, sizeof(path), "/tmp/test_config.XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, size), size);
    close(fd);
    return path;
}

static int read_text(struct config *config, const char *text, size_t size, struct sb_error *err)
{
    struct config_reader reader;
    assert_int_equal(config_begin(&reader, config, err), 0);
    char *path = write_file(text, size);
    int result = config_read(&reader, path, true, err);
    unlink(path);
    config_reader_end(&reader);
    return result;
}

static void each_row_has_a_name_of_its_own_and_a_good_standard_value(void **state)
{
    (void)state;
    struct config config;
    struct config_reader reader;
    struct sb_error err;
    assert_int_equal(config_begin(&reader, &config, &err), 0);
    for (size_t i = 0; i < config_options.count; i++) {
        const struct option_row *row = &config_options.rows[i];
        assert_true(strlen(row->help) > 0);
        if (row->read == NULL)
            continue;
        assert_ptr_equal(option_find(&config_options, row->name), row);
        assert_true(row->argument != NULL || row->read == option_flag);
    }
    assert_int_equal(config_check(&config, &err), 0);
    config_reader_end(&reader);
    config_free(&config);
}

static void the_standard_listens_on_loopback_alone(void **state)
{
    (void)state;
    struct config config;
    struct sb_error err;
    assert_int_equal(read_text(&config, "", 0, &err), 0);
    assert_string_equal(config.listen[0], "127.0.0.1:8000");
    assert_null(config.listen[1]);
    assert_false(config.insecure);
    assert_int_equal(config.socket_mode, 0660);
    assert_int_equal(config.body_bytes, 32 * 1024 * 1024);
    assert_int_equal(config.header_timeout_ms, 10000);
    config_free(&config);
}

static void a_file_sets_values_with_units_comments_and_lists(void **state)
{
    (void)state;
    static const char text[] = "# a comment\n"
                               "\n"
                               "listen = 127.0.0.1:1   # behind a value\n"
                               "  listen=unix:/run/x#y\n"
                               "max-body = 64K\r\n"
                               "queue-time = 500ms\n"
                               "rate = 0.5\n"
                               "insecure = yes\n"
                               "socket-mode = 0600\n"
                               "cgroup = v1\n"
                               "allow-missing = proc, hostname\n"
                               "uid-range = 300000:10";
    struct config config;
    struct sb_error err;
    assert_int_equal(read_text(&config, text, sizeof(text) - 1, &err), 0);
    assert_string_equal(config.listen[0], "127.0.0.1:1");
    assert_string_equal(config.listen[1], "unix:/run/x#y"); /* no space before it: no comment */
    assert_null(config.listen[2]);
    assert_int_equal(config.body_bytes, 65536);
    assert_int_equal(config.queue_time_ms, 500);
    assert_true(config.rate > 0.49 && config.rate < 0.51);
    assert_true(config.insecure);
    assert_int_equal(config.socket_mode, 0600);
    assert_int_equal(config.cgroup, SB_CGROUP_V1);
    assert_int_equal(config.allow_missing, SB_MISSING_PROC | SB_MISSING_HOSTNAME);
    assert_int_equal(config.uid_first, 300000);
    assert_int_equal(config.uid_count, 10);
    config_free(&config);
}

static void what_is_wrong_in_a_file_is_named_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says, *field;
    } wrong[] = {
        {"\n\nworkres = 2\n", ":3: there is no option 'workres', but there is 'workers'",
         "workres"},
        {"workers\n", ":1: 'workers' is not a line of the form name = value", "workers"},
        {"workers = 2\nworkers = 3\n", ":2: workers is set a second time", "workers"},
        {"workers = two\n", ":1: workers can't be 'two'", "workers"},
        {"workers = 0\n", "from 1 to 256", "workers"},
        {"workers =\n", ":1: workers can't be ''", "workers"},
        {"tokens = # none\n", ":1: tokens takes FILE, not an empty text", "tokens"},
        {"max-body = 1T\n", "from 1 KiB to 1 GiB", "max-body"},
        {"queue-time = 10 parsecs\n", "queue-time can't be '10 parsecs'", "queue-time"},
        {"rate = nan\n", "rate can't be 'nan'", "rate"},
        {"rate = -1\n", "rate can't be '-1'", "rate"},
        {"insecure = perhaps\n", "insecure is yes or no", "insecure"},
        {"socket-mode = 0888\n", "octal mode", "socket-mode"},
        {"socket-mode = 01777\n", "octal mode", "socket-mode"},
        {"cgroup = v3\n", "not 'v3'", "cgroup"},
        {"uid-range = 0:10\n", "without uid 0", "uid-range"},
        {"allow-missing = all\n", "allow-missing: there is no 'all'", "allow-missing"},
        {"allow-missing =\n", "memory, cpu, pids", "allow-missing"},
        {"config = /etc/other\n", "there is no option 'config'", "config"},
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct config config;
        struct sb_error err;
        assert_int_equal(read_text(&config, wrong[i].text, strlen(wrong[i].text), &err), -1);
        assert_says(&err, wrong[i].says);
        assert_says(&err, "/tmp/test_config.");
        assert_sentence(&err);
        assert_string_equal(err.field, wrong[i].field);
        config_free(&config);
    }
}

static void a_nul_or_an_endless_line_is_refused(void **state)
{
    (void)state;
    static const char nul[] = "tokens = /etc/x\0y\nworkers = 2\n";
    struct config config;
    struct sb_error err;
    assert_int_equal(read_text(&config, nul, sizeof(nul) - 1, &err), -1);
    assert_says(&err, "NUL");
    config_free(&config);
    char *endless = malloc(100000);
    memset(endless, 'a', 100000);
    assert_int_equal(read_text(&config, endless, 100000, &err), -1);
    assert_says(&err, ":1: a line may have");
    config_free(&config);
    free(endless);
}

static void a_file_that_is_named_must_be_there(void **state)
{
    (void)state;
    struct config config;
    struct config_reader reader;
    struct sb_error err;
    assert_int_equal(config_begin(&reader, &config, &err), 0);
    assert_int_equal(config_read(&reader, "/nonexistent/serve.conf", false, &err), 0);
    assert_int_equal(config_read(&reader, "/nonexistent/serve.conf", true, &err), -1);
    assert_says(&err, "/nonexistent/serve.conf");
    assert_int_equal(config_read(&reader, "/dev/zero", true, &err), -1);
    assert_says(&err, "is not a file");
    config_reader_end(&reader);
    config_free(&config);
}

static void values_that_do_not_fit_each_other_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } wrong[] = {
        {"tls-cert = /x\n", "--tls-key"},
        {"tls-key = /x\n", "--tls-cert"},
        {"origin = *\n", "every page"},
        {"origin = example.org\n", "an origin is"},
        {"origin = https://example.org/path\n", "an origin is"},
        {"origin = https://\n", "an origin is"},
        {"jobs = 3\nuid-range = 1000:2\n", "widen"},
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct config config;
        struct sb_error err;
        assert_int_equal(read_text(&config, wrong[i].text, strlen(wrong[i].text), &err), 0);
        assert_int_equal(config_check(&config, &err), -1);
        assert_says(&err, wrong[i].says);
        config_free(&config);
    }
}

/* ── The command line ───────────────────────────────────────────────────────────────────────── */

static int parse(struct command *command, struct sb_error *err, const char *words)
{
    static char text[512];
    static char *argv[32];
    int argc = 0;
    snprintf(text, sizeof(text), "sandbox-serve %s", words);
    for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " "))
        argv[argc++] = word;
    argv[argc] = NULL;
    return command_parse(command, argc, argv, err);
}

static void the_command_line_overrules_environment_and_file(void **state)
{
    (void)state;
    static const char text[] = "policies = /from/file\nrootfs = /from/file\nqueue = 7\n"
                               "insecure = yes\nhost = a\nhost = b\n";
    char words[256];
    char *path = write_file(text, sizeof(text) - 1);
    setenv("SANDBOX_POLICIES", "/from/environment", 1);
    setenv("SANDBOX_ROOTFS", "/from/environment", 1);
    struct command command;
    struct sb_error err;
    snprintf(words, sizeof(words), "--config %s --rootfs /from/line --insecure=no --host c", path);
    assert_int_equal(parse(&command, &err, words), 0);
    assert_int_equal(command.action, ACTION_SERVE);
    assert_string_equal(command.config.policies, "/from/environment");
    assert_string_equal(command.config.rootfs, "/from/line");
    assert_int_equal(command.config.queue, 7);
    assert_false(command.config.insecure);
    assert_string_equal(command.config.hosts[0], "c"); /* in place of the file's whole list */
    assert_null(command.config.hosts[1]);
    command_free(&command);
    unlink(path);
    unsetenv("SANDBOX_POLICIES");
    unsetenv("SANDBOX_ROOTFS");
}

static void rate_and_jobs_of_a_new_token_are_the_tokens(void **state)
{
    (void)state;
    struct command command;
    struct sb_error err;
    assert_int_equal(
        parse(&command, &err, "token add ann --tokens /t --rate 5 --jobs 2 --policy run"), 0);
    assert_int_equal(command.action, ACTION_TOKEN_ADD);
    assert_string_equal(command.name, "ann");
    assert_string_equal(command.token_rate, "5");
    assert_string_equal(command.token_jobs, "2");
    assert_string_equal(command.token_policy, "run");
    assert_true(command.config.rate < 0.001);
    assert_int_equal(command.config.jobs, 0);
    assert_string_equal(command.config.tokens, "/t");
    command_free(&command);
}

static void what_is_wrong_on_the_command_line_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *words, *says;
    } wrong[] = {
        {"--nonsense", "there is no option --nonsense"},
        {"-x", "there is no option -x"},
        {"--workers", "--workers needs a value: --workers N"},
        {"--workers 1000", "--workers can't be 1000"},
        {"--help=x", "--help takes no value"},
        {"script.py", "sandbox-run"},
        {"token", "token add NAME"},
        {"token add", "token add NAME"},
        {"token add a b", "token add NAME"},
        {"token list x", "token add NAME"},
        {"token drop x", "token add NAME"},
        {"--policy run", "--policy belongs to token add"},
        {"--config /nonexistent", "/nonexistent"},
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct command command;
        struct sb_error err;
        assert_int_equal(parse(&command, &err, wrong[i].words), -1);
        assert_says(&err, wrong[i].says);
        assert_sentence(&err);
        command_free(&command);
    }
}

static void no_configuration_file_can_be_asked_for(void **state)
{
    (void)state;
    static const char *const forms[] = {"--config none", "--config=none", "--config="};
    struct command command;
    struct sb_error err;
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        assert_int_equal(parse(&command, &err, forms[i]), 0);
        assert_string_equal(command.config.listen[0], "127.0.0.1:8000");
        command_free(&command);
    }
    assert_int_equal(parse(&command, &err, "--config ./none"), -1);
    assert_says(&err, "./none");
    command_free(&command);
}

static void help_and_version_need_no_configuration(void **state)
{
    (void)state;
    struct command command;
    struct sb_error err;
    assert_int_equal(parse(&command, &err, "--help --config /nonexistent"), 0);
    assert_int_equal(command.action, ACTION_HELP);
    command_free(&command);
    assert_int_equal(parse(&command, &err, "--version"), 0);
    assert_int_equal(command.action, ACTION_VERSION);
    command_free(&command);
}

int main(void)
{
    unsetenv("SANDBOX_POLICIES");
    unsetenv("SANDBOX_ROOTFS");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_has_a_name_of_its_own_and_a_good_standard_value),
        cmocka_unit_test(the_standard_listens_on_loopback_alone),
        cmocka_unit_test(a_file_sets_values_with_units_comments_and_lists),
        cmocka_unit_test(what_is_wrong_in_a_file_is_named_with_its_line),
        cmocka_unit_test(a_nul_or_an_endless_line_is_refused),
        cmocka_unit_test(a_file_that_is_named_must_be_there),
        cmocka_unit_test(values_that_do_not_fit_each_other_are_refused),
        cmocka_unit_test(the_command_line_overrules_environment_and_file),
        cmocka_unit_test(rate_and_jobs_of_a_new_token_are_the_tokens),
        cmocka_unit_test(what_is_wrong_on_the_command_line_is_named),
        cmocka_unit_test(no_configuration_file_can_be_asked_for),
        cmocka_unit_test(help_and_version_need_no_configuration),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
