/* See zygote_filter.h.
 *
 * A job runs under this filter and its own: it cannot have a call that this filter refuses, and
 * each of its calls pays for what this filter looks at. So the filter refuses nothing that jobs may
 * do, and decides by the call's number alone wherever it can: the kernel remembers the numbers that
 * all filters allow, and does not run the filters for them again. */
#include "warm/zygote_filter.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "common/error.h"
#include "common/util.h"
#include "seccomp/seccomp_profile.h"

/* Means ENOSYS where nobody listens, as here. A job's own filter is stronger: its errno, and its
 * own listener, take precedence (seccomp_run_filters in kernel/seccomp.c). */
#define REFUSE SECCOMP_RET_USER_NOTIF

/* Above the highest number of any kernel. */
#define NUMBERS 512
#define FAMILIES 64
/* As many as fit: a jump reaches 255 instructions. */
#define INTERVALS_MAX 200
#define FAMILIES_MAX 16

/* Calls that python, libzygote and the steps (inside.c) make after the zygote's execve, whether or
 * not the jobs' filter allows them. Calls without which no python runs, such as read and mmap, are
 * not listed: each profile allows them. */
static const unsigned short needed[] = {
    /* Namespaces and mounts. */
    SYS_clone,
    SYS_clone3,
    SYS_unshare,
    SYS_setns,
    SYS_mount,
    SYS_umount2,
    SYS_mount_setattr,
    SYS_sethostname,
    SYS_setdomainname,
    /* Privileges, and giving them up. */
    SYS_setresuid,
    SYS_setresgid,
    SYS_setuid,
    SYS_setgid,
    SYS_capset,
    SYS_capget,
    SYS_seccomp,
    SYS_landlock_create_ruleset,
    SYS_landlock_add_rule,
    SYS_landlock_restrict_self,
    SYS_prctl,
    SYS_personality,
    /* Processes. */
    SYS_execve,
    SYS_execveat,
    SYS_exit,
    SYS_exit_group,
    SYS_wait4,
    SYS_waitid,
    SYS_kill,
    SYS_tgkill,
    SYS_getpid,
    SYS_getppid,
    SYS_gettid,
    SYS_setsid,
    SYS_pidfd_send_signal,
    SYS_set_robust_list,
    SYS_get_robust_list,
    SYS_set_tid_address,
    SYS_rseq,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_signalfd4,
    SYS_restart_syscall,
    /* Scheduling and limits. */
    SYS_sched_getscheduler,
    SYS_sched_setscheduler,
    SYS_sched_getaffinity,
    SYS_getpriority,
    SYS_setpriority,
    SYS_ioprio_get,
    SYS_ioprio_set,
    SYS_set_mempolicy,
    SYS_prlimit64,
    SYS_clock_gettime,
    /* Memory. */
    SYS_mremap,
    SYS_madvise,
    SYS_memfd_create,
    SYS_io_uring_register,
    /* Files and descriptors. */
    SYS_openat,
    SYS_openat2,
    SYS_umask,
    SYS_chdir,
    SYS_fchdir,
    SYS_mkdirat,
    SYS_fchmod,
    SYS_fchmodat,
    SYS_unlinkat,
    SYS_ftruncate,
    SYS_pread64,
    SYS_pwrite64,
    SYS_lseek,
    SYS_fcntl,
    SYS_ioctl,
    SYS_dup,
    SYS_dup3,
    SYS_pipe2,
    SYS_close_range,
    SYS_ppoll,
    SYS_readlinkat,
    /* Messages. */
    SYS_socketpair,
    SYS_sendto,
    SYS_sendmsg,
    SYS_recvfrom,
    SYS_recvmsg,
    SYS_writev,
#ifdef __x86_64__
    SYS_fork,
    SYS_vfork,
    SYS_arch_prctl,
    SYS_poll,
    SYS_pause,
    SYS_dup2,
    SYS_mkdir,
    SYS_chmod,
    SYS_setrlimit,
    SYS_getrlimit,
    SYS_readlink,
#endif
};

/* ── What a program may answer ─────────────────────────────────────────────────────────────── */

/* A walk through all paths of a program for one call, of which the number is known, and perhaps the
 * low half of the first argument. */
struct walk {
    const struct sock_fprog *program;
    uint32_t nr, argument;
    bool argument_known;
    bool been[BPF_MAXINSNS]; /* instructions visited with an unknown accumulator */
};

struct accumulator {
    bool known;
    uint32_t value;
};

static struct accumulator load(const struct walk *walk, uint32_t at)
{
    if (at == offsetof(struct seccomp_data, arch))
        return (struct accumulator){true, seccomp_arch(NULL)};
    if (at == offsetof(struct seccomp_data, nr))
        return (struct accumulator){true, walk->nr};
    if (at == offsetof(struct seccomp_data, args) && walk->argument_known)
        return (struct accumulator){true, walk->argument};
    return (struct accumulator){0};
}

static bool lets_through(uint32_t answer)
{
    uint32_t action = answer & SECCOMP_RET_ACTION_FULL;
    return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG || action == SECCOMP_RET_TRACE;
}

static bool is_true(const struct sock_filter *jump, uint32_t value)
{
    switch (BPF_OP(jump->code)) {
    case BPF_JEQ:
        return value == jump->k;
    case BPF_JGE:
        return value >= jump->k;
    case BPF_JGT:
        return value > jump->k;
    default: /* BPF_JSET */
        return (value & jump->k) != 0;
    }
}

/* Whether some path leads to an answer that lets the call through. Where a jump depends on
 * something unknown, both ways are walked, each once. */
static bool may_let_through(struct walk *walk, size_t pc, struct accumulator a)
{
    for (; pc < walk->program->len; pc++) {
        const struct sock_filter *i = &walk->program->filter[pc];
        if (!a.known) {
            if (walk->been[pc])
                return false;
            walk->been[pc] = true;
        }
        switch (BPF_CLASS(i->code)) {
        case BPF_RET:
            return BPF_RVAL(i->code) != BPF_K || lets_through(i->k);
        case BPF_LD:
            a = i->code == (BPF_LD | BPF_W | BPF_ABS) ? load(walk, i->k) : (struct accumulator){0};
            break;
        case BPF_ALU:
            if (i->code == (BPF_ALU | BPF_AND | BPF_K))
                a.value &= i->k;
            else
                a.known = false;
            break;
        case BPF_JMP:
            if (BPF_OP(i->code) == BPF_JA) {
                pc += i->k;
            } else if (a.known && BPF_SRC(i->code) == BPF_K) {
                pc += is_true(i, a.value) ? i->jt : i->jf;
            } else {
                if (may_let_through(walk, pc + 1 + i->jt, (struct accumulator){0}))
                    return true;
                pc += i->jf;
                a.known = false;
            }
            break;
        default:
            break;
        }
    }
    return true;
}

static bool jobs_may(struct walk *walk, uint32_t nr, const uint32_t *argument)
{
    memset(walk->been, 0, sizeof(walk->been));
    walk->nr = nr;
    walk->argument_known = argument != NULL;
    walk->argument = argument != NULL ? *argument : 0;
    return may_let_through(walk, 0, (struct accumulator){0});
}

/* ── The program ───────────────────────────────────────────────────────────────────────────── */

enum way { ALLOWED, REFUSED, SOCKET, KEYCTL, WAYS };

struct plan {
    enum way way[NUMBERS];
    uint32_t families[FAMILIES_MAX]; /* socket families that jobs have */
    size_t families_count;
    /* Calls from one interval's number up to the next one's are decided in the same way. */
    struct {
        uint32_t first;
        enum way way;
    } intervals[INTERVALS_MAX];
    size_t intervals_count;
};

/* Finds the families of the jobs, and adds those that the steps use. */
static bool find_families(struct plan *plan, struct walk *walk)
{
    for (uint32_t family = 0; family < FAMILIES; family++)
        if (family == AF_UNIX || family == AF_INET || jobs_may(walk, SYS_socket, &family)) {
            if (plan->families_count == FAMILIES_MAX)
                return false;
            plan->families[plan->families_count++] = family;
        }
    return true;
}

static void choose_ways(struct plan *plan, struct walk *walk)
{
    for (uint32_t nr = 0; nr < NUMBERS; nr++)
        plan->way[nr] = jobs_may(walk, nr, NULL) ? ALLOWED : REFUSED;
    for (size_t i = 0; i < ARRAY_LEN(needed); i++)
        plan->way[needed[i]] = ALLOWED;
    if (plan->way[SYS_keyctl] == REFUSED)
        plan->way[SYS_keyctl] = KEYCTL;
    plan->way[SYS_socket] = find_families(plan, walk) ? SOCKET : ALLOWED;
}

static int divide(struct plan *plan)
{
    for (uint32_t nr = 0; nr <= NUMBERS; nr++) {
        enum way way = nr < NUMBERS ? plan->way[nr] : REFUSED;
        if (plan->intervals_count > 0 && plan->intervals[plan->intervals_count - 1].way == way)
            continue;
        if (plan->intervals_count == INTERVALS_MAX)
            return -1;
        plan->intervals[plan->intervals_count].first = nr;
        plan->intervals[plan->intervals_count++].way = way;
    }
    return 0;
}

struct writer {
    struct sock_filter *code;
    size_t count;
    size_t at[WAYS]; /* where the code of each way starts */
};

static void write_one(struct writer *writer, struct sock_filter instruction)
{
    writer->code[writer->count++] = instruction;
}

/* If the test is true, jumps to `target`, which lies ahead; otherwise goes on with the next
 * instruction. */
static void write_jump(struct writer *writer, uint16_t test, uint32_t k, size_t target)
{
    write_one(writer, (struct sock_filter)BPF_JUMP(BPF_JMP | test | BPF_K, k,
                                                   (uint8_t)(target - writer->count - 1), 0));
}

static void write_go(struct writer *writer, size_t target)
{
    write_one(writer, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA,
                                                   (uint32_t)(target - writer->count - 1)));
}

/* The number of instructions that write_tree makes for `count` intervals. */
static size_t tree_size(size_t count)
{
    return 2 * count - 1;
}

static void write_tree(struct writer *writer, const struct plan *plan, size_t low, size_t high)
{
    if (high - low == 1) {
        write_go(writer, writer->at[plan->intervals[low].way]);
        return;
    }
    size_t split = (low + high) / 2;
    /* A conditional jump has one byte for the distance: distant code is reached by a second
     * jump. */
    write_jump(writer, BPF_JGE, plan->intervals[split].first,
               writer->count + 1 + tree_size(split - low));
    write_tree(writer, plan, low, split);
    write_tree(writer, plan, split, high);
}

#define LOAD(field) ((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, field))
#define RETURN(answer) ((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, answer))
#define HEAD 4

/* Calls of another architecture are refused: their numbers mean something else. Of an argument that
 * is an int, the kernel reads only the low half, and so does the program. */
static void write_program(struct writer *writer, const struct plan *plan)
{
    size_t end = HEAD + tree_size(plan->intervals_count);
    writer->at[SOCKET] = end;
    writer->at[KEYCTL] = end + 1 + plan->families_count + 1;
    writer->at[ALLOWED] = writer->at[KEYCTL] + 3;
    writer->at[REFUSED] = writer->at[ALLOWED] + 1;
    write_one(writer, LOAD(offsetof(struct seccomp_data, arch)));
    write_jump(writer, BPF_JEQ, seccomp_arch(NULL), writer->count + 2);
    write_one(writer, RETURN(REFUSE));
    write_one(writer, LOAD(offsetof(struct seccomp_data, nr)));
    write_tree(writer, plan, 0, plan->intervals_count);
    write_one(writer, LOAD(offsetof(struct seccomp_data, args)));
    for (size_t i = 0; i < plan->families_count; i++)
        write_jump(writer, BPF_JEQ, plan->families[i], writer->at[ALLOWED]);
    write_one(writer, RETURN(REFUSE));
    write_one(writer, LOAD(offsetof(struct seccomp_data, args)));
    write_jump(writer, BPF_JEQ, KEYCTL_JOIN_SESSION_KEYRING, writer->at[ALLOWED]);
    write_one(writer, RETURN(REFUSE));
    write_one(writer, RETURN(SECCOMP_RET_ALLOW));
    write_one(writer, RETURN(REFUSE));
}

int zygote_filter(struct sock_fprog *program, const struct sock_fprog *jobs, struct sb_error *err)
{
    _cleanup_free_ struct walk *walk = calloc(1, sizeof(*walk));
    _cleanup_free_ struct plan *plan = calloc(1, sizeof(*plan));
    size_t most = HEAD + 2 * INTERVALS_MAX + FAMILIES_MAX + 8;
    struct writer writer = {.code = calloc(most, sizeof(*writer.code))};
    *program = (struct sock_fprog){0};
    if (walk == NULL || plan == NULL || writer.code == NULL) {
        free(writer.code);
        return sb_fail(err, "seccomp", ENOMEM, "out of memory (a zygote's filter)");
    }
    walk->program = jobs;
    choose_ways(plan, walk);
    if (divide(plan) < 0) {
        free(writer.code);
        return sb_fail(err, "seccomp", 0,
                       "the profile's calls are in too many separate ranges for a zygote's filter: "
                       "allow fewer "
                       "calls, or neighbouring ones");
    }
    write_program(&writer, plan);
    *program = (struct sock_fprog){(unsigned short)writer.count, writer.code};
    return 0;
}
