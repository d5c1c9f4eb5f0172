/* Requests: how each field reaches the job, and which field an error names. The policies are the
 * shipped ones. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/util.h"
#include "serve/contracts/request.h"

static int read_text(struct request *request, enum endpoint endpoint, const char *text,
                     struct sb_error *err)
{
    *err = (struct sb_error){0};
    return request_read(request, endpoint, text, strlen(text), err);
}

static void read_good(struct request *request, enum endpoint endpoint, const char *text)
{
    struct sb_error err;
    if (read_text(request, endpoint, text, &err) < 0)
        fail_msg("%s: %s", text, err.message);
}

static void every_field_reaches_the_job(void **state)
{
    (void)state;
    static const char text[] =
        "{\"code\":\"print(1)\",\"name\":\"a/"
        "b.py\",\"base64\":true,\"stdin\":\"a\\u0000b\",\"args\":[\"x\",\"\"],"
        "\"env\":{\"A\":\"1=2\",\"donn\\u00e9es\":\"\"},\"policy\":\"run_code\",\"timeout\":2.5,"
        "\"limits\":{\"memory_bytes\":67108864,\"cpus\":0.25,\"pids\":null},\"call\":\"main\","
        "\"files\":{\"b.txt\":\"B\\u0000\",\"donn\\u00e9es.csv\":\"\"}}";
    struct request request;
    read_good(&request, ENDPOINT_RUN, text);
    const struct sb_job *job = &request.job;
    assert_int_equal(request.contract, NATIVE);
    assert_int_equal(job->code_size, 8);
    assert_memory_equal(job->code, "print(1)", 8);
    assert_string_equal(job->name, "a/b.py");
    assert_true(request.base64);
    assert_int_equal(job->stdin_size, 3);
    assert_memory_equal(job->stdin_data, "a\0b", 3);
    assert_string_equal(job->args[0], "x");
    assert_string_equal(job->args[1], "");
    assert_null(job->args[2]);
    assert_string_equal(job->env[0], "A=1=2");
    assert_string_equal(job->env[1], "donn\xc3\xa9"
                                     "es=");
    assert_null(job->env[2]);
    assert_string_equal(request.policy, "run_code");
    assert_string_equal(job->call, "main");
    assert_int_equal(job->limits.value[SB_WALL_TIME_MS], 2500);
    assert_int_equal(job->limits.value[SB_MEMORY_BYTES], 67108864);
    assert_int_equal(job->limits.value[SB_MILLICPUS], 250);
    assert_int_equal(job->limits.value[SB_PIDS], SB_UNSET);
    assert_int_equal(job->files_count, 2);
    assert_string_equal(job->files[0].path, "b.txt");
    assert_int_equal(job->files[0].size, 2);
    assert_string_equal(job->files[1].path, "donn\xc3\xa9"
                                            "es.csv");
    request_free(&request);
}

static void a_main_among_the_files_is_the_code(void **state)
{
    (void)state;
    struct request request;
    read_good(&request, ENDPOINT_RUN,
              "{\"files\":{\"a.py\":\"A\",\"main.py\":\"import a\",\"b.py\":\"B\"}}");
    assert_memory_equal(request.job.code, "import a", 8);
    assert_int_equal(request.job.files_count, 2);
    assert_string_equal(request.job.files[0].path, "a.py");
    assert_string_equal(request.job.files[1].path, "b.py");
    request_free(&request);
}

static void a_main_is_a_file_like_any_other_where_the_code_has_a_name(void **state)
{
    (void)state;
    struct request request;
    read_good(&request, ENDPOINT_RUN,
              "{\"code\":\"import main\",\"files\":{\"main.py\":\"M\"},\"name\":\"x.py\"}");
    assert_memory_equal(request.job.code, "import main", 11);
    assert_int_equal(request.job.files_count, 1);
    assert_string_equal(request.job.files[0].path, "main.py");
    request_free(&request);
}

static void files_and_input_may_be_bytes(void **state)
{
    (void)state;
    struct request request;
    read_good(&request, ENDPOINT_RUN,
              "{\"code\":\"1\",\"stdin\":{\"base64\":\"/wA=\"},\"files\":{"
              "\"a\":{\"base64\":\"AP8=\"},\"b\":{\"base64\":\"\"},\"c\":{\"text\":\"C\"},"
              "\"d\":{\"size\":9,\"type\":\"image/png\",\"base64\":\"iVBO\"},"
              "\"e\":{\"text\":\"E\",\"type\":null,\"size\":{}}}}");
    static const struct {
        const char *path, *data;
        size_t size;
        bool text;
    } files[] = {
        {"a", "\0\xff", 2, false}, {"b", "", 0, false}, {"c", "C", 1, true},
        {"d", "\x89PN", 3, false}, {"e", "E", 1, true},
    };
    assert_int_equal(request.job.stdin_size, 2);
    assert_memory_equal(request.job.stdin_data, "\xff\0", 2);
    assert_int_equal(request.job.files_count, ARRAY_LEN(files));
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        const struct sb_file *file = &request.job.files[i];
        assert_string_equal(file->path, files[i].path);
        assert_int_equal(file->size, files[i].size);
        assert_memory_equal(file->data, files[i].data, files[i].size);
        assert_int_equal(file->text, files[i].text);
    }
    request_free(&request);
    read_good(&request, ENDPOINT_RUN, "{\"files\":{\"main.py\":{\"base64\":\"cGFzcw==\"}}}");
    assert_memory_equal(request.job.code, "pass", 4);
    assert_true(request.job.code_encoded);
    request_free(&request);
}

static void null_is_as_good_as_nothing(void **state)
{
    (void)state;
    struct request request;
    read_good(&request, ENDPOINT_RUN,
              "{\"code\":\"1\",\"files\":null,\"stdin\":null,\"args\":null,\"env\":null,"
              "\"policy\":null,\"timeout\":null,\"limits\":null,\"call\":null}");
    assert_null(request.job.args);
    assert_null(request.job.call);
    request_free(&request);
}

static void code_that_is_empty_is_code(void **state)
{
    (void)state;
    static const struct {
        enum endpoint endpoint;
        const char *text;
        enum contract_id contract;
    } rows[] = {
        {ENDPOINT_RUN, "{\"code\":\"\"}", NATIVE},
        {ENDPOINT_RUN, "{\"files\":{\"main.py\":\"\"}}", NATIVE},
        {ENDPOINT_RUN_CODE, "{\"code\":\"\"}", RUN_CODE},
        {ENDPOINT_EXECUTE, "{\"code\":\"\"}", EXECUTE},
        {ENDPOINT_EXECUTE, "{\"script\":\"\"}", EXECUTE_SCRIPT},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct request request;
        read_good(&request, rows[i].endpoint, rows[i].text);
        assert_int_equal(request.contract, rows[i].contract);
        assert_non_null(request.job.code);
        assert_int_equal(request.job.code_size, 0);
        request_free(&request);
    }
}

static void a_byte_order_mark_is_passed_over(void **state)
{
    (void)state;
    struct request request;
    read_good(&request, ENDPOINT_RUN, "\xef\xbb\xbf{\"code\":\"1\"}");
    assert_int_equal(request.job.code_size, 1);
    request_free(&request);
}

static void the_contracts_have_their_own_fields(void **state)
{
    (void)state;
    static const struct {
        enum endpoint endpoint;
        const char *text;
        enum contract_id contract;
        const char *call;
        int64_t wall_time_ms;
    } cases[] = {
        {ENDPOINT_RUN, "{\"code\":\"1\"}", NATIVE, NULL, SB_UNSET},
        {ENDPOINT_RUN_CODE, "{\"code\":\"1\"}", RUN_CODE, NULL, SB_UNSET},
        {ENDPOINT_EXECUTE, "{\"code\":\"1\"}", EXECUTE, NULL, SB_UNSET},
        {ENDPOINT_EXECUTE, "{\"code\":\"1\",\"timeout\":7}", EXECUTE, NULL, 7000},
        {ENDPOINT_EXECUTE, "{\"code\":\"1\",\"timeout\":7.0}", EXECUTE, NULL, 7000},
        {ENDPOINT_EXECUTE, "{\"script\":\"1\"}", EXECUTE_SCRIPT, "main", SB_UNSET},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct request request;
        read_good(&request, cases[i].endpoint, cases[i].text);
        assert_int_equal(request.contract, cases[i].contract);
        if (cases[i].call == NULL)
            assert_null(request.job.call);
        else
            assert_string_equal(request.job.call, cases[i].call);
        assert_int_equal(request.job.limits.value[SB_WALL_TIME_MS], cases[i].wall_time_ms);
        assert_memory_equal(request.job.code, "1", 1);
        request_free(&request);
    }
}

static const struct {
    enum endpoint endpoint;
    const char *text, *field, *says;
} bad[] = {
    {ENDPOINT_RUN, "", "", "ends"},
    {ENDPOINT_RUN, "[]", "", "JSON object"},
    {ENDPOINT_RUN, "{\"code\":\"a\",\"code\":\"b\"}", "code", "twice"},
    {ENDPOINT_RUN, "{\"code\":\"\\ud800\"}", "code", "half of a character"},
    {ENDPOINT_RUN, "{}", "code", "\"files\" with a main.py"},
    {ENDPOINT_RUN, "{\"code\":null}", "code", "no code"},
    {ENDPOINT_RUN, "{\"code\":1}", "code", "must be a string, not an integer"},
    {ENDPOINT_RUN, "{\"files\":{\"a.py\":\"1\"}}", "code", "no code"},
    {ENDPOINT_RUN, "{\"files\":[]}", "files", "not an array"},
    {ENDPOINT_RUN, "{\"files\":{\"main.py\":1}}", "files.main.py", "not an integer"},
    {ENDPOINT_RUN, "{\"files\":{\"main.py\":null}}", "files.main.py", "not null"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"files\":{\"main.py\":\"2\"}}", "files", "one of the two"},
    {ENDPOINT_RUN, "{\"code\":{\"base64\":\"cGFzcw=\"}}", "code", "RFC 4648"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"files\":{\"a\":{}}}", "files.a", "{\"base64\": a string}"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"files\":{\"a\":{\"size\":1}}}", "files.a", "base64"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"files\":{\"a\":{\"Base64\":\"\"}}}", "files.a", "base64"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"files\":{\"a\":{\"base64\":\"\",\"text\":\"\"}}}", "files.a",
     "base64"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"files\":{\"a\":{\"base64\":\"AA=\"}}}", "files.a.base64",
     "RFC 4648"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"files\":{\"a\":{\"base64\":\"AA==\\nAA==\"}}}",
     "files.a.base64", "without line breaks"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"files\":{\"a\":{\"base64\":\"AA\\u0000=\"}}}",
     "files.a.base64", "RFC 4648"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"files\":{\"a\":{\"base64\":\"\\u00e9\\u00e9\"}}}",
     "files.a.base64", "RFC 4648"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"files\":{\"a\":{\"base64\":null}}}", "files.a.base64",
     "not null"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"files\":{\"a\":{\"text\":[]}}}", "files.a.text",
     "not an array"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"stdin\":{\"base64\":\"A\"}}", "stdin.base64", "RFC 4648"},
    {ENDPOINT_RUN, "{\"name\":\"x.py\",\"files\":{\"main.py\":\"2\"}}", "code", "no code"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"name\":1}", "name", "must be a string, not an integer"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"name\":\"a\\u0000b\"}", "name", "NUL"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"base64\":\"yes\"}", "base64", "must be true or false"},
    {ENDPOINT_RUN_CODE, "{\"code\":\"1\",\"name\":\"x.py\"}", "name", "unknown field"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"Stdin\":\"\"}", "Stdin",
     "use name, module, files, code, stdin"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"script\":\"\"}", "script", "unknown field \"script\""},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"nonsense\":1}", "nonsense", "base64, cases, stop"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"stdin\":1}", "stdin", "must be a string"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"args\":\"a\"}", "args", "must be an array"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"args\":[\"a\",1]}", "args[1]", "must be a string"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"args\":[null]}", "args[0]", "not null"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"args\":[\"a\\u0000\"]}", "args[0]", "NUL"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"env\":[]}", "env", "must be an object"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"env\":{\"A\":1}}", "env.A", "must be a string"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"env\":{\"\":\"\"}}", "env.", "empty"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"env\":{\"A=B\":\"\"}}", "env.A=B", "="},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"env\":{\"A\":\"\\u0000\"}}", "env.A", "NUL"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"policy\":5}", "policy", "must be a string"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"call\":true}", "call", "not a boolean"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"call\":\"a\\u0000\"}", "call", "NUL"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"timeout\":\"5\"}", "timeout", "a number of seconds"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"timeout\":0}", "timeout", "at least 0.001"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"timeout\":-1}", "timeout", "at least"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"timeout\":-1e999}", "timeout", "at least"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"timeout\":1,\"limits\":{\"wall_time_ms\":1}}", "timeout",
     "one of the two"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"limits\":[]}", "limits", "must be an object"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"limits\":{\"memory\":1}}", "limits.memory", "unknown limit"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"limits\":{\"pids\":0}}", "limits.pids", "at least 1"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"limits\":{\"pids\":-1}}", "limits.pids", "at least 1"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"limits\":{\"pids\":1.5}}", "limits.pids", "an integer"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"limits\":{\"pids\":\"1\"}}", "limits.pids", "an integer"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"limits\":{\"cpus\":0}}", "limits.cpus", "at least 0.01"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"limits\":{\"cpus\":true}}", "limits.cpus", "a number"},
    {ENDPOINT_RUN_CODE, "{}", "code", "no code"},
    {ENDPOINT_RUN_CODE, "{\"code\":\"1\",\"timeout\":5}", "timeout", "use code"},
    {ENDPOINT_EXECUTE, "{}", "code", "\"script\" with a function main()"},
    {ENDPOINT_EXECUTE, "{\"code\":\"1\",\"script\":\"2\"}", "script", "not both"},
    {ENDPOINT_EXECUTE, "{\"code\":\"1\",\"timeout\":2.5}", "timeout", "a whole number"},
    {ENDPOINT_EXECUTE, "{\"code\":\"1\",\"timeout\":0}", "timeout", "at least 1"},
    {ENDPOINT_EXECUTE, "{\"code\":\"1\",\"timeout\":true}", "timeout", "a whole number"},
    {ENDPOINT_EXECUTE, "{\"code\":\"1\",\"timeout\":1e999}", "", ""}, /* a cap's matter */
    {ENDPOINT_EXECUTE, "{\"script\":\"1\",\"timeout\":5}", "timeout", "use script"},
    {ENDPOINT_EXECUTE, "{\"script\":[]}", "script", "must be a string"},
};

static void what_is_wrong_is_refused_by_its_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct request request;
        struct sb_error err;
        int result = read_text(&request, bad[i].endpoint, bad[i].text, &err);
        if (result == 0 && bad[i].says[0] != '\0')
            fail_msg("this was taken: %s", bad[i].text);
        if (result < 0) {
            if (strcmp(err.field, bad[i].field) != 0)
                fail_msg("%s: the field is \"%s\"", bad[i].text, err.field);
            assert_says(&err, bad[i].says);
            assert_sentence(&err);
        }
        request_free(&request);
    }
}

static void a_name_has_at_most_1024_bytes(void **state)
{
    (void)state;
    char text[1100];
    for (int length = 1024; length <= 1025; length++) {
        struct request request;
        struct sb_error err;
        snprintf(text, sizeof(text), "{\"code\":\"1\",\"name\":\"%0*d\"}", length, 0);
        assert_int_equal(read_text(&request, ENDPOINT_RUN, text, &err), length == 1024 ? 0 : -1);
        if (length > 1024)
            assert_says(&err, "at most 1024 bytes");
        request_free(&request);
    }
}

static const struct {
    enum endpoint endpoint;
    const char *text, *policy, *field, *says;
} above[] = {
    {ENDPOINT_RUN, "{\"code\":\"1\",\"timeout\":11}", "run", "timeout",
     "timeout can't be 11 seconds: policy \"run\" allows up to 10 seconds (caps.wall_time_ms)"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"timeout\":1e999}", "run", "timeout", "up to 10 seconds"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"limits\":{\"wall_time_ms\":10001}}", "run",
     "limits.wall_time_ms", "wall_time_ms can't be 10.001 seconds"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"limits\":{\"memory_bytes\":134217729}}", "run",
     "limits.memory_bytes", "up to 128 MiB (caps.memory_bytes)"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"limits\":{\"pids\":99999999999999999999999}}", "run",
     "limits.pids", "(caps.pids)"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"limits\":{\"cpus\":1e300}}", "run", "limits.cpus",
     "(caps.cpus)"},
    {ENDPOINT_RUN, "{\"code\":\"a\\u0000b\"}", "run", "code", "the code has a NUL byte"},
    {ENDPOINT_RUN, "{\"files\":{\"main.py\":\"a\\u0000b\"}}", "run", "files.main.py", "NUL byte"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"call\":\"a b\"}", "run", "call", "name of a function"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"files\":{\"../x\":\"\"}}", "run", "files", "../x"},
    {ENDPOINT_RUN, "{\"code\":\"1\",\"files\":{\"a\":\"\",\"a/b\":\"\"}}", "run", "files", "a/b"},
    {ENDPOINT_RUN, "{\"files\":{\"main.py\":\"1\",\"main.py/b\":\"\"}}", "run", "files",
     "main.py/b"},
    {ENDPOINT_EXECUTE, "{\"code\":\"1\",\"timeout\":61}", "execute", "timeout", "up to 60 seconds"},
    {ENDPOINT_EXECUTE, "{\"script\":\"\\u0000x\"}", "execute_script", "script", "NUL byte"},
};

static void what_a_policy_does_not_allow_is_refused_with_its_cap(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(above); i++) {
        struct request request;
        struct sb_error err;
        struct sb_policy *policy;
        assert_int_equal(sb_policy_load(&policy, SB_POLICY_SOURCE, above[i].policy, &err), 0);
        read_good(&request, above[i].endpoint, above[i].text);
        if (request_check(&request, policy, &err) == 0)
            fail_msg("this was taken: %s", above[i].text);
        if (strcmp(err.field, above[i].field) != 0)
            fail_msg("%s: the field is \"%s\"", above[i].text, err.field);
        assert_says(&err, above[i].says);
        request_free(&request);
        sb_policy_free(policy);
    }
}

static void code_that_is_as_long_as_allowed_is_taken(void **state)
{
    (void)state;
    struct sb_error err;
    struct sb_policy *policy;
    assert_int_equal(sb_policy_load(&policy, SB_POLICY_SOURCE, "run", &err), 0);
    for (int size = 5000; size <= 5001; size++) {
        struct request request;
        char text[6000];
        snprintf(text, sizeof(text), "{\"code\":\"#%0*d\"}", size - 1, 0);
        read_good(&request, ENDPOINT_RUN, text);
        int result = request_check(&request, policy, &err);
        assert_int_equal(result, size > 5000 ? -1 : 0);
        if (result < 0)
            assert_string_equal(err.field, "code");
        request_free(&request);
    }
    sb_policy_free(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_reaches_the_job),
        cmocka_unit_test(a_main_among_the_files_is_the_code),
        cmocka_unit_test(a_main_is_a_file_like_any_other_where_the_code_has_a_name),
        cmocka_unit_test(files_and_input_may_be_bytes),
        cmocka_unit_test(null_is_as_good_as_nothing),
        cmocka_unit_test(code_that_is_empty_is_code),
        cmocka_unit_test(a_byte_order_mark_is_passed_over),
        cmocka_unit_test(the_contracts_have_their_own_fields),
        cmocka_unit_test(what_is_wrong_is_refused_by_its_field),
        cmocka_unit_test(a_name_has_at_most_1024_bytes),
        cmocka_unit_test(what_a_policy_does_not_allow_is_refused_with_its_cap),
        cmocka_unit_test(code_that_is_as_long_as_allowed_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
