/* Policies as files, what a policy admits, the policies that are shipped, and their manual. */
#include "policy_place.h"

#include "common/json_file.h"
#include "common/util.h"
#include "manual.h"
#include "policy/limit.h"

#define MIB (INT64_C(1024) * 1024)

/* ── Files ───────────────────────────────────────────────────────────────────────────────────── */

static void a_policy_is_found_by_name_or_by_path(void **state)
{
    const struct place *place = *state;
    struct sb_policy *policy;
    struct sb_error err;
    write_file(place->file, "{}", 2);
    assert_int_equal(sb_policy_load(&policy, place->directory, "policy", &err), 0);
    assert_string_equal(sb_policy_name(policy), "policy");
    sb_policy_free(policy);
    assert_int_equal(sb_policy_load(&policy, NULL, place->file, &err), 0);
    assert_string_equal(sb_policy_name(policy), "policy");
    sb_policy_free(policy);
}

static void a_link_to_a_policy_is_followed(void **state)
{
    const struct place *place = *state;
    struct sb_policy *policy;
    struct sb_error err;
    write_file(place->file, "{}", 2);
    assert_int_equal(symlink(place->file, below(place, "link.json")), 0);
    assert_int_equal(sb_policy_load(&policy, place->directory, "link", &err), 0);
    assert_string_equal(sb_policy_name(policy), "link");
    sb_policy_free(policy);
}

static void a_name_that_no_policy_has_is_answered_with_those_that_are_there(void **state)
{
    const struct place *place = *state;
    struct sb_policy *policy = NULL;
    struct sb_error err;
    write_file(place->file, "{}", 2);
    write_file(below(place, "another.json"), "{}", 2);
    assert_int_equal(sb_policy_load(&policy, place->directory, "absent", &err), -1);
    assert_null(policy);
    assert_string_equal(err.field, "policy");
    assert_says(&err, "\"absent\"");
    assert_says(&err, "use another, policy");
    assert_int_equal(sb_policy_load(&policy, place->directory, "", &err), -1);
    assert_says(&err, "empty");
    assert_int_equal(sb_policy_load(&policy, "/nonexistent", "x", &err), -1);
    assert_says(&err, "SANDBOX_POLICIES");
    assert_int_equal(sb_policy_load(&policy, NULL, "/nonexistent/x.json", &err), -1);
    assert_says(&err, "/nonexistent/x.json");
}

static void what_is_no_regular_file_is_refused_without_waiting(void **state)
{
    const struct place *place = *state;
    struct sb_policy *policy = NULL;
    struct sb_error err;
    assert_int_equal(mkfifo(below(place, "fifo.json"), 0600), 0);
    assert_int_equal(sb_policy_load(&policy, place->directory, "fifo", &err), -1);
    assert_says(&err, "regular file");
    assert_int_equal(mkdir(below(place, "folder.json"), 0700), 0);
    assert_int_equal(sb_policy_load(&policy, place->directory, "folder", &err), -1);
    assert_says(&err, "regular file");
    assert_int_equal(sb_policy_load(&policy, NULL, "/dev/zero", &err), -1);
    assert_says(&err, "regular file");
}

static void a_file_of_64_kib_is_read_and_a_larger_one_is_not(void **state)
{
    char *text = malloc(JSON_FILE_MAX + 1);
    assert_non_null(text);
    memset(text, ' ', JSON_FILE_MAX + 1);
    memcpy(text, "{}", 2);
    struct sb_error err;
    struct sb_policy *policy = load_text(*state, text, JSON_FILE_MAX, &err);
    assert_non_null(policy);
    sb_policy_free(policy);
    assert_null(load_text(*state, text, JSON_FILE_MAX + 1, &err));
    assert_says(&err, "64 KiB");
    free(text);
}

static void a_profile_is_looked_for_beside_the_policy_and_then_in_the_directory(void **state)
{
    const struct place *place = *state;
    struct sb_policy *policy;
    struct sb_error err = {0};
    assert_int_equal(mkdir(below(place, "mine"), 0700), 0);
    write_file(below(place, "mine/x.json"), "{}", 2);
    char mine[192];
    snprintf(mine, sizeof(mine), "%s", below(place, "mine/x.json"));

    assert_int_equal(sb_policy_load(&policy, place->directory, mine, &err), 0);
    assert_string_equal(policy->seccomp, below(place, "seccomp/default.json"));
    sb_policy_free(policy);

    assert_int_equal(mkdir(below(place, "mine/seccomp"), 0700), 0);
    write_file(below(place, "mine/seccomp/default.json"), "{}", 2);
    assert_int_equal(sb_policy_load(&policy, place->directory, mine, &err), 0);
    assert_string_equal(policy->seccomp, below(place, "mine/seccomp/default.json"));
    sb_policy_free(policy);
}

static void a_profile_by_path_begins_where_the_policy_is(void **state)
{
    const struct place *place = *state;
    write_file(below(place, "own.json"), "{}", 2);
    static const char *const names[] = {"own.json", "./own.json", "seccomp/../own.json"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char text[64];
        snprintf(text, sizeof(text), "{\"seccomp\": \"%s\"}", names[i]);
        struct sb_policy *policy = load_good(place, text);
        assert_string_equal(policy->seccomp, below(place, names[i]));
        sb_policy_free(policy);
    }
}

static void a_profile_that_is_not_there_is_an_error(void **state)
{
    static const char *const texts[] = {"{\"seccomp\": \"absent\"}", "{\"seccomp\": \"\"}",
                                        "{\"seccomp\": \"./absent.json\"}",
                                        "{\"seccomp\": \"/nonexistent/absent\"}"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct sb_error err;
        assert_null(load_text(*state, texts[i], strlen(texts[i]), &err));
        assert_string_equal(err.field, "seccomp");
        assert_says(&err, "there is no profile");
        assert_sentence(&err);
    }
}

static void a_profile_that_is_not_there_is_told_where_it_was_looked_for(void **state)
{
    const struct place *place = *state;
    char own[128];
    snprintf(own, sizeof(own),
             " in %s/seccomp or /nonexistent/policies/seccomp:", place->directory);
    static const char named[] = "{\"seccomp\": \"absent\"}", path[] = "{\"seccomp\": \"./absent\"}";
    struct sb_policy *policy;
    struct sb_error err;
    write_file(place->file, named, strlen(named));
    assert_int_equal(sb_policy_load(&policy, "/nonexistent/policies", place->file, &err), -1);
    assert_says(&err, own);
    assert_int_equal(sb_policy_load(&policy, place->directory, "policy", &err), -1);
    snprintf(own, sizeof(own), " in %s/seccomp:", place->directory);
    assert_says(&err, own);
    write_file(place->file, path, strlen(path));
    assert_int_equal(sb_policy_load(&policy, "/nonexistent/policies", place->file, &err), -1);
    snprintf(own, sizeof(own), " ./absent in %s:", place->directory);
    assert_says(&err, own);
}

static void the_list_is_sorted_and_holds_policies_only(void **state)
{
    const struct place *place = *state;
    static const char *const files[] = {"zeta.json", "alpha.json", ".hidden.json",
                                        "README",    "x.json.bak", ".json"};
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        write_file(below(place, files[i]), "{}", 2);
    assert_int_equal(mkdir(below(place, "folder.json"), 0700), 0);
    char **names;
    struct sb_error err;
    assert_int_equal(sb_policy_list(&names, place->directory, &err), 0);
    assert_string_equal(names[0], "alpha");
    assert_string_equal(names[1], "zeta");
    assert_null(names[2]);
    sb_strv_free(names);
    assert_int_equal(sb_policy_list(&names, "/nonexistent", &err), -1);
    assert_says(&err, "/nonexistent");
    sb_strv_free(NULL);
    sb_policy_free(NULL);
}

/* ── What a policy admits ────────────────────────────────────────────────────────────────────── */

static void a_request_moves_limits_inside_the_caps(void **state)
{
    struct sb_policy *policy =
        load_good(*state, "{\"limits\": {\"wall_time_ms\": 5000, \"pids\": 10},"
                          " \"caps\": {\"wall_time_ms\": 60000}}");
    struct sb_limits asked = sb_limits_unset(), effective;
    struct sb_error err;

    assert_int_equal(policy_admit(&effective, policy, &asked, &err), 0);
    assert_memory_equal(&effective, &policy->limits, sizeof(effective));
    assert_int_equal(policy_admit(&effective, policy, &(struct sb_limits){0}, &err), 0);
    assert_memory_equal(&effective, &policy->limits, sizeof(effective));

    asked.value[SB_WALL_TIME_MS] = 60000; /* up to the cap */
    asked.value[SB_PIDS] = 3;             /* and down */
    assert_int_equal(policy_admit(&effective, policy, &asked, &err), 0);
    assert_int_equal(effective.value[SB_WALL_TIME_MS], 60000);
    assert_int_equal(effective.value[SB_PIDS], 3);
    assert_int_equal(effective.value[SB_MEMORY_BYTES], 128 * MIB);
    sb_policy_free(policy);
}

static void a_request_above_a_cap_or_below_the_least_is_refused_by_name(void **state)
{
    struct sb_policy *policy = load_good(*state, "{\"caps\": {\"wall_time_ms\": 60000}}");
    static const struct {
        enum sb_limit limit;
        int64_t value;
        const char *says;
    } cases[] = {
        {SB_WALL_TIME_MS, 60001,
         "wall_time_ms can't be 60.001 seconds: policy \"policy\" allows up to 60 seconds "
         "(caps.wall_time_ms)"},
        {SB_WALL_TIME_MS, INT64_MAX, "up to 60 seconds"},
        {SB_MEMORY_BYTES, 256 * MIB, "up to 128 MiB"},
        {SB_MEMORY_BYTES, 1, "memory_bytes must be at least 8 MiB"},
        {SB_PIDS, -2, "pids must be at least 1"},
        {SB_MILLICPUS, INT64_MIN, "cpus must be at least 0.01 CPUs"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sb_limits asked = sb_limits_unset(), effective = sb_limits_unset();
        struct sb_error err = {0};
        asked.value[cases[i].limit] = cases[i].value;
        assert_int_equal(policy_admit(&effective, policy, &asked, &err), -1);
        assert_string_equal(err.field, sb_limit_info(cases[i].limit)->name);
        assert_says(&err, cases[i].says);
        assert_int_equal(effective.value[SB_PIDS], SB_UNSET); /* untouched */
    }
    sb_policy_free(policy);
}

/* ── The policies that are shipped, and the manual ───────────────────────────────────────────── */

static struct sb_policy *load_shipped(const char *name)
{
    struct sb_policy *policy = NULL;
    struct sb_error err = {0};
    if (sb_policy_load(&policy, SB_POLICY_SOURCE, name, &err) < 0)
        fail_msg("%s", err.message);
    return policy;
}

static void every_shipped_policy_loads_and_is_described(void **state)
{
    (void)state;
    static const char *const expected[] = {"data",  "default", "execute", "execute_script",
                                           "judge", "run",     "run_code"};
    char **names;
    struct sb_error err;
    assert_int_equal(sb_policy_list(&names, SB_POLICY_SOURCE, &err), 0);
    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        assert_string_equal(names[i], expected[i]);
    for (size_t i = 0; names[i] != NULL; i++) {
        struct sb_policy *policy = load_shipped(names[i]);
        assert_true(strlen(sb_policy_description(policy)) > 0);
        assert_false(policy->best_effort);
        assert_false(policy->loopback);
        assert_true(policy->warm);
        sb_policy_free(policy);
    }
    sb_strv_free(names);
}

/* A module brings the packages above it and whatever it imports along: what is preloaded under
 * "run" is paid for by those who never asked. */
static void only_the_data_policy_preloads_modules(void **state)
{
    (void)state;
    static const char *const names[] = {"default", "run_code",       "execute",
                                        "run",     "execute_script", "judge"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct sb_policy *policy = load_shipped(names[i]);
        assert_null(policy->preload[0]);
        sb_policy_free(policy);
    }
    struct sb_policy *data = load_shipped("data");
    assert_string_equal(data->preload[0], "numpy");
    assert_string_equal(data->preload[1], "pandas");
    assert_string_equal(data->preload[2], "matplotlib");
    sb_policy_free(data);
}

static void the_default_policy_states_the_defaults(void **state)
{
    struct sb_policy *shipped = load_shipped("default"), *empty = load_good(*state, "{}");
    assert_memory_equal(&shipped->limits, &empty->limits, sizeof(empty->limits));
    size_t i = 0;
    for (; empty->environment[i] != NULL; i++)
        assert_string_equal(shipped->environment[i], empty->environment[i]);
    assert_null(shipped->environment[i]);
    assert_int_equal(shipped->writable, empty->writable);
    assert_int_equal(shipped->proc_masked, empty->proc_masked);
    assert_int_equal(shipped->output_kills, empty->output_kills);
    sb_policy_free(empty);
    sb_policy_free(shipped);
}

static void each_endpoint_has_the_limits_that_its_users_know(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum sb_limit limit;
        int64_t value;
    } promises[] = {
        {"run_code", SB_MEMORY_BYTES, 500 * MIB},
        {"run_code", SB_MILLICPUS, 2000},
        {"run_code", SB_WALL_TIME_MS, 30000},
        {"execute", SB_MEMORY_BYTES, 512 * MIB},
        {"execute", SB_MILLICPUS, 1000},
        {"execute", SB_WALL_TIME_MS, 5000},
        {"run", SB_MEMORY_BYTES, 128 * MIB},
        {"run", SB_MILLICPUS, 500},
        {"run", SB_WALL_TIME_MS, 10000},
        {"run", SB_CODE_CHARS, 5000},
        {"execute_script", SB_MEMORY_BYTES, 50 * MIB},
        {"execute_script", SB_CPU_TIME_MS, 5000},
        {"execute_script", SB_OPEN_FILES, 10},
        {"judge", SB_CPU_TIME_MS, 3000},
        {"judge", SB_WALL_TIME_MS, 30000},
        {"judge", SB_MEMORY_BYTES, 256 * MIB},
        {"judge", SB_MILLICPUS, 1000},
    };
    for (size_t i = 0; i < ARRAY_LEN(promises); i++) {
        struct sb_policy *policy = load_shipped(promises[i].name);
        assert_int_equal(sb_policy_limit(policy, promises[i].limit), promises[i].value);
        assert_int_equal(policy->writable, strcmp(promises[i].name, "run") != 0);
        sb_policy_free(policy);
    }
}

/* Else an endless loop would be told as "CPU time" at one time and as "timed out" at another. */
static void only_a_cpu_time_that_is_meant_to_can_run_out_before_the_wall_time(void **state)
{
    (void)state;
    static const char *const names[] = {"default", "run_code", "execute", "run", "data"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct sb_policy *policy = load_shipped(names[i]);
        assert_true(sb_policy_limit(policy, SB_CPU_TIME_MS) >=
                    2 * sb_policy_limit(policy, SB_WALL_TIME_MS) *
                        sb_policy_limit(policy, SB_MILLICPUS) / 1000);
        sb_policy_free(policy);
    }
}

static void the_example_in_the_manual_loads(void **state)
{
    char text[8192];
    manual_example("EXAMPLES", text, sizeof(text));
    struct sb_policy *policy = load_good(*state, text);
    assert_int_equal(policy->mounts_count, 1);
    assert_true(sb_policy_cap(policy, SB_WALL_TIME_MS) > sb_policy_limit(policy, SB_WALL_TIME_MS));
    sb_policy_free(policy);
}

static bool manual_says(const char *text, const char *word)
{
    char item[64];
    snprintf(item, sizeof(item), "Cm %s", word);
    return strstr(text, item) != NULL;
}

static void the_manual_documents_every_limit_with_its_range_and_default(void **state)
{
    (void)state;
    static char text[64 * 1024];
    FILE *manual = fopen(SB_MAN_SOURCE "/sandbox-policy.5", "re");
    assert_non_null(manual);
    text[fread(text, 1, sizeof(text) - 1, manual)] = '\0';
    fclose(manual);
    for (int i = 0; i < SB_LIMITS; i++) {
        enum sb_limit limit = (enum sb_limit)i;
        const struct sb_limit_info *info = sb_limit_info(limit);
        char least[LIMIT_TEXT_SIZE], most[LIMIT_TEXT_SIZE], usual[LIMIT_TEXT_SIZE], row[256];
        snprintf(row, sizeof(row), ".It Cm %s Ta %s Ta %s Ta %s\n", info->name,
                 limit_text(least, limit, info->min), limit_text(most, limit, info->max),
                 limit_text(usual, limit, limit_default(limit)));
        if (strstr(text, row) == NULL)
            fail_msg("sandbox-policy(5) has no row \"%s\"", row);
    }
    static const char *const keys[] = {
        "description", "limits", "caps",   "environment", "mounts", "seccomp", "writable",
        "loopback",    "proc",   "output", "enforcement", "start",  "preload"};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        assert_true(manual_says(text, keys[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(a_policy_is_found_by_name_or_by_path),
        PLACE_TEST(a_link_to_a_policy_is_followed),
        PLACE_TEST(a_name_that_no_policy_has_is_answered_with_those_that_are_there),
        PLACE_TEST(what_is_no_regular_file_is_refused_without_waiting),
        PLACE_TEST(a_file_of_64_kib_is_read_and_a_larger_one_is_not),
        PLACE_TEST(a_profile_is_looked_for_beside_the_policy_and_then_in_the_directory),
        PLACE_TEST(a_profile_by_path_begins_where_the_policy_is),
        PLACE_TEST(a_profile_that_is_not_there_is_an_error),
        PLACE_TEST(a_profile_that_is_not_there_is_told_where_it_was_looked_for),
        PLACE_TEST(the_list_is_sorted_and_holds_policies_only),
        PLACE_TEST(a_request_moves_limits_inside_the_caps),
        PLACE_TEST(a_request_above_a_cap_or_below_the_least_is_refused_by_name),
        PLACE_TEST(every_shipped_policy_loads_and_is_described),
        PLACE_TEST(only_the_data_policy_preloads_modules),
        PLACE_TEST(the_default_policy_states_the_defaults),
        PLACE_TEST(each_endpoint_has_the_limits_that_its_users_know),
        PLACE_TEST(only_a_cpu_time_that_is_meant_to_can_run_out_before_the_wall_time),
        PLACE_TEST(the_example_in_the_manual_loads),
        PLACE_TEST(the_manual_documents_every_limit_with_its_range_and_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
