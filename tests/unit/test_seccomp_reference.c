/* The shipped profiles beside other sources: the system calls of Linux, the constants of its
 * headers, and the programs that libseccomp makes. */
#include "seccomp_programs.h"

#include <json-c/json.h>
#include <linux/if.h>
#include <linux/prctl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "common/json_file.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(default_takes_a_stand_on_every_call_up_to_Linux_6_6),
        cmocka_unit_test(names_beside_numbers_in_the_profiles_are_right),
        cmocka_unit_test(calls_without_conditions_are_answered_as_by_libseccomps_own_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
