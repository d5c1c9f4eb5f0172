/* Profiles as files: which are refused with which sentence, what a name or number in them means,
 * and the cache of compiled ones. */
#include "seccomp_programs.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include "common/json_file.h"
#include "manual.h"

/* ── Errors ─────────────────────────────────────────────────────────────────────────────────── */

#define HEAD "{\"description\": \"d\", \"architectures\": [\"x86_64\", \"aarch64\"], "
#define PROFILE(groups) HEAD "\"default\": \"ENOSYS\", \"groups\": [" groups "]}"
#define GROUP(more) "{\"why\": \"w\", \"action\": \"allow\", \"calls\": [\"read\"]" more "}"
#define REPORT(what)                                                                               \
    PROFILE("{\"why\": \"w\", \"action\": \"EPERM\", \"calls\": [\"mount\"], \"report\": " what "}")
#define WHEN(condition) PROFILE(GROUP(", \"when\": [" condition "]"))

static const struct {
    const char *text;
    const char *says;  /* in the message, after the file's name */
    const char *field; /* the place */
} malformed[] = {
    {"", "line 1", ""},
    {"[]", "a JSON object in { } is needed", ""},
    {"{\"description\": \"d\",}", "line 1", ""},
    {HEAD "\n\"default\": \"ENOSYS\",\n\"default\": \"EPERM\"}",
     "line 3: the key \"default\" stands twice", ""},
    {PROFILE(GROUP("")) " x", "line 1", ""},
    {"{}", "the key \"description\" is missing", ""},
    {HEAD "\"default\": \"ENOSYS\"}", "the key \"groups\" is missing", ""},
    {HEAD "\"default\": \"ENOSYS\", \"groups\": [" GROUP("") "], \"x\": 1}",
     "unknown key \"x\"; allowed are description, architectures, default, groups", ""},
    {"{\"description\": \"\", \"architectures\": [\"x86_64\"], \"default\": \"ENOSYS\", "
     "\"groups\": [" GROUP("") "]}",
     "description: must be a sentence", "description"},
    {"{\"description\": \"d\", \"architectures\": [\"mips\"], \"default\": \"ENOSYS\", \"groups\": "
     "[" GROUP("") "]}",
     "architectures[0]: must be \"x86_64\" or \"aarch64\"", "architectures[0]"},
    {"{\"description\": \"d\", \"architectures\": [7], \"default\": \"ENOSYS\", \"groups\": "
     "[" GROUP("") "]}",
     "architectures[0]: must be", "architectures[0]"},
    {"{\"description\": \"d\", \"architectures\": [], \"default\": \"ENOSYS\", \"groups\": [" GROUP(
         "") "]}",
     "architectures: must be a list of 1 to 2", "architectures"},
    {"{\"description\": \"d\", \"architectures\": [\"aarch64\"], \"default\": \"ENOSYS\", "
     "\"groups\": [" GROUP("") "]}",
     "architectures: \"x86_64\" is not listed: review", "architectures"},
    {HEAD "\"default\": \"allow\", \"groups\": [" GROUP("") "]}", "default: must not be \"allow\"",
     "default"},
    {HEAD "\"default\": \"ENOSUCH\", \"groups\": [" GROUP("") "]}",
     "default: \"ENOSUCH\" is not an action; allowed are \"allow\", \"ignore\", \"kill\"",
     "default"},
    {HEAD "\"default\": \"ignore\", \"groups\": [" GROUP("") "]}",
     "default: must not be \"ignore\"", "default"},
    {HEAD "\"default\": 38, \"groups\": [" GROUP("") "]}", "default: \"\" is not an action",
     "default"},
    {HEAD "\"default\": \"ENOSYS\", \"groups\": {}}", "groups: must be a list", "groups"},
    {PROFILE(""), "groups: must be a list of 1 to 100 groups", "groups"},
    {PROFILE("7"), "groups[0]: must be an object with the keys why, action, calls, when, report",
     "groups[0]"},
    {PROFILE(GROUP("") ", {\"action\": \"allow\", \"calls\": [\"write\"]}"),
     "groups[1]: the key \"why\" is missing", "groups[1]"},
    {PROFILE("{\"why\": \"\", \"action\": \"allow\", \"calls\": [\"write\"]}"),
     "groups[0].why: must be a sentence", "groups[0].why"},
    {PROFILE("{\"why\": \"w\", \"action\": \"deny\", \"calls\": [\"write\"]}"),
     "groups[0].action: \"deny\" is not an action", "groups[0].action"},
    {PROFILE("{\"why\": \"w\", \"action\": \"allow\", \"calls\": []}"),
     "groups[0].calls: must be a list of 1 to", "groups[0].calls"},
    {PROFILE("{\"why\": \"w\", \"action\": \"allow\", \"calls\": \"read\"}"),
     "groups[0].calls: must be a list", "groups[0].calls"},
    {PROFILE("{\"why\": \"w\", \"action\": \"allow\", \"calls\": [\"read\", 1]}"),
     "groups[0].calls[1]: must be the name of a system call", "groups[0].calls[1]"},
    {PROFILE(
         GROUP("") ", {\"why\": \"w\", \"action\": \"allow\", \"calls\": [\"write\", \"mounnt\"]}"),
     "groups[1].calls[1]: \"mounnt\" is not a system call that libseccomp", "groups[1].calls[1]"},
    {PROFILE("{\"why\": \"w\", \"action\": \"allow\", \"calls\": [\"read\", \"read\"]}"),
     "groups[0].calls[1]: \"read\" is in this group twice", "groups[0].calls[1]"},
    {PROFILE(GROUP("") "," GROUP("")),
     "groups[1].calls[0]: \"read\" is never reached, groups[0] decides it", "groups[1].calls[0]"},
    {PROFILE("{\"why\": \"w\", \"action\": \"allow\", \"calls\": [\"newcall=423\"]}"),
     "groups[0].calls[0]: \"newcall=423\": numbers from 424", "groups[0].calls[0]"},
    {PROFILE("{\"why\": \"w\", \"action\": \"allow\", \"calls\": [\"newcall=9x9\"]}"),
     "groups[0].calls[0]: \"newcall=9x9\": numbers from 424", "groups[0].calls[0]"},
    {PROFILE("{\"why\": \"w\", \"action\": \"allow\", \"calls\": [\"clone3=436\"]}"),
     "groups[0].calls[0]: \"clone3=436\": the number of clone3 is 435", "groups[0].calls[0]"},
    {PROFILE(GROUP(", \"when\": []")), "groups[0].when: must be a list of 1 to 6 conditions",
     "groups[0].when"},
    {PROFILE(GROUP(", \"whenn\": []")), "groups[0]: unknown key \"whenn\"", "groups[0]"},
    {WHEN("{\"arg\": 0}"), "groups[0].when[0]: the key \"equals\" is missing", "groups[0].when[0]"},
    {WHEN("{\"arg\": 6, \"equals\": 0}"), "groups[0].when[0].arg: must be 0 to 5",
     "groups[0].when[0].arg"},
    {WHEN("{\"arg\": 0, \"equals\": -1}"), "groups[0].when[0].equals: must be a number from 0",
     "groups[0].when[0].equals"},
    {WHEN("{\"arg\": 0, \"equals\": 4294967296}"),
     "groups[0].when[0].equals: must be a number from 0 to 4294967295", "groups[0].when[0].equals"},
    {WHEN("{\"arg\": 0, \"equals\": \"0x100000000\"}"),
     "groups[0].when[0].equals: must be a number", "groups[0].when[0].equals"},
    {WHEN("{\"arg\": 0, \"equals\": \"0x\"}"), "groups[0].when[0].equals: must be a number",
     "groups[0].when[0].equals"},
    {WHEN("{\"arg\": 0, \"equals\": \"12\"}"), "groups[0].when[0].equals: must be a number",
     "groups[0].when[0].equals"},
    {WHEN("{\"arg\": 0, \"equals\": 1.5}"), "groups[0].when[0].equals: must be a number",
     "groups[0].when[0].equals"},
    {WHEN("{\"arg\": 0, \"equals\": {}}"),
     "groups[0].when[0].equals: must be a number or an object of 1 to 48",
     "groups[0].when[0].equals"},
    {WHEN("{\"arg\": 0, \"equals\": {\"A\": 1, \"B\": null}}"),
     "groups[0].when[0].equals.B: must be a number", "groups[0].when[0].equals.B"},
    {WHEN("{\"arg\": 0, \"mask\": 0, \"equals\": 0}"),
     "groups[0].when[0].mask: must have at least one bit", "groups[0].when[0].mask"},
    {WHEN("{\"arg\": 0, \"mask\": \"0xf0\", \"equals\": 1}"),
     "groups[0].when[0].equals: 0x1 can never be equal", "groups[0].when[0].equals"},
    {PROFILE(GROUP(", \"report\": true")),
     "groups[0].report: only calls that are refused with an errno", "groups[0].report"},
    {PROFILE("{\"why\": \"w\", \"action\": \"ignore\", \"calls\": [\"read\"], \"report\": true}"),
     "groups[0].report: only calls that are refused", "groups[0].report"},
    {REPORT("false"), "groups[0].report: must be an object with the keys arg, names, flags",
     "groups[0].report"},
    {REPORT("{\"names\": {\"A\": 1}}"), "groups[0].report: the key \"arg\" is missing",
     "groups[0].report"},
    {REPORT("{\"arg\": 0}"), "groups[0].report: must have either \"names\" or \"flags\"",
     "groups[0].report"},
    {REPORT("{\"arg\": 0, \"names\": {\"A\": 1}, \"flags\": {\"A\": 1}}"),
     "groups[0].report: must have either", "groups[0].report"},
    {REPORT("{\"arg\": 6, \"names\": {\"A\": 1}}"), "groups[0].report.arg: must be 0 to 5",
     "groups[0].report.arg"},
    {REPORT("{\"arg\": 0, \"names\": {}}"), "groups[0].report.names: must be an object of 1 to 48",
     "groups[0].report.names"},
    {REPORT("{\"arg\": 0, \"names\": {\"a b\": 1}}"), "groups[0].report.a b: a name is 1 to 31",
     "groups[0].report.a b"},
    {REPORT("{\"arg\": 0, \"names\": {\"A\": -1}}"), "groups[0].report.A: must be a number",
     "groups[0].report.A"},
    {REPORT("{\"arg\": 0, \"flags\": {\"A\": 0}}"),
     "groups[0].report.A: must have at least one bit", "groups[0].report.A"},
    {WHEN("{\"arg\": 0, \"equals\": 0}, {\"arg\": 1, \"less\": 3}"),
     "groups[0].when[1]: unknown key \"less\"", "groups[0].when[1]"},
};

static void errors_name_file_place_and_what_is_allowed(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(malformed); i++) {
        struct sock_fprog program;
        struct sb_error err;
        write_file(f->json, malformed[i].text, strlen(malformed[i].text));
        if (filter_compile(&program, f->json, "x86_64", false, &err) == 0)
            fail_msg("row %zu was taken: %s", i, malformed[i].text);
        if (strncmp(err.message, f->json, strlen(f->json)) != 0 ||
            strstr(err.message, malformed[i].says) == NULL ||
            strcmp(err.field, malformed[i].field) != 0 || strcmp(err.step, "seccomp") != 0)
            fail_msg("row %zu says \"%s\" (field \"%s\") instead of \"%s\"", i, err.message,
                     err.field, malformed[i].says);
        assert_null(program.filter);
    }
}

static void a_new_call_can_be_named_with_its_number(void **state)
{
    struct fixture *f = *state;
    static const char text[] = PROFILE("{\"why\": \"w\", \"action\": \"allow\", \"calls\": "
                                       "[\"call_of_the_future=900\", \"clone3=435\"]}");
    write_file(f->json, text, sizeof(text) - 1);
    for (size_t k = 0; k < ARRAY_LEN(arches); k++) {
        struct sock_fprog program;
        struct sb_error err;
        assert_int_equal(filter_compile(&program, f->json, arches[k], false, &err), 0);
        for (int nr = 0; nr < 1000; nr++) {
            struct seccomp_data data = {.nr = nr, .arch = audit_arch(arches[k])};
            assert_int_equal(interpret(&program, &data),
                             action_of(nr == 900 || nr == 435 ? ALLOW : ENOSYS));
        }
        free(program.filter);
    }
}

/* Each row is a sentence of the manual, or of a "why" in its example. */
static const struct row example_rows[] = {
    {"mmap", {0, 4096, PROT_READ, PRIVATE}, ALLOW},
    {"mmap", {0, 4096, PROT_READ, PRIVATE | MAP_HUGETLB}, ENOMEM},
    {"mmap", {0, 4096, PROT_READ, HIGH | PRIVATE | MAP_HUGETLB}, ENOMEM},
    {"mmap", {0, 4096, PROT_READ, HIGH *MAP_HUGETLB | PRIVATE}, ALLOW},
    {"read", {0}, ALLOW},
    {"epoll_pwait2", {0}, ALLOW},
    {"socket", {AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC}, ALLOW},
    {"socket", {AF_INET, SOCK_STREAM}, ALLOW},
    {"socket", {AF_INET, SOCK_DGRAM}, EAFNOSUPPORT},
    {"socket", {AF_NETLINK, SOCK_STREAM}, EAFNOSUPPORT},
    {"execve", {0}, ENOSYS},
};

static void the_example_in_the_manual_compiles_and_answers_as_it_says(void **state)
{
    struct fixture *f = *state;
    char text[8192];
    manual_example("SECCOMP PROFILES", text, sizeof(text));
    write_file(f->json, text, strlen(text));
    check_rows(f->json, example_rows, ARRAY_LEN(example_rows));
}

static void names_that_an_architecture_lacks_are_skipped_for_it(void **state)
{
    struct fixture *f = *state;
    static const char text[] =
        PROFILE("{\"why\": \"w\", \"action\": \"allow\", \"calls\": [\"open\", \"_llseek\"]}");
    write_file(f->json, text, sizeof(text) - 1);
    struct sock_fprog program;
    struct sb_error err;
    assert_int_equal(filter_compile(&program, f->json, "aarch64", false, &err), 0);
    for (int nr = 0; nr < 1000; nr++) {
        struct seccomp_data data = {.nr = nr, .arch = AUDIT_ARCH_AARCH64};
        assert_int_equal(interpret(&program, &data), action_of(ENOSYS));
    }
    free(program.filter);
}

static void files_that_are_no_profiles_are_refused_without_waiting(void **state)
{
    struct fixture *f = *state;
    struct sock_fprog program;
    struct sb_error err;
    static const char *const paths[] = {"/dev/zero", "/tmp", "/nonexistent/p.json", "/dev/null"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        assert_int_equal(filter_load(&program, paths[i], false, &err), -1);
        assert_non_null(strstr(err.message, paths[i]));
    }
    assert_int_equal(mkfifo(f->json, 0600), 0);
    assert_int_equal(filter_load(&program, f->json, false, &err), -1);
    unlink(f->json);
    _cleanup_free_ char *large = calloc(1, JSON_FILE_MAX + 1);
    write_file(f->json, large, JSON_FILE_MAX + 1);
    assert_int_equal(filter_load(&program, f->json, false, &err), -1);
    assert_int_equal(err.errnum, EFBIG);
    assert_int_equal(filter_compile(&program, f->json, "vax", false, &err), -1);
    assert_string_equal(err.field, "arch");
}

/* ── The cache ──────────────────────────────────────────────────────────────────────────────── */

static const char first_profile[] =
    PROFILE("{\"why\": \"w\", \"action\": \"allow\", \"calls\": [\"read\"]}");
static const char second_profile[] =
    PROFILE("{\"why\": \"w\", \"action\": \"allow\", \"calls\": [\"write\", \"mount\"]}");

/* What the loaded program allows tells from where it came. */
static bool allows(const struct sock_fprog *program, const char *call)
{
    struct seccomp_data data = {.nr = seccomp_syscall_resolve_name(call),
                                .arch = seccomp_arch_native()};
    return interpret(program, &data) == SECCOMP_RET_ALLOW;
}

/* A cache that is valid for the first profile and holds the second's program: with it, loading
 * shows whether the cache was used. */
static size_t forge(struct fixture *f, unsigned char *cache, size_t most)
{
    enum { PROFILE_HASH = 16, PROFILE_HASH_END = 24 };
    unsigned char first[4096];
    struct sb_error err;
    write_file(f->json, second_profile, sizeof(second_profile) - 1);
    assert_int_equal(filter_precompile(f->json, f->bpf, false, &err), 0);
    size_t size = read_back(f->bpf, cache, most);
    write_file(f->json, first_profile, sizeof(first_profile) - 1);
    assert_int_equal(filter_precompile(f->json, f->bpf, false, &err), 0);
    assert_true(read_back(f->bpf, first, sizeof(first)) > PROFILE_HASH_END);
    memcpy(cache + PROFILE_HASH, first + PROFILE_HASH, PROFILE_HASH_END - PROFILE_HASH);
    return size;
}

static void a_cache_that_fits_is_used_instead_of_compiling(void **state)
{
    struct fixture *f = *state;
    unsigned char cache[4096];
    size_t size = forge(f, cache, sizeof(cache));
    struct sock_fprog program;
    struct sb_error err;
    assert_int_equal(filter_load(&program, f->json, false, &err), 0);
    assert_true(allows(&program, "read"));
    free(program.filter);

    write_file(f->bpf, cache, size);
    assert_int_equal(filter_load(&program, f->json, false, &err), 0);
    assert_true(allows(&program, "write"));
    assert_false(allows(&program, "read"));
    free(program.filter);
}

static void a_profile_with_any_byte_changed_is_compiled_anew(void **state)
{
    struct fixture *f = *state;
    unsigned char cache[4096];
    size_t size = forge(f, cache, sizeof(cache));
    write_file(f->bpf, cache, size);
    for (size_t i = 0; i < sizeof(first_profile) - 1; i++) {
        char changed[sizeof(first_profile)];
        memcpy(changed, first_profile, sizeof(changed));
        changed[i] ^= 1;
        write_file(f->json, changed, sizeof(changed) - 1);
        struct sock_fprog program;
        struct sb_error err;
        if (filter_load(&program, f->json, false, &err) < 0)
            continue; /* this byte made it malformed */
        assert_false(allows(&program, "mount"));
        free(program.filter);
    }
    char longer[sizeof(first_profile)]; /* the terminating NUL becomes a space */
    memcpy(longer, first_profile, sizeof(longer));
    longer[sizeof(longer) - 1] = ' ';
    write_file(f->json, longer, sizeof(longer));
    struct sock_fprog program;
    struct sb_error err;
    assert_int_equal(filter_load(&program, f->json, false, &err), 0);
    assert_false(allows(&program, "mount"));
    free(program.filter);
}

static void a_damaged_cache_is_never_loaded_and_never_an_error(void **state)
{
    struct fixture *f = *state;
    unsigned char cache[4096];
    struct sock_fprog program;
    struct sb_error err;
    size_t size = forge(f, cache, sizeof(cache));
    for (size_t i = 0; i < size; i++) {
        cache[i] ^= 0x10;
        write_file(f->bpf, cache, size);
        cache[i] ^= 0x10;
        assert_int_equal(filter_load(&program, f->json, false, &err), 0);
        assert_true(allows(&program, "read") && !allows(&program, "mount"));
        free(program.filter);
    }
    for (size_t shorter = 0; shorter < size; shorter++) {
        write_file(f->bpf, cache, shorter);
        assert_int_equal(filter_load(&program, f->json, false, &err), 0);
        assert_true(allows(&program, "read") && !allows(&program, "mount"));
        free(program.filter);
    }
}

/* Nor the other way round, where refused calls would wait for nobody. */
static void the_cache_of_one_program_is_not_taken_for_the_other(void **state)
{
    struct fixture *f = *state;
    static const char text[] = REPORT("true");
    struct seccomp_data mount = {.nr = seccomp_syscall_resolve_name("mount"),
                                 .arch = seccomp_arch_native()};
    for (int report = 0; report < 2; report++) {
        struct sock_fprog program;
        struct sb_error err;
        char path[128];
        write_file(f->json, text, sizeof(text) - 1);
        snprintf(path, sizeof(path), "%s/p%s", f->directory, report ? ".report.bpf" : ".bpf");
        assert_int_equal(filter_precompile(f->json, path, !report, &err), 0);
        assert_int_equal(filter_load(&program, f->json, report, &err), 0);
        assert_int_equal(interpret(&program, &mount),
                         (report ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ERRNO) | EPERM);
        free(program.filter);
        unlink(path);
    }
}

static void loading_gives_the_program_that_compiling_gives(void **state)
{
    (void)state;
    static const char *const profiles[] = {"default", "strict"};
    for (size_t p = 0; p < ARRAY_LEN(profiles); p++) {
        char path[4096];
        struct sb_error err;
        struct sock_fprog loaded, fresh = compiled(profiles[p], NULL);
        snprintf(path, sizeof(path), SB_POLICY_SOURCE "/seccomp/%s.json", profiles[p]);
        assert_int_equal(filter_load(&loaded, path, false, &err), 0);
        assert_int_equal(loaded.len, fresh.len);
        assert_memory_equal(loaded.filter, fresh.filter, fresh.len * sizeof(*fresh.filter));
        free(loaded.filter);
        free(fresh.filter);
    }
}

static void an_output_that_cannot_be_written_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct sb_error err;
    write_file(f->json, first_profile, sizeof(first_profile) - 1);
    assert_int_equal(filter_precompile(f->json, "/nonexistent/p.bpf", false, &err), -1);
    assert_non_null(strstr(err.message, "/nonexistent/p.bpf"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FILES(errors_name_file_place_and_what_is_allowed),
        WITH_FILES(a_new_call_can_be_named_with_its_number),
        WITH_FILES(the_example_in_the_manual_compiles_and_answers_as_it_says),
        WITH_FILES(names_that_an_architecture_lacks_are_skipped_for_it),
        WITH_FILES(files_that_are_no_profiles_are_refused_without_waiting),
        WITH_FILES(a_cache_that_fits_is_used_instead_of_compiling),
        WITH_FILES(a_profile_with_any_byte_changed_is_compiled_anew),
        WITH_FILES(a_damaged_cache_is_never_loaded_and_never_an_error),
        WITH_FILES(the_cache_of_one_program_is_not_taken_for_the_other),
        cmocka_unit_test(loading_gives_the_program_that_compiling_gives),
        WITH_FILES(an_output_that_cannot_be_written_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
