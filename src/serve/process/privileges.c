/* See privileges.h.
 *
 * Jobs inherit the filter, but must not notice it: when their own filter refuses a call, that one
 * must answer or report it. So this filter refuses calls by an action that gives way to those of
 * the jobs' filters (seccomp(2)): SECCOMP_RET_TRACE, which means ENOSYS without a tracer. For
 * nearly all calls the filter looks only at the number, so that the kernel knows which are always
 * allowed, and runs no filter for them. */
#include "serve/process/privileges.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/util.h"

/* ── /proc ──────────────────────────────────────────────────────────────────────────────────── */

/* Mounts a /proc, in a mount namespace of our own, that shows other users' processes only to our
 * group. A zygote and the modules that it imports see this /proc, but have neither our user nor our
 * group: see mount_proc in zygote_become.c. New mounts of the host still appear here. If this
 * fails, zygotes have the host's /proc. Linux before 5.8 refuses the word "invisible"; there, the
 * option would apply to the host's /proc, too. */
static void hide_processes(void)
{
    char options[64];
    snprintf(options, sizeof(options), "hidepid=invisible,gid=%u", (unsigned)getegid());
    if (geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
        mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0)
        mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, options);
}

/* ── Capabilities ───────────────────────────────────────────────────────────────────────────── */

/* Capabilities that root's service keeps. An ordinary user's service keeps none. A new user
 * namespace gives its maker whatever else a job's start needs. */
static const cap_value_t kept_by_root[] = {
    CAP_SETUID,
    CAP_SETGID, /* to give jobs their host uids, and to leave our groups before they start */
    CAP_CHOWN,  /* to give a job's streams to its user */
    CAP_DAC_READ_SEARCH, /* to read policies, tokens and certificates again, whoever owns them */
};

static bool is_kept(cap_value_t capability)
{
    for (size_t i = 0; geteuid() == 0 && i < ARRAY_LEN(kept_by_root); i++)
        if (kept_by_root[i] == capability)
            return true;
    return false;
}

/* Keeps only capabilities that we have. */
static int keep_capabilities(cap_t wanted, const cap_t had)
{
    for (size_t i = 0; i < ARRAY_LEN(kept_by_root); i++) {
        cap_flag_value_t value;
        if (!is_kept(kept_by_root[i]))
            continue;
        if (cap_get_flag(had, kept_by_root[i], CAP_PERMITTED, &value) < 0 ||
            cap_set_flag(wanted, CAP_PERMITTED, 1, &kept_by_root[i], value) < 0 ||
            cap_set_flag(wanted, CAP_EFFECTIVE, 1, &kept_by_root[i], value) < 0)
            return -1;
    }
    return 0;
}

/* Dropping one from the bounding set needs CAP_SETPCAP, which goes last. A service without it keeps
 * the bounding set, which is of no use to it under no_new_privs. */
static int give_up_capabilities(void)
{
    for (cap_value_t capability = 0; capability < cap_max_bits(); capability++)
        if (!is_kept(capability))
            cap_drop_bound(capability);
    cap_t had = cap_get_proc(), wanted = cap_init();
    int result = had != NULL && wanted != NULL && keep_capabilities(wanted, had) == 0
                     ? cap_set_proc(wanted)
                     : -1;
    int saved = errno;
    cap_free(had);
    cap_free(wanted);
    errno = saved;
    return result < 0 ? -1 : prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* For zygotes, whose cheap clones need it: raising the limit later would take CAP_SYS_RESOURCE. The
 * jobs' own limit is 0. */
static void allow_locked_memory(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0)
        return;
    limit.rlim_max = RLIM_INFINITY;
    setrlimit(RLIMIT_MEMLOCK, &limit); /* EPERM: an ordinary user */
}

/* ── The filter ─────────────────────────────────────────────────────────────────────────────── */

/* Calls that neither the service nor a job needs, and that are useful to an attacker who has taken
 * one of them over. */
static const int refused[] = {
/* Other processes. (The sanitizer uses ptrace to look for leaks.) */
#ifndef __SANITIZE_ADDRESS__
    SCMP_SYS(ptrace),
#endif
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(process_madvise),
    SCMP_SYS(kcmp),
    SCMP_SYS(pidfd_getfd),
    /* Calls that kernel exploits use, and ways around filters. */
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(io_uring_enter), /* a zygote makes a ring, which pins memory (zygote_become.c) */
    SCMP_SYS(modify_ldt),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(fanotify_init),
    SCMP_SYS(fanotify_mark),
    SCMP_SYS(lookup_dcookie),
    /* The machine. */
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load),
    SCMP_SYS(reboot),
    SCMP_SYS(swapon),
    SCMP_SYS(swapoff),
    SCMP_SYS(acct),
    SCMP_SYS(quotactl),
    SCMP_SYS(quotactl_fd),
    SCMP_SYS(settimeofday),
    SCMP_SYS(clock_settime),
    SCMP_SYS(clock_adjtime),
    SCMP_SYS(adjtimex),
    SCMP_SYS(syslog),
    SCMP_SYS(iopl),
    SCMP_SYS(ioperm),
    SCMP_SYS(vhangup),
    SCMP_SYS(nfsservctl),
    SCMP_SYS(uselib),
};

/* The families of sockets that are allowed, and one protocol of another: presence.c asks the kernel
 * for the state of a client's socket. A rule can compare each argument only once. */
static int refuse_families(scmp_filter_ctx filter)
{
    int result = seccomp_rule_add(filter, SCMP_ACT_TRACE(0), SCMP_SYS(socket), 1,
                                  SCMP_A0_32(SCMP_CMP_GT, AF_NETLINK));
    for (unsigned family = 0; family < AF_NETLINK && result == 0; family++)
        if (family != AF_UNIX && family != AF_INET && family != AF_INET6)
            result = seccomp_rule_add(filter, SCMP_ACT_TRACE(0), SCMP_SYS(socket), 1,
                                      SCMP_A0_32(SCMP_CMP_EQ, family));
    if (result == 0)
        result = seccomp_rule_add(filter, SCMP_ACT_TRACE(0), SCMP_SYS(socket), 2,
                                  SCMP_A0_32(SCMP_CMP_EQ, AF_NETLINK),
                                  SCMP_A2_32(SCMP_CMP_NE, NETLINK_SOCK_DIAG));
    return result;
}

/* Calls of other architectures kill the process, as in jobs. Numbers below 0 are calls that this
 * architecture does not have. */
static int add_rules(scmp_filter_ctx filter)
{
    int result = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (result == 0)
        result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a binary tree */
    for (size_t i = 0; i < ARRAY_LEN(refused) && result == 0; i++)
        if (refused[i] >= 0)
            result = seccomp_rule_add(filter, SCMP_ACT_TRACE(0), refused[i], 0);
    if (result == 0)
        result = refuse_families(filter);
    return result == 0 ? seccomp_load(filter) : result;
}

static int install_filter(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int result = filter != NULL ? add_rules(filter) : -ENOMEM;
    seccomp_release(filter);
    errno = -result;
    return result < 0 ? -1 : 0;
}

int privileges_give_up(struct sb_error *err)
{
    hide_processes();
    allow_locked_memory();
    if (give_up_capabilities() < 0)
        return sb_fail(err, "capabilities", errno, "can't give up capabilities");
    if (install_filter() < 0)
        return sb_fail(err, "seccomp", errno,
                       "can't install a filter for the service itself: see sandbox-run --doctor");
    return 0;
}
