/* The seccomp profiles and what compiles them. Programs are judged by what they answer: a small
 * interpreter runs them on calls as the kernel would describe them, for both architectures. */
#include "unit.h"

#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <linux/audit.h>
#include <linux/if.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "common/json_file.h"
#include "common/util.h"
#include "manual.h"
#include "seccomp/seccomp.h"
#include "seccomp/seccomp_profile.h"
#include "warm/zygote_filter.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

enum {
    ALLOW = 0,
    KILL = -1,
    IGNORE = -2, /* others: an errno */
};

static const char *const arches[] = {"x86_64", "aarch64"};

/* ── The interpreter ────────────────────────────────────────────────────────────────────────── */

/* seccomp's subset of classic BPF. Fails the test on anything that the kernel would not load. */
static uint32_t interpret(const struct sock_fprog *program, const struct seccomp_data *data)
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

static uint32_t action_of(int expected)
{
    return expected == ALLOW    ? SECCOMP_RET_ALLOW
           : expected == KILL   ? SECCOMP_RET_KILL_PROCESS
           : expected == IGNORE ? SECCOMP_RET_ERRNO
                                : SECCOMP_RET_ERRNO | (uint32_t)expected;
}

static uint32_t audit_arch(const char *arch)
{
    return strcmp(arch, "x86_64") == 0 ? AUDIT_ARCH_X86_64 : AUDIT_ARCH_AARCH64;
}

/* A profile that is shipped, by name, or another by its path. */
static struct sock_fprog compile_with(const char *profile, const char *arch, bool report)
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

static struct sock_fprog compiled(const char *profile, const char *arch)
{
    return compile_with(profile, arch, false);
}

/* ── What the profiles say ──────────────────────────────────────────────────────────────────── */

struct row {
    const char *call;
    uint64_t args[6];
    int expected;
};

#define THREAD                                                                                     \
    (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |            \
     CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)
#define HIGH (UINT64_C(1) << 32)
#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)
#define HUGE_1GB (UINT64_C(30) << MAP_HUGE_SHIFT) /* the size is in the same bits everywhere */

/* Linux 6.3; the C library's headers are older. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#endif

static const struct row default_rows[] = {
    {"read", {0}, ALLOW},
    {"fcntl", {3, F_DUPFD_CLOEXEC}, ALLOW},
    {"fcntl", {3, F_NOTIFY}, EINVAL},
    {"fcntl", {3, HIGH | F_NOTIFY}, EINVAL},
    {"fcntl", {3, F_SETLK}, ALLOW},
    {"fcntl", {3, 1034 /* F_GET_SEALS */}, ALLOW},
    {"fcntl", {3, 12 /* no longer there */}, EINVAL},
    {"fcntl", {3, 1024 /* F_SETLEASE */}, EINVAL},
    {"fcntl", {3, HIGH | 1025 /* F_GETLEASE */}, EINVAL},
    {"fcntl", {3, 1036 /* F_SET_RW_HINT */}, EINVAL},
    {"fcntl", {3, 1039 /* F_SETDELEG */}, EINVAL},
    {"fcntl", {3, UINT32_MAX}, EINVAL},
    {"fsync", {3}, IGNORE},
    {"fsync", {0xfffff}, IGNORE},
    {"fsync", {0x100000}, ALLOW},
    {"fsync", {UINT32_MAX}, ALLOW},
    {"fdatasync", {HIGH | 3}, IGNORE},
    {"fadvise64", {3, 0, 0, POSIX_FADV_WILLNEED}, ALLOW},
    {"fadvise64", {3, 0, 0, POSIX_FADV_DONTNEED}, IGNORE},
    {"fadvise64", {3, 0, 0, HIGH | POSIX_FADV_DONTNEED}, IGNORE},
    {"fadvise64", {UINT64_MAX, 0, 0, POSIX_FADV_DONTNEED}, ALLOW},
    {"madvise", {0, 4096, MADV_DONTNEED}, ALLOW},
    {"madvise", {0, 4096, MADV_HUGEPAGE}, ALLOW},
    {"madvise", {0, 4096, MADV_PAGEOUT}, IGNORE},
    {"madvise", {0, 4096, HIGH | MADV_COLD}, IGNORE},
    {"madvise", {0, 4096, MADV_MERGEABLE}, EINVAL},
    {"preadv2", {3, 0, 0, 0, 0, RWF_HIPRI}, ALLOW},
    {"preadv2", {3, 0, 0, RWF_NOWAIT, RWF_NOWAIT, 0}, ALLOW},
    {"preadv2", {3, 0, 0, 0, 0, RWF_NOWAIT}, EOPNOTSUPP},
    {"preadv2", {3, 0, 0, 0, 0, HIGH | RWF_HIPRI | RWF_NOWAIT}, EOPNOTSUPP},
    {"preadv2", {UINT32_MAX, 0, 0, 0, 0, RWF_NOWAIT}, ALLOW},
    {"sync_file_range", {3}, IGNORE},
    {"inotify_init", {0}, ENOSYS},
    {"inotify_init1", {0}, ENOSYS},
    {"openat", {0}, ALLOW},
    {"open", {0}, ALLOW},
    {"execve", {0}, ALLOW},
    {"fork", {0}, ALLOW},
    {"vfork", {0}, ALLOW},
    {"mq_open", {0}, ENOSYS},
    {"mq_unlink", {0}, ENOSYS},
    {"mincore", {0}, ENOSYS},
    {"kill", {1, 9}, ALLOW},
    {"fchmodat2", {0}, ALLOW},
    {"landlock_restrict_self", {0}, ALLOW},

    {"mmap", {0, 4096, PROT_READ | PROT_WRITE, PRIVATE}, ALLOW},
    {"mmap", {0, 4096, PROT_READ, MAP_SHARED, 3, 4096}, ALLOW},
    {"mmap", {0, 4096, PROT_NONE, PRIVATE | MAP_NORESERVE | MAP_STACK}, ALLOW},
    {"mmap", {0, 4096, PROT_READ, MAP_SHARED_VALIDATE | MAP_SYNC, 3}, ALLOW},
    {"mmap", {0, 4096, PROT_READ, PRIVATE | ~(uint32_t)MAP_HUGETLB}, ALLOW},
    {"mmap", {0, 4096, PROT_READ, HIGH *MAP_HUGETLB | PRIVATE}, ALLOW},
    {"mmap", {MAP_HUGETLB, MAP_HUGETLB, PROT_READ, PRIVATE, 3, MAP_HUGETLB}, ALLOW},
    {"mmap", {0, 4096, PROT_READ | PROT_WRITE, PRIVATE | MAP_HUGETLB}, ENOMEM},
    {"mmap", {0, 4096, PROT_READ, MAP_SHARED | MAP_HUGETLB, 3}, ENOMEM},
    {"mmap", {0, 4096, PROT_READ, PRIVATE | MAP_HUGETLB | HUGE_1GB}, ENOMEM},
    {"mmap", {0, 4096, PROT_READ, HIGH | PRIVATE | MAP_HUGETLB}, ENOMEM},
    {"mmap", {0, 4096, PROT_READ, UINT64_MAX}, ENOMEM},
    {"mremap", {0, 4096, 8192, MREMAP_MAYMOVE}, ALLOW},
    {"memfd_create", {0}, ALLOW},
    {"memfd_create", {0, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL}, ALLOW},
    {"memfd_create", {MFD_HUGETLB, HIGH *MFD_HUGETLB}, ALLOW},
    {"memfd_create", {0, MFD_HUGETLB}, EINVAL},
    {"memfd_create", {0, MFD_CLOEXEC | MFD_HUGETLB | HUGE_1GB}, EINVAL},
    {"memfd_create", {0, HIGH | MFD_HUGETLB}, EINVAL},
    {"shmget", {0}, ALLOW},
    {"shmget", {IPC_PRIVATE, 4096, IPC_CREAT | IPC_EXCL | 0600}, ALLOW},
    {"shmget", {IPC_PRIVATE, 4096, IPC_CREAT | SHM_NORESERVE | 0600}, ALLOW},
    {"shmget", {SHM_HUGETLB, SHM_HUGETLB, HIGH *SHM_HUGETLB | IPC_CREAT | 0600}, ALLOW},
    {"shmget", {IPC_PRIVATE, 4096, SHM_HUGETLB}, ENOMEM},
    {"shmget", {IPC_PRIVATE, 4096, IPC_CREAT | SHM_HUGETLB | HUGE_1GB | 0600}, ENOMEM},
    {"shmget", {IPC_PRIVATE, 4096, HIGH | IPC_CREAT | SHM_HUGETLB | 0600}, ENOMEM},

    {"clone", {SIGCHLD}, ALLOW},
    {"clone", {THREAD}, ALLOW},
    {"clone", {CLONE_VM | CLONE_VFORK | SIGCHLD}, ALLOW},
    {"clone", {CLONE_NEWNS | SIGCHLD}, EPERM},
    {"clone", {CLONE_NEWUSER | SIGCHLD}, EPERM},
    {"clone", {CLONE_NEWPID}, EPERM},
    {"clone", {CLONE_NEWNET}, EPERM},
    {"clone", {CLONE_NEWIPC}, EPERM},
    {"clone", {CLONE_NEWUTS}, EPERM},
    {"clone", {CLONE_NEWCGROUP}, EPERM},
    {"clone", {CLONE_NEWTIME}, EPERM},
    {"clone", {THREAD | CLONE_NEWUSER}, EPERM},
    {"clone3", {0}, ENOSYS},
    {"unshare", {CLONE_NEWUSER}, EPERM},
    {"unshare", {0}, EPERM},
    {"setns", {3, 0}, EPERM},

    {"ioctl", {0, TCGETS}, ALLOW},
    {"ioctl", {0, FIONBIO}, ALLOW},
    {"ioctl", {0, TIOCSTI}, EPERM},
    {"ioctl", {0, TIOCLINUX}, EPERM},
    {"ioctl", {0, HIGH | TIOCSTI}, EPERM},
    {"ioctl", {0, (UINT64_C(0xffffffff) << 32) | TIOCLINUX}, EPERM},
    {"ioctl", {0, TIOCSCTTY}, ENOTTY},
    {"ioctl", {0, 0xd0009412 /* BTRFS_IOC_INO_LOOKUP */}, ENOTTY},

    {"socket", {AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC}, ALLOW},
    {"socket", {AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0}, ALLOW},
    {"socket", {AF_INET6, SOCK_DGRAM, IPPROTO_UDP}, ALLOW},
    {"socket", {AF_INET, SOCK_STREAM, IPPROTO_TCP}, ALLOW},
    {"socket", {AF_INET, SOCK_RAW, IPPROTO_ICMP}, ALLOW}, /* the kernel wants CAP_NET_RAW */
    {"socket", {AF_INET, SOCK_STREAM, IPPROTO_SCTP}, EPROTONOSUPPORT},
    {"socket", {AF_INET, SOCK_STREAM, 262 /* MPTCP */}, EPROTONOSUPPORT},
    {"socket", {AF_INET, SOCK_SEQPACKET, 0}, EPROTONOSUPPORT},
    {"socket", {AF_INET, 6 /* DCCP */, 0}, EPROTONOSUPPORT},
    {"socket", {AF_NETLINK, SOCK_RAW, 0}, EAFNOSUPPORT},
    {"socket", {HIGH | AF_NETLINK, SOCK_RAW, 0}, EAFNOSUPPORT},
    {"socket", {AF_PACKET, SOCK_RAW, 0}, EAFNOSUPPORT},
    {"socket", {AF_VSOCK, SOCK_STREAM, 0}, EAFNOSUPPORT},
    {"socket", {AF_ALG, SOCK_SEQPACKET, 0}, EAFNOSUPPORT},
    {"socket", {0, SOCK_STREAM, 0}, EAFNOSUPPORT},
    {"socket", {0xffffffff, SOCK_STREAM, 0}, EAFNOSUPPORT},
    {"socketpair", {AF_UNIX, SOCK_STREAM, 0}, ALLOW},
    {"socketpair", {30 /* TIPC */, SOCK_SEQPACKET, 0}, EAFNOSUPPORT},
    {"setsockopt", {3, SOL_SOCKET, SO_REUSEADDR}, ALLOW},
    {"setsockopt", {3, HIGH | SOL_SOCKET, HIGH | SO_KEEPALIVE}, ALLOW},
    {"getsockopt", {3, SOL_SOCKET, SO_DOMAIN}, ALLOW},
    {"setsockopt", {3, IPPROTO_IP, IP_TTL}, ALLOW},
    {"setsockopt", {3, IPPROTO_IP, IP_MULTICAST_LOOP}, ALLOW},
    {"setsockopt", {3, IPPROTO_IPV6, IPV6_V6ONLY}, ALLOW},
    {"setsockopt", {3, IPPROTO_IPV6, IPV6_TCLASS}, ALLOW},
    {"getsockopt", {3, IPPROTO_TCP, TCP_INFO}, ALLOW},
    /* The same numbers at another level. */
    {"setsockopt", {3, IPPROTO_UDP, SO_REUSEADDR}, ENOPROTOOPT},
    {"setsockopt", {3, IPPROTO_TCP, SO_DOMAIN}, ENOPROTOOPT},
    {"setsockopt", {3, IPPROTO_IPV6, SO_REUSEADDR}, ENOPROTOOPT},
    {"setsockopt", {3, IPPROTO_IPV6, IPV6_2292PKTOPTIONS}, ENOPROTOOPT},
    {"setsockopt", {3, IPPROTO_IPV6, IPV6_RTHDR}, ENOPROTOOPT},
    {"setsockopt", {3, IPPROTO_IPV6, 32 /* IPV6_FLOWLABEL_MGR */}, ENOPROTOOPT},
    {"getsockopt", {3, IPPROTO_IPV6, 32 /* IPV6_FLOWLABEL_MGR */}, ENOPROTOOPT},
    {"setsockopt", {3, IPPROTO_IPV6, IPV6_JOIN_GROUP}, ENOPROTOOPT},
    {"setsockopt", {3, IPPROTO_IPV6, 80 /* what a word of bits goes up to */}, ENOPROTOOPT},
    {"setsockopt", {3, IPPROTO_IPV6, 81}, ENOPROTOOPT},
    {"setsockopt", {3, IPPROTO_IPV6, 16 + 64}, ENOPROTOOPT},
    {"setsockopt", {3, IPPROTO_IP, IP_OPTIONS}, ENOPROTOOPT},
    {"setsockopt", {3, IPPROTO_IP, IP_ADD_MEMBERSHIP}, ENOPROTOOPT},
    {"setsockopt", {3, IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP}, ENOPROTOOPT},
    {"setsockopt", {3, IPPROTO_TCP, 14 /* TCP_MD5SIG */}, ENOPROTOOPT},
    {"setsockopt", {3, IPPROTO_UDP, 100 /* UDP_ENCAP */}, ENOPROTOOPT},
    {"setsockopt", {3, SOL_SOCKET, SO_TIMESTAMP}, ENOPROTOOPT},
    {"setsockopt", {3, SOL_SOCKET, UINT32_MAX}, ENOPROTOOPT},
    {"setsockopt", {3, 255 /* SOL_RAW */, 1}, ENOPROTOOPT},
    {"getsockopt", {3, SOL_SOCKET, SO_COOKIE}, ENOPROTOOPT},
    {"getsockopt", {3, SOL_SOCKET, 71 /* SO_NETNS_COOKIE */}, ENOPROTOOPT},
    {"setsockopt", {3, SOL_SOCKET, SO_ATTACH_FILTER}, ENOPROTOOPT},
    {"setsockopt", {3, HIGH | SOL_SOCKET, HIGH | SO_ATTACH_BPF}, ENOPROTOOPT},
    {"setsockopt", {3, IPPROTO_TCP, 31 /* TCP_ULP */}, ENOPROTOOPT},

    {"prctl", {PR_SET_NAME}, ALLOW},
    {"prctl", {PR_SET_PDEATHSIG, SIGKILL}, ALLOW},
    {"prctl", {PR_SET_DUMPABLE, 0}, ALLOW},
    {"prctl", {PR_SET_SECCOMP, SECCOMP_MODE_FILTER}, EINVAL},
    {"prctl", {HIGH | PR_SET_SECCOMP, SECCOMP_MODE_FILTER}, EINVAL},
    {"prctl", {PR_SET_MM}, EINVAL},
    {"prctl", {PR_CAP_AMBIENT}, EINVAL},
    {"seccomp", {SECCOMP_SET_MODE_FILTER}, ENOSYS},

    {"setrlimit", {RLIMIT_NOFILE}, ALLOW},
    {"setrlimit", {RLIMIT_STACK}, ALLOW}, /* the numbers beside RLIMIT_CORE */
    {"setrlimit", {RLIMIT_RSS}, ALLOW},
    {"setrlimit", {RLIMIT_NOFILE, RLIMIT_CORE}, ALLOW},
    {"setrlimit", {RLIMIT_CORE}, IGNORE},
    {"setrlimit", {HIGH | RLIMIT_CORE, 4096}, IGNORE},
    {"getrlimit", {RLIMIT_CORE}, ALLOW},
    {"prlimit64", {0, RLIMIT_NOFILE}, ALLOW},
    {"prlimit64", {7, RLIMIT_NOFILE}, ALLOW},
    {"prlimit64", {0, RLIMIT_STACK}, ALLOW},
    {"prlimit64", {0, RLIMIT_RSS}, ALLOW},
    {"prlimit64", {RLIMIT_CORE, RLIMIT_NOFILE, RLIMIT_CORE, RLIMIT_CORE}, ALLOW},
    {"prlimit64", {1, RLIMIT_NOFILE}, EPERM},
    {"prlimit64", {HIGH | 1, RLIMIT_NOFILE}, EPERM},
    {"prlimit64", {0, RLIMIT_CORE, 4096}, IGNORE},
    {"prlimit64", {7, RLIMIT_CORE, 4096}, IGNORE},
    {"prlimit64", {1, RLIMIT_CORE, 4096}, IGNORE},
    {"prlimit64", {1, RLIMIT_CORE, 4096, 4096}, EPERM},
    {"prlimit64", {0, HIGH | RLIMIT_CORE, 4096}, IGNORE},
    /* The old limit would not be told. */
    {"prlimit64", {0, RLIMIT_CORE, 4096, 4096}, EPERM},
    {"prlimit64", {0, RLIMIT_CORE, 4096, HIGH}, EPERM},
    /* Asking is allowed, with a pointer to new limits that is NULL in both halves. */
    {"prlimit64", {0, RLIMIT_CORE, 0, 4096}, ALLOW},
    {"prlimit64", {0, RLIMIT_CORE, HIGH, 0}, IGNORE},
    {"sched_setaffinity", {0}, ALLOW},
    {"sched_setaffinity", {1}, EPERM},
    {"sched_setscheduler", {1}, EPERM},
    {"sched_setparam", {1}, EPERM},
    {"sched_setattr", {1}, EPERM},
    {"setpriority", {PRIO_PROCESS, 0, 5}, ALLOW},
    {"setpriority", {PRIO_PROCESS, 1, 5}, EPERM},
    {"setpriority", {PRIO_PROCESS, HIGH | 1, 5}, EPERM},
    {"setpriority", {PRIO_PGRP, 0, 5}, EPERM},
    {"setpriority", {PRIO_USER, 0, 5}, EPERM},
    {"ioprio_set", {1, 0, 0}, EPERM},

    {"personality", {0}, ALLOW},
    {"personality", {0xffffffff}, ALLOW},
    {"personality", {UINT64_MAX}, ALLOW},
    {"personality", {ADDR_NO_RANDOMIZE}, EPERM},
    {"personality", {HIGH | ADDR_NO_RANDOMIZE}, EPERM},

    {"mknod", {0, S_IFIFO | 0600, 0}, ALLOW},
    {"mknod", {0, S_IFREG | 0600, 0}, ALLOW},
    {"mknod", {0, S_IFSOCK | 0600, 0}, ALLOW},
    {"mknod", {0, 0600, 0}, ALLOW},
    {"mknod", {0, S_IFCHR | 0600, 0}, EPERM},
    {"mknod", {0, S_IFBLK | 0600, 0}, EPERM},
    {"mknod", {0, HIGH | 0x10000 | S_IFBLK | 0600, 0}, EPERM},
    {"mknodat", {0, 0, S_IFIFO | 0600}, ALLOW},
    {"mknodat", {0, 0, S_IFCHR | 0600}, EPERM},
    {"mknodat", {0, 0, S_IFBLK | 0600}, EPERM},

    {"mount", {0}, EPERM},
    {"umount2", {0}, EPERM},
    {"pivot_root", {0}, EPERM},
    {"chroot", {0}, EPERM},
    {"open_tree", {0}, EPERM},
    {"move_mount", {0}, EPERM},
    {"fsopen", {0}, EPERM},
    {"mount_setattr", {0}, EPERM},
    {"open_by_handle_at", {0}, EPERM},
    {"name_to_handle_at", {0}, EPERM},
    {"ptrace", {0}, EPERM},
    {"process_vm_readv", {0}, EPERM},
    {"process_vm_writev", {0}, EPERM},
    {"process_madvise", {0}, EPERM},
    {"kcmp", {0}, EPERM},
    {"pidfd_getfd", {0}, EPERM},
    {"add_key", {0}, EPERM},
    {"request_key", {0}, EPERM},
    {"keyctl", {0}, EPERM},
    {"bpf", {0}, EPERM},
    {"perf_event_open", {0}, EPERM},
    {"userfaultfd", {0}, EPERM},
    {"fanotify_init", {0}, EPERM},
    {"io_uring_setup", {0}, EPERM},
    {"io_uring_enter", {0}, EPERM},
    {"settimeofday", {0}, EPERM},
    {"clock_settime", {0}, EPERM},
    {"adjtimex", {0}, EPERM},
    {"init_module", {0}, EPERM},
    {"kexec_load", {0}, EPERM},
    {"kexec_file_load", {0}, EPERM},
    {"reboot", {0}, EPERM},
    {"swapon", {0}, EPERM},
    {"acct", {0}, EPERM},
    {"quotactl", {0}, EPERM},
    {"syslog", {0}, EPERM},
    {"iopl", {0}, EPERM},
    {"ioperm", {0}, EPERM},
    {"vhangup", {0}, EPERM},
    {"sync", {0}, EPERM},
    {"syncfs", {0}, EPERM},
    {"io_setup", {0}, ENOSYS},
    {"memfd_secret", {0}, ENOSYS},
    {"map_shadow_stack", {0}, ENOSYS},
    {"lookup_dcookie", {0}, ENOSYS},
};

static const struct row strict_rows[] = {
    {"read", {0}, ALLOW},
    {"fcntl", {3, F_SETFL}, ALLOW},
    {"fcntl", {3, F_NOTIFY}, EINVAL},
    {"fcntl", {3, 1034 /* F_GET_SEALS */}, ALLOW},
    {"fcntl", {3, 12 /* no longer there */}, EINVAL},
    {"fcntl", {3, 1024 /* F_SETLEASE */}, EINVAL},
    {"fcntl", {3, HIGH | 1025 /* F_GETLEASE */}, EINVAL},
    {"fcntl", {3, 1036 /* F_SET_RW_HINT */}, EINVAL},
    {"fcntl", {3, 1039 /* F_SETDELEG */}, EINVAL},
    {"fcntl", {3, UINT32_MAX}, EINVAL},
    {"fsync", {3}, IGNORE},
    {"fsync", {0xfffff}, IGNORE},
    {"fsync", {0x100000}, ALLOW},
    {"fsync", {UINT32_MAX}, ALLOW},
    {"fdatasync", {HIGH | 3}, IGNORE},
    {"fadvise64", {3, 0, 0, POSIX_FADV_WILLNEED}, ALLOW},
    {"fadvise64", {3, 0, 0, POSIX_FADV_DONTNEED}, IGNORE},
    {"fadvise64", {3, 0, 0, HIGH | POSIX_FADV_DONTNEED}, IGNORE},
    {"fadvise64", {UINT64_MAX, 0, 0, POSIX_FADV_DONTNEED}, ALLOW},
    {"madvise", {0, 4096, MADV_DONTNEED}, ALLOW},
    {"madvise", {0, 4096, MADV_HUGEPAGE}, ALLOW},
    {"madvise", {0, 4096, MADV_PAGEOUT}, IGNORE},
    {"madvise", {0, 4096, HIGH | MADV_COLD}, IGNORE},
    {"madvise", {0, 4096, MADV_MERGEABLE}, EINVAL},
    {"preadv2", {3, 0, 0, 0, 0, RWF_HIPRI}, ALLOW},
    {"preadv2", {3, 0, 0, RWF_NOWAIT, RWF_NOWAIT, 0}, ALLOW},
    {"preadv2", {3, 0, 0, 0, 0, RWF_NOWAIT}, EOPNOTSUPP},
    {"preadv2", {3, 0, 0, 0, 0, HIGH | RWF_HIPRI | RWF_NOWAIT}, EOPNOTSUPP},
    {"preadv2", {UINT32_MAX, 0, 0, 0, 0, RWF_NOWAIT}, ALLOW},
    {"mincore", {0}, ENOSYS},
    {"getsockopt", {3, SOL_SOCKET, SO_TYPE}, ALLOW},
    {"getsockopt", {3, SOL_SOCKET, SO_COOKIE}, ENOPROTOOPT},
    {"getsockopt", {3, IPPROTO_TCP, TCP_INFO}, ENOPROTOOPT},
    {"setsockopt", {3, SOL_SOCKET, SO_KEEPALIVE}, EPERM},
    {"fcntl", {3, F_SETLK}, ENOLCK},
    {"fcntl", {3, F_SETLKW}, ENOLCK},
    {"fcntl", {3, F_OFD_SETLK}, ENOLCK},
    {"fcntl", {3, HIGH | F_OFD_SETLKW}, ENOLCK},
    {"fcntl", {3, F_GETLK}, ALLOW},
    {"inotify_init1", {0}, ENOSYS},
    {"execve", {0}, ALLOW}, /* process 1 starts python this way */
    {"wait4", {0}, ALLOW},
    {"ppoll", {0}, ALLOW},
    {"exit_group", {0}, ALLOW},
    {"clone", {THREAD}, ALLOW},
    {"clone", {HIGH | THREAD}, ALLOW},
    {"clone", {SIGCHLD}, EPERM},
    {"clone", {CLONE_VM | CLONE_VFORK | SIGCHLD}, EPERM},
    {"clone", {(CLONE_THREAD * HIGH) | SIGCHLD}, EPERM},
    {"clone", {THREAD | CLONE_NEWUSER}, EPERM},
    {"clone", {THREAD | CLONE_NEWNET}, EPERM},
    {"clone3", {0}, ENOSYS},
    {"fork", {0}, EPERM},
    {"vfork", {0}, EPERM},
    {"execveat", {0}, EPERM},
    {"unshare", {0}, EPERM},
    {"setns", {0}, EPERM},
    {"socket", {AF_UNIX, SOCK_STREAM, 0}, EPERM},
    {"socket", {AF_INET, SOCK_STREAM, 0}, EPERM},
    {"socketpair", {AF_UNIX, SOCK_STREAM, 0}, ALLOW},
    {"socketpair", {30, SOCK_SEQPACKET, 0}, EPERM},
    {"connect", {0}, EPERM},
    {"setsockopt", {3, SOL_SOCKET, SO_ATTACH_FILTER}, EPERM},
    {"ioctl", {0, FIONBIO}, ALLOW},
    {"ioctl", {0, TIOCSTI}, EPERM},
    {"ioctl", {0, HIGH | TIOCSTI}, EPERM},
    {"ioctl", {0, SIOCGIFCONF}, ENOTTY},
    {"prctl", {PR_SET_NAME}, ALLOW},
    {"prctl", {PR_SET_SECCOMP}, EINVAL},
    {"prlimit64", {0}, ALLOW},
    {"prlimit64", {1}, EPERM},
    {"prlimit64", {0, RLIMIT_STACK}, ALLOW},
    {"prlimit64", {0, RLIMIT_RSS}, ALLOW},
    {"prlimit64", {0, RLIMIT_CORE, 4096}, IGNORE},
    {"prlimit64", {7, RLIMIT_CORE, 4096}, IGNORE},
    {"prlimit64", {0, HIGH | RLIMIT_CORE, 4096}, IGNORE},
    {"prlimit64", {0, RLIMIT_CORE, 0, 4096}, ALLOW}, /* asking, as above */
    {"prlimit64", {0, RLIMIT_CORE, HIGH, 4096}, EPERM},
    {"setrlimit", {RLIMIT_STACK}, ALLOW},
    {"setrlimit", {RLIMIT_RSS}, ALLOW},
    {"setrlimit", {RLIMIT_CORE}, IGNORE},
    {"setrlimit", {HIGH | RLIMIT_CORE}, IGNORE},
    {"getrlimit", {RLIMIT_CORE}, ALLOW},
    {"mmap", {0, 4096, PROT_READ | PROT_WRITE, PRIVATE}, ALLOW},
    {"mmap", {0, 4096, PROT_READ, PRIVATE | ~(uint32_t)MAP_HUGETLB}, ALLOW},
    {"mmap", {0, 4096, PROT_READ, HIGH *MAP_HUGETLB | PRIVATE}, ALLOW},
    {"mmap", {0, 4096, PROT_READ, PRIVATE | MAP_HUGETLB}, ENOMEM},
    {"mmap", {0, 4096, PROT_READ, PRIVATE | MAP_HUGETLB | HUGE_1GB}, ENOMEM},
    {"mmap", {0, 4096, PROT_READ, HIGH | PRIVATE | MAP_HUGETLB}, ENOMEM},
    {"mount", {0}, EPERM},
    {"ptrace", {0}, EPERM},
    {"bpf", {0}, ENOSYS},
    {"keyctl", {0}, ENOSYS},
    {"memfd_create", {0}, ENOSYS},
    {"memfd_create", {0, MFD_HUGETLB}, ENOSYS},
    {"shmget", {0}, ENOSYS},
    {"shmget", {IPC_PRIVATE, 4096, SHM_HUGETLB}, ENOSYS},
    {"io_uring_setup", {0}, ENOSYS},
};

static void check_rows(const char *profile, const struct row *rows, size_t count)
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

static void default_answers_each_call_as_its_groups_say(void **state)
{
    (void)state;
    check_rows("default", default_rows, ARRAY_LEN(default_rows));
}

static void strict_answers_each_call_as_its_groups_say(void **state)
{
    (void)state;
    check_rows("strict", strict_rows, ARRAY_LEN(strict_rows));
}

static void record_locks_can_be_refused_and_nothing_else_is(void **state)
{
    (void)state;
    const char *arch = seccomp_arch("x86_64") == seccomp_arch(NULL) ? "x86_64" : "aarch64";
    struct sock_fprog before = compiled("default", arch), after = compiled("default", arch);
    struct sb_error err;
    assert_int_equal(filter_refuse_locks(&after, &err), 0);
    for (uint64_t command = 0; command < 2 * F_NOTIFY; command++) {
        bool lock = command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK ||
                    command == F_OFD_SETLKW;
        struct seccomp_data data = {
            .nr = SYS_fcntl, .arch = audit_arch(arch), .args = {3, HIGH | command}};
        uint32_t expected = lock ? action_of(ENOLCK) : interpret(&before, &data);
        assert_int_equal(interpret(&after, &data), expected);
        data.nr = SYS_read;
        assert_int_equal(interpret(&after, &data), SECCOMP_RET_ALLOW);
        data.nr = SYS_fcntl;
        data.arch = 0; /* a foreign one */
        assert_int_equal(interpret(&after, &data), SECCOMP_RET_KILL_PROCESS);
    }
    free(before.filter);
    free(after.filter);
}

static void high_bits_of_arguments_change_no_answer(void **state)
{
    (void)state;
    static const char *const profiles[] = {"default", "strict"};
    static const uint64_t high[] = {HIGH, UINT64_C(0x80000000) << 32, UINT64_C(0xffffffff) << 32};
    for (size_t p = 0; p < ARRAY_LEN(profiles) * ARRAY_LEN(arches); p++) {
        const char *arch = arches[p % 2];
        struct sock_fprog program = compiled(profiles[p / 2], arch);
        for (size_t i = 0; i < ARRAY_LEN(default_rows); i++) {
            struct seccomp_data data = {.arch = audit_arch(arch)};
            data.nr = seccomp_syscall_resolve_name_arch(data.arch, default_rows[i].call);
            memcpy(data.args, default_rows[i].args, sizeof(data.args));
            uint32_t answer = interpret(&program, &data);
            for (size_t h = 0; h < ARRAY_LEN(high) * 6; h++) {
                struct seccomp_data other = data;
                /* A pointer counts whole: not NULL in its high half is not NULL. */
                if ((h % 6 == 2 || h % 6 == 3) && strcmp(default_rows[i].call, "prlimit64") == 0)
                    continue;
                other.args[h % 6] |= high[h / 6];
                assert_int_equal(interpret(&program, &other), answer);
            }
        }
        free(program.filter);
    }
}

static void foreign_architectures_and_x32_are_killed_whatever_the_call(void **state)
{
    (void)state;
    static const char *const profiles[] = {"default", "strict"};
    static const uint32_t foreign[] = {AUDIT_ARCH_I386, AUDIT_ARCH_ARM, AUDIT_ARCH_S390X, 0};
    for (size_t p = 0; p < ARRAY_LEN(profiles); p++) {
        struct sock_fprog x86_64 = compiled(profiles[p], "x86_64");
        struct sock_fprog aarch64 = compiled(profiles[p], "aarch64");
        for (int nr = 0; nr < 1000; nr++) {
            struct seccomp_data data = {.nr = nr};
            for (size_t i = 0; i < ARRAY_LEN(foreign); i++) {
                data.arch = foreign[i];
                assert_int_equal(interpret(&x86_64, &data), SECCOMP_RET_KILL_PROCESS);
                assert_int_equal(interpret(&aarch64, &data), SECCOMP_RET_KILL_PROCESS);
            }
            data.arch = AUDIT_ARCH_AARCH64;
            assert_int_equal(interpret(&x86_64, &data), SECCOMP_RET_KILL_PROCESS);
            data.arch = AUDIT_ARCH_X86_64;
            assert_int_equal(interpret(&aarch64, &data), SECCOMP_RET_KILL_PROCESS);
            data.nr = nr | 0x40000000;
            assert_int_equal(interpret(&x86_64, &data), SECCOMP_RET_KILL_PROCESS);
        }
        struct seccomp_data skipped = {.nr = -1, .arch = AUDIT_ARCH_X86_64};
        assert_int_equal(interpret(&x86_64, &skipped), action_of(ENOSYS));
        free(x86_64.filter);
        free(aarch64.filter);
    }
}

static void numbers_that_no_kernel_has_yet_get_ENOSYS(void **state)
{
    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(arches); k++) {
        struct sock_fprog program = compiled("default", arches[k]);
        for (int nr = 470; nr < 100000; nr++) {
            struct seccomp_data data = {.nr = nr, .arch = audit_arch(arches[k])};
            assert_int_equal(interpret(&program, &data), action_of(ENOSYS));
        }
        free(program.filter);
    }
}

/* The kernel takes 0.15 to 0.5 µs for each further instruction. Refusing huge pages and RLIMIT_CORE
 * has brought the default profile from 164 of them to nearly 200, and naming the options of sockets
 * and the operations of fcntl that are allowed to 264, which is worth its 10 µs. The bounds leave
 * room for one or two such refusals more, and catch a tree that has gone out of shape. */
static void programs_stay_short_for_each_job_pays_for_loading_them(void **state)
{
    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(arches); k++) {
        struct sock_fprog standard = compiled("default", arches[k]);
        struct sock_fprog strict = compiled("strict", arches[k]);
        assert_in_range(standard.len, 50, 280);
        assert_in_range(strict.len, 50, 220);
        free(standard.filter);
        free(strict.filter);
        /* Marks on calls divide what had one answer. */
        standard = compile_with("default", arches[k], true);
        strict = compile_with("strict", arches[k], true);
        assert_in_range(standard.len, 50, 295);
        assert_in_range(strict.len, 50, 240);
        free(standard.filter);
        free(strict.filter);
    }
}

/* ── Reports ────────────────────────────────────────────────────────────────────────────────── */

/* The number of a row's call at random, with its arguments or others. */
static struct seccomp_data some_call(uint32_t *seed, const char *arch)
{
    struct seccomp_data data = {.arch = audit_arch(arch)};
    const struct row *row = &default_rows[*seed / 7 % ARRAY_LEN(default_rows)];
    *seed = *seed * 1664525u + 1013904223u;
    data.nr = seccomp_syscall_resolve_name_arch(data.arch, row->call);
    memcpy(data.args, row->args, sizeof(data.args));
    if (*seed >> 31)
        data.args[*seed >> 28 & 3] ^= *seed >> 4;
    if ((*seed >> 24 & 7) == 0)
        data.nr = (int)(*seed >> 8 & 511);
    return data;
}

static void a_reporting_program_answers_as_the_other_does(void **state)
{
    (void)state;
    static const char *const profiles[] = {"default", "strict"};
    for (size_t p = 0; p < ARRAY_LEN(profiles) * ARRAY_LEN(arches); p++) {
        struct sock_fprog plain = compiled(profiles[p / 2], arches[p % 2]);
        struct sock_fprog reporting = compile_with(profiles[p / 2], arches[p % 2], true);
        uint32_t seed = 20261129;
        size_t reported = 0, refused = 0;
        for (int i = 0; i < 200000; i++) {
            struct seccomp_data data = some_call(&seed, arches[p % 2]);
            uint32_t expected = interpret(&plain, &data), answer = interpret(&reporting, &data);
            assert_int_equal(filter_run(&plain, &data), expected);
            assert_int_equal(filter_run(&reporting, &data), answer);
            bool asks = (answer & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_USER_NOTIF;
            if (asks)
                answer = SECCOMP_RET_ERRNO | (answer & SECCOMP_RET_DATA);
            assert_int_equal(answer, expected);
            reported += asks;
            refused += !asks && (expected & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO;
        }
        assert_true(reported > 1000 && refused > 1000);
        free(plain.filter);
        free(reporting.filter);
    }
}

static void what_is_reported_is_what_the_deciding_group_marks(void **state)
{
    (void)state;
    static const char *const profiles[] = {"default", "strict"};
    for (size_t p = 0; p < ARRAY_LEN(profiles); p++) {
        struct sock_fprog program = compile_with(profiles[p], NULL, true);
        struct seccomp_profile profile;
        struct sb_error err;
        char path[512];
        snprintf(path, sizeof(path), SB_POLICY_SOURCE "/seccomp/%s.json", profiles[p]);
        assert_int_equal(filter_profile(&profile, path, &err), 0);
        uint32_t seed = 11;
        for (int i = 0; i < 200000; i++) {
            struct seccomp_data data =
                some_call(&seed, profile.arch == AUDIT_ARCH_X86_64 ? "x86_64" : "aarch64");
            if (data.nr < 0)
                continue;
            const struct seccomp_rule *rule = seccomp_profile_decides(&profile, &data);
            uint32_t action = interpret(&program, &data);
            bool asks = (action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_USER_NOTIF;
            assert_int_equal(asks, rule != NULL && profile.groups[rule->group].report.on);
            if (rule != NULL)
                assert_int_equal(seccomp_syscall_resolve_name(rule->name) < 0 ||
                                     seccomp_syscall_resolve_name(rule->name) == data.nr,
                                 true);
        }
        seccomp_profile_free(&profile);
        free(program.filter);
    }
}

/* What is no program of ours is never taken for an answer. */
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

/* ── The profiles as data ───────────────────────────────────────────────────────────────────── */

static json_object *profile_json(const char *profile)
{
    char path[4096];
    struct sb_error err;
    snprintf(path, sizeof(path), SB_POLICY_SOURCE "/seccomp/%s.json", profile);
    json_object *root = json_file_load(path, "test", &err);
    if (root == NULL)
        fail_msg("%s", err.message);
    return root;
}

/* "mseal=462" → the name, without its number. */
static const char *bare(json_object *call, char name[64])
{
    snprintf(name, 64, "%s", json_object_get_string(call));
    name[strcspn(name, "=")] = '\0';
    return name;
}

static bool names(json_object *root, const char *wanted)
{
    json_object *groups = json_object_object_get(root, "groups");
    for (size_t g = 0; g < json_object_array_length(groups); g++) {
        json_object *calls = json_object_object_get(json_object_array_get_idx(groups, g), "calls");
        for (size_t c = 0; c < json_object_array_length(calls); c++) {
            char name[64];
            if (strcmp(bare(json_object_array_get_idx(calls, c), name), wanted) == 0)
                return true;
        }
    }
    return false;
}

static void default_takes_a_stand_on_every_call_up_to_Linux_6_6(void **state)
{
    (void)state;
    json_object *root = profile_json("default");
    for (size_t k = 0; k < ARRAY_LEN(arches); k++) {
        size_t known = 0;
        for (int nr = 0; nr < 454; nr++) {
            _cleanup_free_ char *name = seccomp_syscall_resolve_num_arch(audit_arch(arches[k]), nr);
            if (name == NULL)
                continue;
            known++;
            if (!names(root, name))
                fail_msg("%s is in no group of default.json", name);
        }
        assert_true(known > 250);
    }
    json_object_put(root);
}

#define CONSTANT(name)                                                                             \
    {                                                                                              \
#name, (uint32_t)(name)                                                                    \
    }

/* What the names beside the numbers in the profiles mean. Where a header is too old to have one,
 * its number stands here a second time. */
static const struct {
    const char *name;
    uint32_t value;
} constants[] = {
    CONSTANT(CLONE_NEWNS),
    CONSTANT(CLONE_NEWCGROUP),
    CONSTANT(CLONE_NEWUTS),
    CONSTANT(CLONE_NEWIPC),
    CONSTANT(CLONE_NEWUSER),
    CONSTANT(CLONE_NEWPID),
    CONSTANT(CLONE_NEWNET),
    CONSTANT(CLONE_NEWTIME),
    CONSTANT(CLONE_THREAD),
    CONSTANT(F_DUPFD),
    CONSTANT(F_GETFD),
    CONSTANT(F_SETFD),
    CONSTANT(F_GETFL),
    CONSTANT(F_SETFL),
    CONSTANT(F_GETLK),
    CONSTANT(F_SETLK),
    CONSTANT(F_SETLKW),
    CONSTANT(F_SETOWN),
    CONSTANT(F_GETOWN),
    CONSTANT(F_SETSIG),
    CONSTANT(F_GETSIG),
    CONSTANT(F_SETOWN_EX),
    CONSTANT(F_GETOWN_EX),
    CONSTANT(F_OFD_GETLK),
    CONSTANT(F_OFD_SETLK),
    CONSTANT(F_OFD_SETLKW),
    CONSTANT(F_DUPFD_CLOEXEC),
    CONSTANT(F_SETPIPE_SZ),
    CONSTANT(F_GETPIPE_SZ),
    CONSTANT(F_ADD_SEALS),
    CONSTANT(F_GET_SEALS),
    CONSTANT(POSIX_FADV_DONTNEED),
    CONSTANT(AF_UNSPEC),
    CONSTANT(AF_INET6),
    CONSTANT(AF_AX25),
    CONSTANT(AF_IPX),
    CONSTANT(AF_KEY),
    CONSTANT(AF_NETLINK),
    CONSTANT(AF_PACKET),
    CONSTANT(AF_RDS),
    CONSTANT(AF_PPPOX),
    CONSTANT(AF_LLC),
    CONSTANT(AF_IB),
    CONSTANT(AF_MPLS),
    CONSTANT(AF_CAN),
    CONSTANT(AF_TIPC),
    CONSTANT(AF_BLUETOOTH),
    CONSTANT(AF_RXRPC),
    CONSTANT(AF_PHONET),
    CONSTANT(AF_IEEE802154),
    CONSTANT(AF_ALG),
    CONSTANT(AF_NFC),
    CONSTANT(AF_VSOCK),
    CONSTANT(AF_KCM),
    CONSTANT(AF_QIPCRTR),
    CONSTANT(AF_SMC),
    CONSTANT(AF_XDP),
    CONSTANT(AF_MCTP),
    CONSTANT(ADDR_NO_RANDOMIZE),
    CONSTANT(ADDR_COMPAT_LAYOUT),
    CONSTANT(MMAP_PAGE_ZERO),
    CONSTANT(READ_IMPLIES_EXEC),
    CONSTANT(PTRACE_TRACEME),
    CONSTANT(PTRACE_PEEKTEXT),
    CONSTANT(PTRACE_PEEKDATA),
    CONSTANT(PTRACE_POKETEXT),
    CONSTANT(PTRACE_POKEDATA),
    CONSTANT(PTRACE_CONT),
    CONSTANT(PTRACE_ATTACH),
    CONSTANT(PTRACE_SEIZE),
    CONSTANT(MADV_COLD),
    CONSTANT(MADV_PAGEOUT),
    CONSTANT(MADV_MERGEABLE),
    CONSTANT(RWF_NOWAIT),
    {"above all descriptors", 0xfff00000},
    CONSTANT(F_OFD_SETLK),
    CONSTANT(F_OFD_SETLKW),
    CONSTANT(MAP_HUGETLB),
    CONSTANT(MFD_HUGETLB),
    CONSTANT(SHM_HUGETLB),
    CONSTANT(RLIMIT_CORE),
    CONSTANT(TIOCSTI),
    CONSTANT(TIOCLINUX),
    CONSTANT(TCGETS),
    CONSTANT(TIOCGWINSZ),
    CONSTANT(FIOCLEX),
    CONSTANT(FIONCLEX),
    CONSTANT(FIONBIO),
    CONSTANT(FIOASYNC),
    CONSTANT(FIONREAD),
    CONSTANT(TIOCOUTQ),
    CONSTANT(SIOCATMARK),
    CONSTANT(SIOCGIFNAME),
    CONSTANT(SIOCGIFCONF),
    CONSTANT(SIOCGIFINDEX),
    CONSTANT(AF_UNIX),
    CONSTANT(AF_INET),
    CONSTANT(AF_INET6),
    CONSTANT(SOCK_STREAM),
    CONSTANT(SOCK_DGRAM),
    CONSTANT(SOCK_RAW),
    CONSTANT(IPPROTO_ICMP),
    CONSTANT(IPPROTO_TCP),
    CONSTANT(IPPROTO_UDP),
    CONSTANT(SOL_SOCKET),
    CONSTANT(IPPROTO_IP),
    CONSTANT(IPPROTO_IPV6),
    CONSTANT(SO_REUSEADDR),
    CONSTANT(SO_TYPE),
    CONSTANT(SO_ERROR),
    CONSTANT(SO_DONTROUTE),
    CONSTANT(SO_BROADCAST),
    CONSTANT(SO_SNDBUF),
    CONSTANT(SO_RCVBUF),
    CONSTANT(SO_KEEPALIVE),
    CONSTANT(SO_OOBINLINE),
    CONSTANT(SO_PRIORITY),
    CONSTANT(SO_LINGER),
    CONSTANT(SO_REUSEPORT),
    CONSTANT(SO_PASSCRED),
    CONSTANT(SO_PEERCRED),
    CONSTANT(SO_RCVLOWAT),
    CONSTANT(SO_SNDLOWAT),
    CONSTANT(SO_RCVTIMEO),
    CONSTANT(SO_SNDTIMEO),
    CONSTANT(SO_ACCEPTCONN),
    CONSTANT(SO_PROTOCOL),
    CONSTANT(SO_DOMAIN),
    CONSTANT(TCP_NODELAY),
    CONSTANT(TCP_MAXSEG),
    CONSTANT(TCP_CORK),
    CONSTANT(TCP_KEEPIDLE),
    CONSTANT(TCP_KEEPINTVL),
    CONSTANT(TCP_KEEPCNT),
    CONSTANT(TCP_SYNCNT),
    CONSTANT(TCP_LINGER2),
    CONSTANT(TCP_DEFER_ACCEPT),
    CONSTANT(TCP_WINDOW_CLAMP),
    CONSTANT(TCP_INFO),
    CONSTANT(TCP_QUICKACK),
    CONSTANT(TCP_CONGESTION),
    CONSTANT(TCP_USER_TIMEOUT),
    CONSTANT(TCP_FASTOPEN),
    CONSTANT(TCP_NOTSENT_LOWAT),
    CONSTANT(TCP_FASTOPEN_CONNECT),
    CONSTANT(IP_TOS),
    CONSTANT(IP_TTL),
    CONSTANT(IP_PKTINFO),
    CONSTANT(IP_MTU_DISCOVER),
    CONSTANT(IP_RECVERR),
    CONSTANT(IP_RECVTTL),
    CONSTANT(IP_RECVTOS),
    CONSTANT(IP_MTU),
    CONSTANT(IP_FREEBIND),
    CONSTANT(IP_BIND_ADDRESS_NO_PORT),
    CONSTANT(IP_MULTICAST_IF),
    CONSTANT(IP_MULTICAST_TTL),
    CONSTANT(IP_MULTICAST_LOOP),
    CONSTANT(IPV6_UNICAST_HOPS),
    CONSTANT(IPV6_MULTICAST_IF),
    CONSTANT(IPV6_MULTICAST_HOPS),
    CONSTANT(IPV6_MULTICAST_LOOP),
    CONSTANT(IPV6_MTU_DISCOVER),
    CONSTANT(IPV6_MTU),
    CONSTANT(IPV6_RECVERR),
    CONSTANT(IPV6_V6ONLY),
    CONSTANT(IPV6_RECVPKTINFO),
    CONSTANT(IPV6_RECVHOPLIMIT),
    CONSTANT(IPV6_RECVHOPOPTS),
    CONSTANT(IPV6_RECVRTHDR),
    CONSTANT(IPV6_RECVDSTOPTS),
    CONSTANT(IPV6_RECVPATHMTU),
    CONSTANT(IPV6_DONTFRAG),
    CONSTANT(IPV6_RECVTCLASS),
    CONSTANT(IPV6_TCLASS),
    CONSTANT(PR_SET_NAME),
    CONSTANT(PR_GET_NAME),
    {"PR_SET_VMA", 0x53564d41},
    CONSTANT(PR_SET_PDEATHSIG),
    CONSTANT(PR_GET_PDEATHSIG),
    CONSTANT(PR_GET_DUMPABLE),
    CONSTANT(PR_SET_DUMPABLE),
    CONSTANT(PR_GET_SECCOMP),
    CONSTANT(PR_CAPBSET_READ),
    CONSTANT(PR_SET_TIMERSLACK),
    CONSTANT(PR_GET_TIMERSLACK),
    CONSTANT(PR_SET_CHILD_SUBREAPER),
    CONSTANT(PR_GET_CHILD_SUBREAPER),
    CONSTANT(PR_SET_NO_NEW_PRIVS),
    CONSTANT(PR_GET_NO_NEW_PRIVS),
    CONSTANT(PR_SET_TAGGED_ADDR_CTRL),
    CONSTANT(PR_GET_TAGGED_ADDR_CTRL),
    CONSTANT(PR_PAC_RESET_KEYS),
    CONSTANT(PRIO_PROCESS),
    CONSTANT(PER_LINUX),
    {"query", 0xffffffff},
    {"process 1", 1},
    {"any", 0},
};

static void check_constants(json_object *values)
{
    if (!json_object_is_type(values, json_type_object))
        return;
    json_object_object_foreach(values, name, number)
    {
        size_t i = 0;
        while (i < ARRAY_LEN(constants) && strcmp(constants[i].name, name) != 0)
            i++;
        if (i == ARRAY_LEN(constants))
            fail_msg("%s stands in a profile: add it to this table", name);
        uint32_t value = (uint32_t)strtoul(json_object_get_string(number), NULL, 0);
        if (value != constants[i].value)
            fail_msg("%s is 0x%x, not 0x%x", name, constants[i].value, value);
    }
}

static void check_report(json_object *report)
{
    if (json_object_is_type(report, json_type_object)) {
        check_constants(json_object_object_get(report, "names"));
        check_constants(json_object_object_get(report, "flags"));
    }
}

static void names_beside_numbers_in_the_profiles_are_right(void **state)
{
    (void)state;
    static const char *const profiles[] = {"default", "strict"};
    for (size_t p = 0; p < ARRAY_LEN(profiles); p++) {
        json_object *root = profile_json(profiles[p]);
        json_object *groups = json_object_object_get(root, "groups");
        for (size_t g = 0; g < json_object_array_length(groups); g++) {
            json_object *when =
                json_object_object_get(json_object_array_get_idx(groups, g), "when");
            check_report(json_object_object_get(json_object_array_get_idx(groups, g), "report"));
            for (size_t c = 0; when != NULL && c < json_object_array_length(when); c++) {
                json_object *condition = json_object_array_get_idx(when, c);
                check_constants(json_object_object_get(condition, "mask"));
                check_constants(json_object_object_get(condition, "equals"));
            }
        }
        json_object_put(root);
    }
}

/* ── Against libseccomp ─────────────────────────────────────────────────────────────────────── */

static uint32_t action_named(const char *name)
{
    if (strcmp(name, "allow") == 0)
        return SCMP_ACT_ALLOW;
    if (strcmp(name, "ignore") == 0)
        return SCMP_ACT_ERRNO(0);
    int number = 1;
    while (number < 200 &&
           (strerrorname_np(number) == NULL || strcmp(strerrorname_np(number), name) != 0))
        number++;
    assert_true(number < 200);
    return SCMP_ACT_ERRNO((uint32_t)number);
}

/* libseccomp's own program for the calls that the profile decides without conditions. The numbers
 * of calls with conditions are marked: with this default, libseccomp can't say what the profile
 * does. */
static struct sock_fprog libseccomps_program(const char *profile, const char *arch,
                                             bool conditional[1000])
{
    json_object *root = profile_json(profile);
    json_object *groups = json_object_object_get(root, "groups");
    scmp_filter_ctx context = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    assert_non_null(context);
    if (audit_arch(arch) != seccomp_arch_native()) {
        assert_int_equal(seccomp_arch_remove(context, SCMP_ARCH_NATIVE), 0);
        assert_int_equal(seccomp_arch_add(context, audit_arch(arch)), 0);
    }
    assert_int_equal(seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), 0);
    for (size_t g = 0; g < json_object_array_length(groups); g++) {
        json_object *group = json_object_array_get_idx(groups, g);
        json_object *calls = json_object_object_get(group, "calls");
        uint32_t action =
            action_named(json_object_get_string(json_object_object_get(group, "action")));
        for (size_t c = 0; c < json_object_array_length(calls); c++) {
            char name[64];
            json_object *text = json_object_array_get_idx(calls, c);
            const char *call = bare(text, name),
                       *number = strchr(json_object_get_string(text), '=');
            int nr = seccomp_syscall_resolve_name_arch(audit_arch(arch), call);
            if (nr == __NR_SCMP_ERROR && number != NULL)
                conditional[strtoul(number + 1, NULL, 10)] =
                    true; /* younger than this libseccomp */
            if (nr >= 0 && json_object_object_get(group, "when") != NULL)
                conditional[nr] = true;
            /* Rules are added by this machine's number, whatever the filter's architecture. */
            if (nr >= 0 && !conditional[nr] && action != SCMP_ACT_ERRNO(ENOSYS))
                assert_int_equal(
                    seccomp_rule_add(context, action, seccomp_syscall_resolve_name(call), 0), 0);
        }
    }
    _cleanup_close_ int fd = memfd_create("bpf", MFD_CLOEXEC);
    assert_int_equal(seccomp_export_bpf(context, fd), 0);
    size_t size = (size_t)lseek(fd, 0, SEEK_END);
    struct sock_fprog program = {.len = (unsigned short)(size / sizeof(*program.filter)),
                                 .filter = malloc(size)};
    assert_non_null(program.filter);
    assert_int_equal(pread(fd, program.filter, size, 0), (ssize_t)size);
    seccomp_release(context);
    json_object_put(root);
    return program;
}

static void calls_without_conditions_are_answered_as_by_libseccomps_own_program(void **state)
{
    (void)state;
    static const char *const profiles[] = {"default", "strict"};
    for (size_t p = 0; p < ARRAY_LEN(profiles) * ARRAY_LEN(arches); p++) {
        const char *profile = profiles[p / 2], *arch = arches[p % 2];
        bool conditional[1000] = {false};
        struct sock_fprog theirs = libseccomps_program(profile, arch, conditional);
        struct sock_fprog ours = compiled(profile, arch);
        uint32_t data_arches[] = {audit_arch(arch), AUDIT_ARCH_I386, AUDIT_ARCH_ARM};
        for (size_t i = 0; i < 3 * 4000; i++) {
            uint32_t nr = (uint32_t)(i / 3 % 1000) | (i / 3000 % 2 ? 0x40000000u : 0);
            if (i >= 6000)
                nr += i >= 9000 ? 0x80000000u : 0xfffffc18u; /* the ends of the range */
            struct seccomp_data data = {.nr = (int)nr, .arch = data_arches[i % 3]};
            bool is_known_call = nr < 1000;
            /* aarch64 has no x32: libseccomp tells it nothing of that bit. */
            if (!(is_known_call && conditional[nr]) &&
                interpret(&ours, &data) != interpret(&theirs, &data))
                fail_msg("%s, %s: call 0x%x of 0x%x: 0x%x, but libseccomp says 0x%x", profile, arch,
                         nr, data.arch, interpret(&ours, &data), interpret(&theirs, &data));
        }
        free(theirs.filter);
        free(ours.filter);
    }
}

/* ── Any profile ────────────────────────────────────────────────────────────────────────────── */

/* Files of the tests stand in a directory of their own. */
struct fixture {
    char directory[64];
    char json[96];
    char bpf[96];
};

static int set_up(void **state)
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

static int tear_down(void **state)
{
    struct fixture *f = *state;
    unlink(f->json);
    unlink(f->bpf);
    int result = rmdir(f->directory);
    free(f);
    return result;
}

static void write_file(const char *path, const void *data, size_t size)
{
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, size), (ssize_t)size);
}

static size_t read_back(const char *path, void *data, size_t most)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    ssize_t size = read(fd, data, most);
    assert_true(size >= 0 && (size_t)size < most);
    return (size_t)size;
}

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
     "groups[0].calls[1]: \"read\" stands twice in this group", "groups[0].calls[1]"},
    {PROFILE(GROUP("") "," GROUP("")),
     "groups[1].calls[0]: \"read\" never comes here, groups[0] has decided it",
     "groups[1].calls[0]"},
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

#define WITH_FILES(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(default_answers_each_call_as_its_groups_say),
        cmocka_unit_test(strict_answers_each_call_as_its_groups_say),
        cmocka_unit_test(record_locks_can_be_refused_and_nothing_else_is),
        cmocka_unit_test(high_bits_of_arguments_change_no_answer),
        cmocka_unit_test(foreign_architectures_and_x32_are_killed_whatever_the_call),
        cmocka_unit_test(numbers_that_no_kernel_has_yet_get_ENOSYS),
        cmocka_unit_test(programs_stay_short_for_each_job_pays_for_loading_them),
        cmocka_unit_test(a_reporting_program_answers_as_the_other_does),
        cmocka_unit_test(what_is_reported_is_what_the_deciding_group_marks),
        cmocka_unit_test(a_program_that_goes_astray_kills),
        cmocka_unit_test(default_takes_a_stand_on_every_call_up_to_Linux_6_6),
        cmocka_unit_test(names_beside_numbers_in_the_profiles_are_right),
        cmocka_unit_test(calls_without_conditions_are_answered_as_by_libseccomps_own_program),
        WITH_FILES(random_profiles_answer_by_the_first_group_that_holds),
        cmocka_unit_test(a_zygote_is_refused_what_neither_its_jobs_nor_their_steps_need),
        cmocka_unit_test(a_zygotes_filter_looks_at_the_arguments_of_two_calls_alone),
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
        cmocka_unit_test(the_kernel_loads_the_programs_and_answers_alike),
#ifdef __x86_64__
        cmocka_unit_test(the_kernel_kills_32_bit_calls_and_x32),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
