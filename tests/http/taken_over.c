/* What somebody can do who runs code of his own in a process of the service: preloaded into it, on
 * SIGUSR1 writes a line for each call, its name and how it ended, to the file TAKEN_OVER. Each gets
 * arguments that change nothing. */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/netlink.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <unistd.h>

static FILE *results;

static void tell(const char *name, long result)
{
    fprintf(results, "%s %s\n", name, result < 0 ? strerrorname_np(errno) : "done");
}

static void take(int signal)
{
    (void)signal;
    results = fopen(getenv("TAKEN_OVER"), "w");
    if (results == NULL)
        return;
    struct perf_event_attr counter = {
        .size = sizeof(counter), .type = PERF_TYPE_SOFTWARE, .exclude_kernel = 1};
    union bpf_attr map = {
        .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
    struct timex clock = {.modes = ADJ_TICK, .tick = 1};
    char byte;
    struct iovec here = {&byte, 1};
    tell("perf_event_open", syscall(SYS_perf_event_open, &counter, 0, -1, -1, 0));
    tell("bpf", syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof(map)));
    tell("userfaultfd", syscall(SYS_userfaultfd, 1)); /* UFFD_USER_MODE_ONLY */
    tell("process_vm_readv", process_vm_readv(getpid(), &here, 1, &here, 1, 0));
    tell("add_key", syscall(SYS_add_key, "user", "taken", "x", 1, -3));
    tell("ptrace", ptrace(PTRACE_SEIZE, getppid(), 0, 0) == 0 ? 0 : -1);
    tell("syslog", syscall(SYS_syslog, 10, NULL, 0)); /* SYSLOG_ACTION_SIZE_BUFFER */
    tell("adjtimex", syscall(SYS_adjtimex, &clock));
    tell("socket(NETLINK_ROUTE)", socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
    tell("socket(NETLINK_NETFILTER)", socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER));
    tell("socket(NETLINK_SOCK_DIAG)", socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG));
    tell("socket(AF_ALG)", socket(AF_ALG, SOCK_SEQPACKET, 0));
    tell("socket(AF_UNIX)", socket(AF_UNIX, SOCK_DGRAM, 0));
    tell("chroot", chroot("/"));
    tell("mount", mount("none", "/proc", NULL, MS_REC | MS_PRIVATE, NULL));
    tell("unshare", unshare(CLONE_NEWUTS));
    tell("sethostname", syscall(SYS_sethostname, NULL, -1));
    tell("bounding set", prctl(PR_CAPBSET_DROP, 0, 0, 0, 0));
    fclose(results);
}

__attribute__((constructor)) static void wait_for_signal(void)
{
    signal(SIGUSR1, take);
}
