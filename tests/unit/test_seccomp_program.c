/* The programs that are compiled from profiles: from any profile at random, for a zygote, and in
 * the kernel. */
#include "seccomp_programs.h"

#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common/json_file.h"
#include "seccomp/seccomp_profile.h"
#include "warm/zygote_filter.h"

/* ── Any profile ────────────────────────────────────────────────────────────────────────────── */

static uint32_t random_number(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

enum { GROUPS = 60, VALUES = 40, CALLS = 120 };

/* A profile as made at random, and what it must answer by the definition of its format. */
struct model {
    struct {
        uint32_t action;
        size_t conditions;
        struct {
            uint32_t arg, mask, values[VALUES];
            size_t count;
        } when[3];
        size_t calls_count;
        int calls[CALLS];
    } groups[GROUPS];
    size_t groups_count;
};

static uint32_t model_answer(const struct model *m, const struct seccomp_data *data)
{
    for (size_t g = 0; g < m->groups_count; g++) {
        bool named = false;
        for (size_t c = 0; c < m->groups[g].calls_count; c++)
            named = named || m->groups[g].calls[c] == data->nr;
        bool holds = named;
        for (size_t w = 0; w < m->groups[g].conditions; w++) {
            bool any = false;
            for (size_t v = 0; v < m->groups[g].when[w].count; v++)
                any = any || ((uint32_t)data->args[m->groups[g].when[w].arg] &
                              m->groups[g].when[w].mask) == m->groups[g].when[w].values[v];
            holds = holds && any;
        }
        if (holds)
            return m->groups[g].action;
    }
    return action_of(ENOSYS);
}

/* Writes the model's JSON while making it up. Calls that a group without conditions has named are
 * not named again, since that is an error. */
static size_t make_model(struct model *m, uint32_t *seed, char *text, size_t most)
{
    static const struct {
        const char *name;
        int value;
    } actions[] = {{"allow", ALLOW}, {"EPERM", EPERM}, {"kill", KILL}, {"ENOTTY", ENOTTY}};
    static int tries[512];
    memset(tries, 0, sizeof(tries));
    size_t used = (size_t)snprintf(text, most,
                                   "{\"description\": \"x\", \"architectures\": [\"x86_64\", "
                                   "\"aarch64\"], \"default\": \"ENOSYS\", \"groups\": [");
    m->groups_count = 1 + random_number(seed) % GROUPS;
    uint32_t size = 1 + random_number(seed) % VALUES;
    for (size_t g = 0; g < m->groups_count; g++) {
        size_t action = random_number(seed) % ARRAY_LEN(actions);
        m->groups[g].action = action_of(actions[action].value);
        m->groups[g].conditions = random_number(seed) % 4;
        m->groups[g].calls_count = 0;
        used +=
            (size_t)snprintf(text + used, most - used, "%s{\"why\": \"x\", \"action\": \"%s\", ",
                             g > 0 ? "," : "", actions[action].name);
        for (size_t w = 0; w < m->groups[g].conditions; w++) {
            uint32_t mask = random_number(seed) % 2 ? UINT32_MAX : 1 + random_number(seed) % 255;
            m->groups[g].when[w].arg = random_number(seed) % 6;
            m->groups[g].when[w].mask = mask;
            m->groups[g].when[w].count = 1 + random_number(seed) % size;
            used += (size_t)snprintf(text + used, most - used,
                                     "%s{\"arg\": %u, \"mask\": \"0x%x\", \"equals\": {",
                                     w == 0 ? "\"when\": [" : ",", m->groups[g].when[w].arg, mask);
            for (size_t v = 0; v < m->groups[g].when[w].count; v++) {
                uint32_t value = random_number(seed) % 80 & mask;
                m->groups[g].when[w].values[v] = value;
                used += (size_t)snprintf(text + used, most - used, "%s\"v%zu\": %u",
                                         v > 0 ? "," : "", v, value);
            }
            used += (size_t)snprintf(text + used, most - used, "}}%s",
                                     w + 1 == m->groups[g].conditions ? "]," : "");
        }
        used += (size_t)snprintf(text + used, most - used, "\"calls\": [");
        uint32_t wanted = 1 + random_number(seed) % CALLS;
        for (uint32_t i = 0; i < wanted; i++) {
            int nr = (int)(random_number(seed) % 450);
            _cleanup_free_ char *name = seccomp_syscall_resolve_num_arch(seccomp_arch_native(), nr);
            bool again = false;
            for (size_t c = 0; c < m->groups[g].calls_count; c++)
                again = again || m->groups[g].calls[c] == nr;
            if (name == NULL || again || tries[nr] >= 5)
                continue;
            tries[nr] += m->groups[g].conditions > 0 ? 1 : 5;
            used += (size_t)snprintf(text + used, most - used, "%s\"%s\"",
                                     m->groups[g].calls_count > 0 ? "," : "", name);
            m->groups[g].calls[m->groups[g].calls_count++] = nr;
        }
        used += (size_t)snprintf(text + used, most - used, "]}");
        if (m->groups[g].calls_count == 0)
            return 0;
    }
    used += (size_t)snprintf(text + used, most - used, "]}");
    assert_true(used < most);
    return used;
}

/* As it would be for zygotes whose jobs have a filter. */
static struct sock_fprog zygotes_own(const struct sock_fprog *jobs)
{
    struct sock_fprog program;
    struct sb_error err;
    if (zygote_filter(&program, jobs, &err) < 0)
        fail_msg("%s", err.message);
    return program;
}

static void random_profiles_answer_by_the_first_group_that_holds(void **state)
{
    struct fixture *f = *state;
    enum { MOST = 4 << 20 };
    _cleanup_free_ char *text = malloc(MOST);
    _cleanup_free_ struct model *m = malloc(sizeof(*m));
    uint32_t seed = 20261121;
    size_t compared = 0, far_jumps = 0, words = 0, too_long = 0;
    for (int round = 0; round < 400; round++) {
        size_t size = make_model(m, &seed, text, MOST);
        if (size == 0 || size > JSON_FILE_MAX)
            continue;
        write_file(f->json, text, size);
        struct sock_fprog program;
        struct sb_error err;
        if (filter_compile(&program, f->json, NULL, false, &err) < 0) {
            assert_non_null(strstr(err.message, "longer than the kernel's 4096 instructions"));
            too_long++;
            continue;
        }
        compared++;
        for (size_t i = 0; i < program.len; i++) {
            far_jumps += program.filter[i].code == (BPF_JMP | BPF_JA);
            words += program.filter[i].code == (BPF_MISC | BPF_TAX);
        }
        struct sock_fprog zygotes = zygotes_own(&program);
        for (int i = 0; i < 4000; i++) {
            struct seccomp_data data = {.nr = (int)(random_number(&seed) % 460),
                                        .arch = seccomp_arch_native()};
            for (size_t a = 0; a < 6; a++)
                data.args[a] = (uint64_t)random_number(&seed) << 32 | random_number(&seed) % 80;
            uint32_t answer = interpret(&program, &data);
            assert_int_equal(answer, model_answer(m, &data));
            /* What jobs may do, a zygote's filter does not take from them. */
            if (answer == SECCOMP_RET_ALLOW)
                assert_int_equal(interpret(&zygotes, &data), SECCOMP_RET_ALLOW);
        }
        free(zygotes.filter);
        free(program.filter);
    }
    assert_true(compared > 50);
    assert_true(words > 50);     /* values that were looked up in words of bits, too */
    assert_true(far_jumps > 50); /* programs with more than 255 instructions were among them */
}

/* ── A zygote's own ─────────────────────────────────────────────────────────────────────────── */

/* ENOSYS without a listener, and weaker than what a job's filter answers. */
#define ZYGOTE_REFUSES SECCOMP_RET_USER_NOTIF

static void a_zygote_is_refused_what_neither_its_jobs_nor_their_steps_need(void **state)
{
    (void)state;
    static const struct {
        int nr;
        uint64_t argument;
        bool allowed;
    } rows[] = {
        {SYS_read, 0, true},
        {SYS_mount, 0, true},
        {SYS_clone3, 0, true},
        {SYS_io_uring_register, 0, true},
        {SYS_socket, AF_UNIX, true},
        {SYS_socket, AF_INET, true},
        {SYS_socket, AF_INET | HIGH, true},
        {SYS_keyctl, 1, true}, /* KEYCTL_JOIN_SESSION_KEYRING */
        {SYS_socket, AF_NETLINK, false},
        {SYS_socket, AF_PACKET, false},
        {SYS_socket, AF_ALG, false},
        {SYS_socket, AF_NETLINK | HIGH, false},
        {SYS_keyctl, 0, false},
        {SYS_keyctl, 2, false},
        {SYS_io_uring_setup, 0, false},
        {SYS_io_uring_enter, 0, false},
        {SYS_bpf, 0, false},
        {SYS_ptrace, 0, false},
        {SYS_perf_event_open, 0, false},
        {SYS_fsopen, 0, false},
        {SYS_init_module, 0, false},
        {SYS_kexec_load, 0, false},
        {SYS_reboot, 0, false},
        {SYS_open_by_handle_at, 0, false},
        {SYS_userfaultfd, 0, false},
        {SYS_swapon, 0, false},
        {600, 0, false},
        {-1, 0, false},
    };
    static const char *const profiles[] = {"default", "strict"};
    for (size_t p = 0; p < ARRAY_LEN(profiles); p++) {
        struct sock_fprog jobs = compiled(profiles[p], NULL), program = zygotes_own(&jobs);
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            struct seccomp_data data = {
                .nr = rows[i].nr, .arch = seccomp_arch_native(), .args = {rows[i].argument}};
            assert_int_equal(interpret(&program, &data),
                             rows[i].allowed ? SECCOMP_RET_ALLOW : ZYGOTE_REFUSES);
            data.arch = seccomp_arch_native() ^ 1;
            assert_int_equal(interpret(&program, &data), ZYGOTE_REFUSES);
        }
        free(program.filter);
        free(jobs.filter);
    }
}

/* The kernel asks no filter about a call whose number is all that the filters look at. */
static void a_zygotes_filter_looks_at_the_arguments_of_two_calls_alone(void **state)
{
    (void)state;
    struct sock_fprog jobs = compiled("default", NULL), program = zygotes_own(&jobs);
    for (int nr = 0; nr < 512; nr++) {
        struct seccomp_data none = {.nr = nr, .arch = seccomp_arch_native()}, all = none;
        memset(all.args, 0xff, sizeof(all.args));
        if (nr != SYS_socket && nr != SYS_keyctl)
            assert_int_equal(interpret(&program, &none), interpret(&program, &all));
    }
    free(program.filter);
    free(jobs.filter);
}

/* ── No program of ours ─────────────────────────────────────────────────────────────────────── */

/* The answer of a program that was not compiled here is never trusted. */
static void a_program_that_goes_astray_kills(void **state)
{
    (void)state;
    static const struct sock_filter astray[][2] = {
        {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, sizeof(struct seccomp_data)),
         BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)},
        {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, UINT32_MAX),
         BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)},
        {BPF_STMT(BPF_LD | BPF_IMM, 1), BPF_STMT(BPF_RET | BPF_A, 0)},
        {BPF_JUMP(BPF_JMP | BPF_JA, UINT32_MAX - 7, 0, 0),
         BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)},
        {BPF_STMT(BPF_LD | BPF_IMM, 1), BPF_STMT(BPF_LD | BPF_IMM, 1)},
    };
    struct seccomp_data data = {.nr = 1, .arch = seccomp_arch(NULL)};
    for (size_t i = 0; i < ARRAY_LEN(astray); i++) {
        struct sock_fprog program = {2, (struct sock_filter *)astray[i]};
        assert_int_equal(filter_run(&program, &data), SECCOMP_RET_KILL_PROCESS);
    }
}

/* ── The kernel ─────────────────────────────────────────────────────────────────────────────── */

/* Runs `attempt` in a child behind the profile; gives its wait status. */
static int behind(const char *profile, int (*attempt)(void))
{
    struct sock_fprog program = compiled(profile, NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct rlimit no_core = {0};
        setrlimit(RLIMIT_CORE, &no_core);
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
            prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
            _exit(100);
        _exit(attempt());
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    free(program.filter);
    return status;
}

/* 0 when core dumps can't be switched, whatever the calls say, and other limits can be set. */
static int attempt_rlimits(void)
{
    struct rlimit none = {0}, files;
    struct rlimit before, core = {4096, 4096};
    if (getrlimit(RLIMIT_CORE, &before) < 0)
        return 19;
    if (syscall(SYS_prlimit64, 0, RLIMIT_CORE, &core, NULL) != 0 ||
        syscall(SYS_setrlimit, RLIMIT_CORE, &core) != 0)
        return 20;
    if (syscall(SYS_prlimit64, 0, RLIMIT_CORE, &none, &core) != -1 || errno != EPERM)
        return 21;
    if (getrlimit(RLIMIT_CORE, &core) < 0 || memcmp(&core, &before, sizeof(core)) != 0)
        return 23;
    if (syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &files) < 0 ||
        syscall(SYS_setrlimit, RLIMIT_NOFILE, &files) < 0)
        return 22;
    return 0;
}

static int attempt_calls(void)
{
    int pair[2];
    if (syscall(SYS_mount, 0, 0, 0, 0, 0) != -1 || errno != EPERM)
        return 1;
    if (syscall(SYS_ioctl, 0, HIGH | TIOCSTI, "x") != -1 || errno != EPERM)
        return 2;
    if (syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0) != -1 || errno != EPERM)
        return 3;
    if (syscall(SYS_clone3, 0, 0) != -1 || errno != ENOSYS)
        return 4;
    if (socket(AF_NETLINK, SOCK_RAW, 0) != -1 || errno != EAFNOSUPPORT)
        return 5;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
        return 6;
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    if (pid < 0 || waitpid(pid, NULL, 0) != pid)
        return 7;
    if (syscall(SYS_memfd_create, "huge", MFD_HUGETLB) != -1 || errno != EINVAL)
        return 9;
    if (syscall(SYS_memfd_create, "plain", MFD_CLOEXEC) < 0)
        return 10;
    int limits = attempt_rlimits();
    if (limits != 0)
        return limits;
    return syscall(-1) == -1 && errno == ENOSYS ? 0 : 8;
}

static int attempt_strict(void)
{
    int pair[2];
    if (fork() != -1 || errno != EPERM)
        return 1;
    if (socket(AF_UNIX, SOCK_STREAM, 0) != -1 || errno != EPERM)
        return 2;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
        return 3;
    return attempt_rlimits();
}

static void the_kernel_loads_the_programs_and_answers_alike(void **state)
{
    (void)state;
    assert_int_equal(behind("default", attempt_calls), 0);
    assert_int_equal(behind("strict", attempt_strict), 0);
}

#ifdef __x86_64__
static int attempt_i386(void)
{
    long result = 20; /* getpid there */
    __asm__ volatile("int $0x80" : "+a"(result) : : "memory");
    return 0;
}

static int attempt_x32(void)
{
    syscall(0x40000000 | SYS_getpid);
    return 0;
}

static void the_kernel_kills_32_bit_calls_and_x32(void **state)
{
    (void)state;
    int status = behind("default", attempt_i386);
    assert_true(WIFSIGNALED(status));
    /* A kernel without 32-bit support kills it too, in its own way. */
    assert_true(WTERMSIG(status) == SIGSYS || WTERMSIG(status) == SIGSEGV);
    status = behind("default", attempt_x32);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FILES(random_profiles_answer_by_the_first_group_that_holds),
        cmocka_unit_test(a_zygote_is_refused_what_neither_its_jobs_nor_their_steps_need),
        cmocka_unit_test(a_zygotes_filter_looks_at_the_arguments_of_two_calls_alone),
        cmocka_unit_test(a_program_that_goes_astray_kills),
        cmocka_unit_test(the_kernel_loads_the_programs_and_answers_alike),
#ifdef __x86_64__
        cmocka_unit_test(the_kernel_kills_32_bit_calls_and_x32),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
