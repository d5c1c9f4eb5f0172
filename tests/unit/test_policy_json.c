/* The keys of a policy: what is read, what is printed, and what is refused and how that is said. */
#include "policy_place.h"

#include <fcntl.h>

#include "common/json_file.h"
#include "common/util.h"
#include "policy/limit.h"

#define MIB (INT64_C(1024) * 1024)

static void assert_same_policy(const struct sb_policy *a, const struct sb_policy *b)
{
    assert_string_equal(a->description, b->description);
    assert_memory_equal(&a->limits, &b->limits, sizeof(a->limits));
    assert_memory_equal(&a->caps, &b->caps, sizeof(a->caps));
    size_t i = 0;
    for (; a->environment[i] != NULL && b->environment[i] != NULL; i++)
        assert_string_equal(a->environment[i], b->environment[i]);
    assert_null(a->environment[i]);
    assert_null(b->environment[i]);
    assert_int_equal(a->mounts_count, b->mounts_count);
    for (i = 0; i < a->mounts_count; i++) {
        assert_string_equal(a->mounts[i].source, b->mounts[i].source);
        assert_string_equal(a->mounts[i].target, b->mounts[i].target);
    }
    assert_string_equal(a->seccomp, b->seccomp);
    assert_int_equal(a->writable, b->writable);
    assert_int_equal(a->loopback, b->loopback);
    assert_int_equal(a->proc_masked, b->proc_masked);
    assert_int_equal(a->output_kills, b->output_kills);
    assert_int_equal(a->best_effort, b->best_effort);
    assert_int_equal(a->allow_missing, b->allow_missing);
    assert_int_equal(a->figures, b->figures);
    assert_int_equal(a->warm, b->warm);
    for (i = 0; a->preload[i] != NULL && b->preload[i] != NULL; i++)
        assert_string_equal(a->preload[i], b->preload[i]);
    assert_null(a->preload[i]);
    assert_null(b->preload[i]);
}

/* ── What is read ────────────────────────────────────────────────────────────────────────────── */

static const char everything[] =
    "{\"description\": \"All \\u00e4nderbar\\n\\\"keys\\\"\",\n"
    " \"limits\": {\"wall_time_ms\": 2500, \"cpu_time_ms\": 1000, \"memory_bytes\": 67108864,\n"
    "  \"cpus\": 0.25, \"pids\": 8, \"output_bytes\": 1, \"open_files\": 16, \"tmp_bytes\": "
    "65536,\n"
    "  \"tmp_files\": 16, \"code_chars\": 10, \"result_bytes\": 1, \"displays\": 2,\n"
    "  \"display_bytes\": 3, \"collect_files\": 5, \"collect_bytes\": 6},\n"
    " \"caps\": {\"wall_time_ms\": 5000, \"cpus\": 1.5},\n"
    " \"environment\": {\"A\": \"1\", \"EMPTY\": \"\", \"URL\": \"a=b/c\"},\n"
    " \"mounts\": [{\"source\": \"/srv/../srv/data\", \"target\": \"/data\"},\n"
    "             {\"target\": \"/data/..more\", \"source\": \"/srv/more\"}],\n"
    " \"seccomp\": \"default\", \"writable\": false, \"loopback\": true, \"proc\": \"masked\",\n"
    " \"output\": \"kill\", \"enforcement\": \"best-effort\", \"figures\": \"svg\",\n"
    " \"allow_missing\": [\"proc\", \"memory\", \"proc\"],\n"
    " \"preload\": [\"numpy\",  \"pandas.core\", \"_a.B_2\"], \"start\": \"warm\"}\n";

static void every_key_is_read(void **state)
{
    const struct place *place = *state;
    struct sb_policy *policy = load_good(place, everything);
    const int64_t limits[SB_LIMITS] = {2500, 1000, 64 * MIB, 250, 8, 1, 16, 65536,
                                       16,   10,   1,        2,   3, 5, 6};

    assert_string_equal(sb_policy_name(policy), "policy");
    assert_string_equal(sb_policy_description(policy), "All \u00e4nderbar\n\"keys\"");
    for (int i = 0; i < SB_LIMITS; i++)
        assert_int_equal(sb_policy_limit(policy, (enum sb_limit)i), limits[i]);
    assert_int_equal(sb_policy_cap(policy, SB_WALL_TIME_MS), 5000);
    assert_int_equal(sb_policy_cap(policy, SB_MILLICPUS), 1500);
    assert_string_equal(policy->environment[0], "A=1");
    assert_string_equal(policy->environment[1], "EMPTY=");
    assert_string_equal(policy->environment[2], "URL=a=b/c");
    assert_null(policy->environment[3]);
    assert_int_equal(policy->mounts_count, 2);
    assert_string_equal(policy->mounts[0].source, "/srv/../srv/data");
    assert_string_equal(policy->mounts[0].target, "/data");
    assert_string_equal(policy->mounts[1].target, "/data/..more");
    assert_string_equal(policy->seccomp, below(place, "seccomp/default.json"));
    assert_false(policy->writable);
    assert_true(policy->loopback);
    assert_true(policy->proc_masked);
    assert_true(policy->output_kills);
    assert_true(policy->best_effort);
    assert_int_equal(policy->allow_missing, SB_MISSING_MEMORY | SB_MISSING_PROC);
    assert_true(policy->warm);
    assert_string_equal(policy->preload[0], "numpy");
    assert_string_equal(policy->preload[1], "pandas.core");
    assert_string_equal(policy->preload[2], "_a.B_2");
    assert_null(policy->preload[3]);
    sb_policy_free(policy);
}

static void a_cap_that_is_not_stated_is_the_limit(void **state)
{
    struct sb_policy *policy = load_good(*state, "{\"limits\": {\"pids\": 7}}");
    for (int i = 0; i < SB_LIMITS; i++)
        assert_int_equal(sb_policy_cap(policy, (enum sb_limit)i),
                         sb_policy_limit(policy, (enum sb_limit)i));
    assert_int_equal(sb_policy_cap(policy, SB_PIDS), 7);
    sb_policy_free(policy);
}

static void an_empty_policy_limits_everything(void **state)
{
    struct sb_policy *policy = load_good(*state, "{}");
    for (int i = 0; i < SB_LIMITS; i++)
        assert_int_equal(sb_policy_limit(policy, (enum sb_limit)i),
                         limit_default((enum sb_limit)i));
    assert_string_equal(policy->environment[0], "PATH=/usr/local/bin:/usr/bin:/bin");
    assert_string_equal(policy->description, "");
    assert_true(policy->writable);
    assert_false(policy->loopback);
    assert_false(policy->proc_masked);
    assert_false(policy->output_kills);
    assert_false(policy->best_effort);
    assert_int_equal(policy->allow_missing, 0);
    assert_false(policy->warm);
    assert_null(policy->preload[0]);
    sb_policy_free(policy);
}

static void an_environment_that_is_stated_is_the_whole_environment(void **state)
{
    struct sb_policy *policy = load_good(*state, "{\"environment\": {}}");
    assert_null(policy->environment[0]);
    sb_policy_free(policy);
}

static void cpus_are_read_to_the_nearest_thousandth(void **state)
{
    static const struct {
        const char *text;
        int64_t thousandths;
    } cases[] = {{"1", 1000},   {"1.0", 1000},     {"0.29", 290},   {"0.01", 10},
                 {"1e0", 1000}, {"1024", 1024000}, {"0.3336", 334}, {"64.5", 64500}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[64];
        snprintf(text, sizeof(text), "{\"limits\": {\"cpus\": %s}}", cases[i].text);
        struct sb_policy *policy = load_good(*state, text);
        assert_int_equal(sb_policy_limit(policy, SB_MILLICPUS), cases[i].thousandths);
        sb_policy_free(policy);
    }
}

static void what_is_printed_loads_as_the_same_policy(void **state)
{
    const struct place *place = *state;
    static const char *const texts[] = {
        everything,
        "{}",
        "{\"environment\": {}}",
        "{\"limits\": {\"cpus\": 0.1}}",
        "{\"limits\": {\"cpus\": 1000.001}, \"description\": \"a\\/b \\ud83d\\ude00 \\u007f\"}",
        "{\"start\": \"warm\", \"preload\": []}"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct sb_policy *policy = load_good(place, texts[i]);
        char *printed = sb_policy_json(policy);
        assert_non_null(printed);
        struct sb_policy *again = load_good(place, printed);
        assert_same_policy(policy, again);
        free(printed);
        sb_policy_free(again);
        sb_policy_free(policy);
    }
}

static void a_policy_that_was_printed_elsewhere_finds_its_profile(void **state)
{
    const struct place *place = *state;
    int cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(chdir(place->directory), 0);
    write_file("here.json", "{}", 2);
    struct sb_policy *policy;
    struct sb_error err = {0};
    assert_int_equal(sb_policy_load(&policy, "/nonexistent", "./here.json", &err), 0);
    assert_int_equal(fchdir(cwd), 0);
    close(cwd);

    char *printed = sb_policy_json(policy);
    assert_int_equal(mkdir(below(place, "other"), 0700), 0);
    write_file(below(place, "other/there.json"), printed, strlen(printed));
    struct sb_policy *again = NULL;
    if (sb_policy_load(&again, NULL, below(place, "other/there.json"), &err) < 0)
        fail_msg("%s", err.message);
    assert_same_policy(policy, again);
    sb_policy_free(again);
    sb_policy_free(policy);
    free(printed);
}

/* ── What is refused ─────────────────────────────────────────────────────────────────────────── */

static const struct {
    const char *text;
    const char *field;
    const char *says[3];
} bad[] = {
    /* not JSON, or JSON that says a thing twice */
    {"", "", {"policy.json, line 1", "JSON object"}},
    {" \n\n", "", {"line 3"}},
    {"[]", "", {"JSON object"}},
    {"null ", "", {"JSON object"}},
    {"{\n\"limits\":\n{", "", {"line 3", "ends"}},
    {"{\n \"writable\": true\n \"proc\": 1}", "", {"line 3", "not JSON"}},
    {"{\"writable\": true,}", "", {"line 1", "not JSON"}},
    {"{'writable': true}", "", {"line 1", "double quotes"}},
    {"{\"writable\": True}", "", {"not JSON"}},
    {"{} {}", "", {"line 1"}},
    {"{}\n\n}", "", {"line 3"}},
    {"// why\n{}", "", {"line 1"}},
    {"{ /* why */ }", "", {"line 1"}},
    {"\xef\xbb\xbf{}", "", {"line 1"}},
    {"{\"description\": \"\xff\"}", "", {"UTF-8"}},
    {"{\"description\": \"a\nb\"}", "", {"line 1", "control character"}},
    {"{\n\"limits\": {\"pids\": 1,\n\"cpus\": 1,\n\"pids\": 999}}",
     "",
     {"line 4", "\"pids\"", "twice"}},
    {"{\"limits\": {}, \"limits\": {\"pids\": 1}}", "", {"\"limits\"", "twice"}},
    {"{\"limits\": {\"pids\": 1, \"\\u0070ids\": 999}}", "", {"line 1", "backslash"}},
    {"{\"limits\": {\"pids\\u0000x\": 1}}", "", {"backslash"}},
    {"{\"limits\": {\"cpus\": NaN}}", "", {"NaN"}},
    {"{\"limits\": {\"cpus\": Infinity}}", "", {"Infinity"}},
    {"{\"limits\": {\"cpus\": -Infinity}}", "", {"Infinity"}},
    {"{\"mounts\": [[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]}", "", {"line 1", "deep"}},
    /* keys */
    {"{\"limit\": {}}", "limit", {"limit: there is no such key", "limits, caps, environment"}},
    {"{\"name\": \"x\"}", "name", {"no such key"}},
    {"{\"\": 1}", "", {"no such key"}},
    {"{\"Limits\": {}}", "Limits", {"no such key"}},
    {"{\"limits\": {\"memory\": 1}}", "limits.memory", {"no such limit", "memory_bytes"}},
    {"{\"caps\": {\"memory\": 1}}", "caps.memory", {"no such limit", "memory_bytes"}},
    /* types */
    {"{\"description\": 1}", "description", {"must be a string, not an integer"}},
    {"{\"description\": null}", "description", {"not null"}},
    {"{\"limits\": []}", "limits", {"must be an object, not an array"}},
    {"{\"limits\": null}", "limits", {"must be an object, not null"}},
    {"{\"caps\": 5}", "caps", {"must be an object"}},
    {"{\"limits\": {\"pids\": \"5\"}}", "limits.pids", {"must be an integer, not a string"}},
    {"{\"limits\": {\"pids\": 5.0}}", "limits.pids", {"must be an integer, not a number with"}},
    {"{\"limits\": {\"pids\": 1e2}}", "limits.pids", {"must be an integer"}},
    {"{\"limits\": {\"pids\": true}}", "limits.pids", {"must be an integer, not a boolean"}},
    {"{\"limits\": {\"pids\": null}}", "limits.pids", {"must be an integer, not null"}},
    {"{\"limits\": {\"cpus\": \"1\"}}", "limits.cpus", {"must be a number, not a string"}},
    {"{\"writable\": 1}", "writable", {"must be true or false, not an integer"}},
    {"{\"writable\": \"true\"}", "writable", {"must be true or false, not a string"}},
    {"{\"loopback\": 0}", "loopback", {"must be true or false"}},
    {"{\"seccomp\": false}", "seccomp", {"must be a string, not a boolean"}},
    {"{\"environment\": []}", "environment", {"must be an object"}},
    {"{\"environment\": {\"A\": 1}}", "environment.A", {"must be a string, not an integer"}},
    {"{\"mounts\": {}}", "mounts", {"must be an array"}},
    {"{\"mounts\": [1]}", "mounts[0]", {"must be an object"}},
    /* values */
    {"{\"limits\": {\"pids\": 0}}", "limits.pids", {"from 1 to 1000000"}},
    {"{\"limits\": {\"pids\": -1}}", "limits.pids", {"from 1 to 1000000"}},
    {"{\"limits\": {\"pids\": 1000001}}", "limits.pids", {"from 1 to 1000000"}},
    {"{\"limits\": {\"memory_bytes\": 1}}",
     "limits.memory_bytes",
     {"from 8388608 to 1099511627776", "8 MiB to 1 TiB"}},
    {"{\"limits\": {\"memory_bytes\": 99999999999999999999999}}", "limits.memory_bytes", {"1 TiB"}},
    {"{\"limits\": {\"memory_bytes\": 18446744073709551617}}", "limits.memory_bytes", {"1 TiB"}},
    {"{\"limits\": {\"memory_bytes\": -99999999999999999999}}", "limits.memory_bytes", {"8 MiB"}},
    {"{\"limits\": {\"tmp_bytes\": 0}}", "limits.tmp_bytes", {"64 KiB"}},
    {"{\"limits\": {\"output_bytes\": 0}}", "limits.output_bytes", {"from 1 to 1073741824"}},
    {"{\"limits\": {\"result_bytes\": 0}}", "limits.result_bytes", {"from 1 to 67108864"}},
    {"{\"caps\": {\"output_bytes\": 0}}", "caps.output_bytes", {"from 1 to 1073741824"}},
    {"{\"limits\": {\"cpus\": 0}}", "limits.cpus", {"from 0.01 CPUs to 1024 CPUs"}},
    {"{\"limits\": {\"cpus\": 0.009}}", "limits.cpus", {"from 0.01 CPUs"}},
    {"{\"limits\": {\"cpus\": -1}}", "limits.cpus", {"from 0.01 CPUs"}},
    {"{\"limits\": {\"cpus\": 1024.5}}", "limits.cpus", {"1024 CPUs"}},
    {"{\"limits\": {\"cpus\": 1e400}}", "limits.cpus", {"1024 CPUs"}},
    {"{\"limits\": {\"cpus\": 9223372036854775807}}", "limits.cpus", {"1024 CPUs"}},
    {"{\"limits\": {\"cpus\": -9223372036854775808}}", "limits.cpus", {"1024 CPUs"}},
    {"{\"limits\": {\"pids\": 9}, \"caps\": {\"pids\": 8}}",
     "caps.pids",
     {"must not be below limits.pids, which is 9"}},
    {"{\"caps\": {\"wall_time_ms\": 1}}", "caps.wall_time_ms", {"10 seconds"}},
    {"{\"environment\": {\"A=B\": \"1\"}}", "environment.A=B", {"name"}},
    {"{\"environment\": {\"\": \"1\"}}", "environment.", {"name"}},
    {"{\"environment\": {\"A\": \"a\\u0000b\"}}", "environment.A", {"NUL"}},
    {"{\"description\": \"a\\u0000b\"}", "description", {"NUL"}},
    {"{\"proc\": \"full\"}", "proc", {"\"subset\" or \"masked\"", "\"full\""}},
    {"{\"proc\": \"masked\\u0000\"}", "proc", {"NUL"}},
    {"{\"output\": \"keep\"}", "output", {"\"truncate\" or \"kill\""}},
    {"{\"report_denied\": 1}", "report_denied", {"true or false"}},
    {"{\"output_buffering\": \"full\"}", "output_buffering", {"\"line\", \"block\" or \"none\""}},
    {"{\"enforcement\": \"none\"}", "enforcement", {"\"strict\" or \"best-effort\""}},
    {"{\"allow_missing\": \"proc\"}", "allow_missing", {"must be an array, not a string"}},
    {"{\"allow_missing\": [\"proc\", 1]}", "allow_missing[1]", {"must be a string"}},
    {"{\"allow_missing\": [\"seccomp\"]}",
     "allow_missing[0]",
     {"memory, cpu, pids, cpu_time, rlimits, proc, hostname", "\"seccomp\""}},
    {"{\"start\": \"hot\"}", "start", {"\"cold\" or \"warm\"", "\"hot\""}},
    {"{\"start\": true}", "start", {"must be a string, not a boolean"}},
    {"{\"start\": \"warm\", \"preload\": \"numpy\"}",
     "preload",
     {"must be an array, not a string"}},
    {"{\"start\": \"warm\", \"preload\": [\"a\", 1]}",
     "preload[1]",
     {"must be a string, not an integer"}},
    {"{\"start\": \"warm\", \"preload\": [\"a\\u0000b\"]}", "preload[0]", {"NUL"}},
    {"{\"start\": \"warm\", \"preload\": [\"a\", \"b\", \"a\"]}",
     "preload[2]",
     {"\"a\" is in the list twice"}},
    {"{\"preload\": [\"numpy\"]}", "preload", {"needs \"start\": \"warm\""}},
    {"{\"preload\": [\"numpy\"], \"start\": \"cold\"}", "preload", {"needs \"start\": \"warm\""}},
    {"{\"mounts\": [{\"source\": \"/a\"}]}", "mounts[0]", {"\"source\" and \"target\""}},
    {"{\"mounts\": [{\"target\": \"/a\"}]}", "mounts[0]", {"\"source\" and \"target\""}},
    {"{\"mounts\": [{\"source\": \"/a\", \"target\": \"/b\", \"rw\": true}]}",
     "mounts[0].rw",
     {"use source, target"}},
    {"{\"mounts\": [{\"source\": \"a\", \"target\": \"/b\"}]}", "mounts[0].source", {"absolute"}},
    {"{\"mounts\": [{\"source\": \"\", \"target\": \"/b\"}]}", "mounts[0].source", {"absolute"}},
    {"{\"mounts\": [{\"source\": \"/a\\u0000\", \"target\": \"/b\"}]}",
     "mounts[0].source",
     {"NUL"}},
    {"{\"mounts\": [{\"source\": 1, \"target\": \"/b\"}]}", "mounts[0].source", {"a string"}},
    {"{\"mounts\": [{\"source\": \"/a\", \"target\": \"/b\"}, {\"source\": \"/c\", \"target\": "
     "\"/b\"}]}",
     "mounts[1].target",
     {"another mount"}},
};

static void what_is_wrong_is_refused_with_file_key_and_what_is_allowed(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct sb_error err;
        struct sb_policy *policy = load_text(*state, bad[i].text, strlen(bad[i].text), &err);
        if (policy != NULL)
            fail_msg("this was taken: %s", bad[i].text);
        assert_string_equal(err.step, "policy");
        assert_string_equal(err.field, bad[i].field);
        assert_sentence(&err);
        assert_says(&err, "policy.json");
        for (size_t j = 0; j < ARRAY_LEN(bad[i].says) && bad[i].says[j] != NULL; j++)
            assert_says(&err, bad[i].says[j]);
    }
}

static void a_mount_target_must_be_plain_and_not_the_sandboxes_own(void **state)
{
    static const char *const targets[] = {
        "",      "data",        "/",          "//",      "/data/",   "//data", "/a//b",
        "/.",    "/..",         "/a/..",      "/a/../b", "/a/./b",   "./a",    "/proc",
        "/dev",  "/tmp",        "/work",      "/proc/1", "/dev/shm", "/tmp/x", "/work/x",
        "/tmp/", "/a\\u0000/b", "/x/../proc", "/./tmp",
    };
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        char text[128];
        struct sb_error err;
        int size = snprintf(text, sizeof(text),
                            "{\"mounts\": [{\"source\": \"/a\", \"target\": \"%s\"}]}", targets[i]);
        if (load_text(*state, text, (size_t)size, &err) != NULL)
            fail_msg("the target \"%s\" was taken", targets[i]);
        assert_string_equal(err.field, "mounts[0].target");
    }
}

static void a_mount_target_that_only_looks_like_one_of_those_is_taken(void **state)
{
    static const char *const targets[] = {"/procedures", "/devel", "/tmpfiles", "/workshop",
                                          "/a/tmp",      "/...",   "/.a",       "/usr/share/x"};
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        char text[128];
        snprintf(text, sizeof(text), "{\"mounts\": [{\"source\": \"/a\", \"target\": \"%s\"}]}",
                 targets[i]);
        sb_policy_free(load_good(*state, text));
    }
}

static void a_module_to_preload_is_named_by_identifiers_with_dots(void **state)
{
    static const char *const names[] = {
        "",     ".",   ".a",     "a.",      "a..b",     "1a",      "a.1b",        "a b",
        " a",   "a ",  "a-b",    "a/b",     "a;b",      "a,b",     "a\\nb",       "import os",
        "a as", "a:b", "os\\n#", "__a__()", "a\\u200b", "\\u00e4", "\\uff4eumpy", "$a",
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char text[128];
        struct sb_error err;
        int size =
            snprintf(text, sizeof(text), "{\"start\": \"warm\", \"preload\": [\"%s\"]}", names[i]);
        if (load_text(*state, text, (size_t)size, &err) != NULL)
            fail_msg("the module \"%s\" was taken", names[i]);
        assert_string_equal(err.field, "preload[0]");
        assert_sentence(&err);
        assert_says(&err, "pandas.core");
    }
}

static void at_most_64_modules_of_at_most_200_characters_are_preloaded(void **state)
{
    char text[2048] = "{\"start\": \"warm\", \"preload\": [";
    struct sb_error err;
    size_t size = strlen(text);
    for (int i = 0; i < 64; i++)
        size += (size_t)sprintf(text + size, "%s\"m%d\"", i == 0 ? "" : ", ", i);
    strcpy(text + size, "]}");
    struct sb_policy *policy = load_good(*state, text);
    assert_string_equal(policy->preload[63], "m63");
    assert_null(policy->preload[64]);
    sb_policy_free(policy);
    strcpy(text + size, ", \"m64\"]}");
    assert_null(load_text(*state, text, strlen(text), &err));
    assert_string_equal(err.field, "preload");
    assert_says(&err, "at most 64 modules, not 65");

    char name[202];
    memset(name, 'm', sizeof(name));
    for (int length = 200; length <= 201; length++) {
        sprintf(text, "{\"start\": \"warm\", \"preload\": [\"%.*s\"]}", length, name);
        policy = load_text(*state, text, strlen(text), &err);
        assert_int_equal(policy != NULL, length == 200);
        sb_policy_free(policy);
    }
    assert_says(&err, "at most 200 characters");
}

static void a_nul_byte_in_the_file_does_not_hide_what_follows(void **state)
{
    static const char inside[] = "{\"limits\": {\"pids\": 1\0}}", after[] = "{}\0{\"pids\": 1}";
    struct sb_error err;
    assert_null(load_text(*state, inside, sizeof(inside) - 1, &err));
    assert_says(&err, "NUL");
    assert_null(load_text(*state, after, sizeof(after) - 1, &err));
    assert_says(&err, "NUL");
}

static void an_unknown_key_of_any_length_leaves_a_whole_sentence(void **state)
{
    char text[4200] = "{\"";
    memset(text + 2, 'k', 4096);
    strcpy(text + 4098, "\": 1}");
    struct sb_error err;
    assert_null(load_text(*state, text, strlen(text), &err));
    assert_sentence(&err);
    assert_says(&err, "enforcement");
}

static void an_object_of_any_size_has_each_key_once(void **state)
{
    size_t size = 0;
    char *text = malloc(JSON_FILE_MAX);
    assert_non_null(text);
    size += (size_t)sprintf(text, "{\"environment\": {");
    for (int i = 0; i < 3000; i++)
        size += (size_t)sprintf(text + size, "\"V%d\":\"\",", i);
    size_t last = size;
    sprintf(text + last, "\"W\":\"\"}}");
    sb_policy_free(load_good(*state, text));
    sprintf(text + last, "\"V0\":\"\"}}");
    struct sb_error err;
    assert_null(load_text(*state, text, strlen(text), &err));
    assert_says(&err, "\"V0\" stands twice");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(every_key_is_read),
        PLACE_TEST(a_cap_that_is_not_stated_is_the_limit),
        PLACE_TEST(an_empty_policy_limits_everything),
        PLACE_TEST(an_environment_that_is_stated_is_the_whole_environment),
        PLACE_TEST(cpus_are_read_to_the_nearest_thousandth),
        PLACE_TEST(what_is_printed_loads_as_the_same_policy),
        PLACE_TEST(a_policy_that_was_printed_elsewhere_finds_its_profile),
        PLACE_TEST(what_is_wrong_is_refused_with_file_key_and_what_is_allowed),
        PLACE_TEST(a_mount_target_must_be_plain_and_not_the_sandboxes_own),
        PLACE_TEST(a_mount_target_that_only_looks_like_one_of_those_is_taken),
        PLACE_TEST(a_module_to_preload_is_named_by_identifiers_with_dots),
        PLACE_TEST(at_most_64_modules_of_at_most_200_characters_are_preloaded),
        PLACE_TEST(a_nul_byte_in_the_file_does_not_hide_what_follows),
        PLACE_TEST(an_unknown_key_of_any_length_leaves_a_whole_sentence),
        PLACE_TEST(an_object_of_any_size_has_each_key_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
