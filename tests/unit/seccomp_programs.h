/* For tests of seccomp's programs: they are judged by what they answer. A small interpreter runs
 * them on calls as the kernel would describe them, for both architectures. */
#ifndef SECCOMP_PROGRAMS_H
#define SECCOMP_PROGRAMS_H

#include "unit.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/util.h"
#include "seccomp/seccomp.h"

enum {
    ALLOW = 0,
    KILL = -1,
    IGNORE = -2, /* others: an errno */
};

static const char *const arches[] = {"x86_64", "aarch64"};

/* ── The interpreter ────────────────────────────────────────────────────────────────────────── */

/* seccomp's subset of classic BPF. Fails the test on anything that the kernel would not load. */
static inline uint32_t interpret(const struct sock_fprog *program, const struct seccomp_data *data)
{
    uint32_t a = 0, x = 0;
    for (size_t pc = 0; pc < program->len; pc++) {
        const struct sock_filter *i = &program->filter[pc];
        bool taken = false;
        switch (i->code) {
        case BPF_LD | BPF_W | BPF_ABS:
            assert_true(i->k % 4 == 0 && i->k <= sizeof(*data) - sizeof(a));
            memcpy(&a, (const char *)data + i->k, sizeof(a));
            continue;
        case BPF_ALU | BPF_AND | BPF_K:
            a &= i->k;
            continue;
        case BPF_ALU | BPF_SUB | BPF_K:
            a -= i->k;
            continue;
        case BPF_ALU | BPF_LSH | BPF_X:
            assert_in_range(x, 0, 31); /* more is not defined */
            a <<= x;
            continue;
        case BPF_LD | BPF_IMM:
            a = i->k;
            continue;
        case BPF_MISC | BPF_TAX:
            x = a;
            continue;
        case BPF_RET | BPF_K:
            return i->k;
        case BPF_JMP | BPF_JA:
            pc += i->k;
            continue;
        case BPF_JMP | BPF_JEQ | BPF_K:
            taken = a == i->k;
            break;
        case BPF_JMP | BPF_JGE | BPF_K:
            taken = a >= i->k;
            break;
        case BPF_JMP | BPF_JGT | BPF_K:
            taken = a > i->k;
            break;
        case BPF_JMP | BPF_JSET | BPF_K:
            taken = (a & i->k) != 0;
            break;
        default:
            fail_msg("instruction %zu has an unexpected code 0x%x", pc, i->code);
        }
        pc += taken ? i->jt : i->jf;
    }
    fail_msg("the program ends without an answer");
    return 0;
}

static inline uint32_t action_of(int expected)
{
    return expected == ALLOW    ? SECCOMP_RET_ALLOW
           : expected == KILL   ? SECCOMP_RET_KILL_PROCESS
           : expected == IGNORE ? SECCOMP_RET_ERRNO
                                : SECCOMP_RET_ERRNO | (uint32_t)expected;
}

static inline uint32_t audit_arch(const char *arch)
{
    return strcmp(arch, "x86_64") == 0 ? AUDIT_ARCH_X86_64 : AUDIT_ARCH_AARCH64;
}

/* A profile that is shipped, by name, or another by its path. */
static inline struct sock_fprog compile_with(const char *profile, const char *arch, bool report)
{
    char path[512];
    struct sock_fprog program;
    struct sb_error err;
    if (strchr(profile, '/') != NULL)
        snprintf(path, sizeof(path), "%s", profile);
    else
        snprintf(path, sizeof(path), SB_POLICY_SOURCE "/seccomp/%s.json", profile);
    if (filter_compile(&program, path, arch, report, &err) < 0)
        fail_msg("%s", err.message);
    return program;
}

static inline struct sock_fprog compiled(const char *profile, const char *arch)
{
    return compile_with(profile, arch, false);
}

/* ── Rows: a call, and what a program answers ───────────────────────────────────────────────── */

struct row {
    const char *call;
    uint64_t args[6];
    int expected;
};

#define HIGH (UINT64_C(1) << 32)
#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)

static inline void check_rows(const char *profile, const struct row *rows, size_t count)
{
    for (size_t k = 0; k < ARRAY_LEN(arches); k++) {
        struct sock_fprog program = compiled(profile, arches[k]);
        size_t checked = 0;
        for (size_t i = 0; i < count; i++) {
            int nr = seccomp_syscall_resolve_name_arch(audit_arch(arches[k]), rows[i].call);
            if (nr < 0)
                continue; /* not on this architecture, or younger than this libseccomp */
            struct seccomp_data data = {.nr = nr, .arch = audit_arch(arches[k])};
            memcpy(data.args, rows[i].args, sizeof(data.args));
            uint32_t answer = interpret(&program, &data);
            if (answer != action_of(rows[i].expected))
                fail_msg("%s, %s: row %zu, %s(0x%" PRIx64 ", 0x%" PRIx64 ", 0x%" PRIx64
                         ") gives 0x%x",
                         profile, arches[k], i, rows[i].call, rows[i].args[0], rows[i].args[1],
                         rows[i].args[2], answer);
            checked++;
        }
        assert_true(checked > count * 3 / 4);
        free(program.filter);
    }
}

/* ── Files ──────────────────────────────────────────────────────────────────────────────────── */

/* Files of the tests stand in a directory of their own. */
struct fixture {
    char directory[64];
    char json[96];
    char bpf[96];
};

static inline int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    snprintf(f->directory, sizeof(f->directory), "/tmp/test-seccomp-XXXXXX");
    if (mkdtemp(f->directory) == NULL)
        return -1;
    snprintf(f->json, sizeof(f->json), "%s/p.json", f->directory);
    snprintf(f->bpf, sizeof(f->bpf), "%s/p.bpf", f->directory);
    *state = f;
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *f = *state;
    unlink(f->json);
    unlink(f->bpf);
    int result = rmdir(f->directory);
    free(f);
    return result;
}

static inline void write_file(const char *path, const void *data, size_t size)
{
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, size), (ssize_t)size);
}

static inline size_t read_back(const char *path, void *data, size_t most)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    ssize_t size = read(fd, data, most);
    assert_true(size >= 0 && (size_t)size < most);
    return (size_t)size;
}

#define WITH_FILES(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
