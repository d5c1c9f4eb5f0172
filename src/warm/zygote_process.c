/* See zygote_process.h.
 *
 * A zygote lives in a user namespace whose ids equal the host's. It has the ids of the jobs, so
 * that the zygote can map them for its children, and, unless root starts the zygote, the
 * supervisor's ids. The zygote stays in our pid namespace, so that its children can be ours
 * (CLONE_PARENT).
 *
 * A zygote that root starts has a uid of its own, which no job has meanwhile: it takes a slot as a
 * job does, with the slot's cgroup in the first hierarchy. The cgroup holds the zygote and its
 * helpers, and from there it clones children into the cgroups of jobs. */
#include "warm/zygote_process.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common/error.h"
#include "common/small_file.h"
#include "common/util.h"
#include "core/filters.h"
#include "core/id_map.h"
#include "core/launch.h"
#include "core/sources.h"
#include "core/start.h"
#include "inside/clone.h"
#include "seccomp/seccomp.h"
#include "seccomp/seccomp_profile.h"
#include "warm/zygote_filter.h"
#include "zygote/embedded.h"
#include "zygote/protocol.h"
#include "zygote/zygote_become.h"

/* How long to wait for a zygote's helpers, other children and cgroup to end: this takes moments,
 * unless the machine is crowded. */
#define STOP_MS 5000
#define NAMESPACES (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET)

struct start {
    struct zygote_process *process;
    struct becoming becoming;
    const struct sb_sandbox *sandbox;
    int errnum; /* of mapping its ids; 0: they are mapped */
};

static int map_same(pid_t pid, const char *file, uint32_t first, uint32_t count)
{
    char text[64];
    snprintf(text, sizeof(text), "%" PRIu32 " %" PRIu32 " %" PRIu32 "\n", first, first, count);
    return clone_write_proc(pid, file, text);
}

/* Maps each id to itself. Root is not mapped. */
static int write_maps(const struct sb_sandbox *sandbox, pid_t pid)
{
    const struct sb_uids *jobs = &sandbox->uids;
    if (clone_write_proc(pid, "setgroups", "deny") < 0)
        return -1;
    switch (jobs->way) {
    case SB_UIDS_SHARED:
        return map_same(pid, "uid_map", geteuid(), 1) < 0 ? -1
                                                          : map_same(pid, "gid_map", getegid(), 1);
    case SB_UIDS_ROOT:
        return map_same(pid, "uid_map", jobs->uid_first, jobs->count) < 0
                   ? -1
                   : map_same(pid, "gid_map", jobs->gid_first, jobs->count);
    default:
        return uids_map(jobs, pid);
    }
}

/* ── A uid of its own ──────────────────────────────────────────────────────────────────────── */

static int take_slot(struct start *start, struct sb_error *err)
{
    const struct sb_sandbox *sandbox = start->sandbox;
    struct zygote_process *process = start->process;
    if (sandbox->uids.way != SB_UIDS_ROOT)
        return 0;
    if (cgroup_create(&sandbox->cgroup, &process->cgroup, sandbox->uids.count, err) < 0)
        return -1;
    if (cgroup_let_clone(&sandbox->cgroup) < 0)
        return sb_fail(
            err, "zygote", errno,
            "cannot let a zygote clone into jobs' cgroups: %m; see sandbox-run --doctor");
    uids_of_slot(&sandbox->uids, process->cgroup.slot, &process->uid, &start->becoming.gid);
    start->becoming.uid = process->uid;
    return 0;
}

int zygote_let_in(const struct zygote_process *process, struct cgroup_job *job)
{
    return process->uid == 0 ? 0 : cgroup_let_in(process->host, job, process->uid);
}

static void give_back_slot(struct zygote_process *process)
{
    if (process->cgroup.dir[0] < 0)
        return;
    cgroup_kill(process->host, &process->cgroup);
    for (int tries = 0; cgroup_remove(process->host, &process->cgroup) < 0 && tries < STOP_MS;
         tries++)
        poll(NULL, 0, 1);
    cgroup_job_close(&process->cgroup); /* the next start clears what is left */
}

/* ── Starting ──────────────────────────────────────────────────────────────────────────────── */

static int clone_zygote(void *user)
{
    struct start *start = user;
    int cgroup = start->process->cgroup.dir[0];
    struct clone_args args = {
        .flags = (uint64_t)NAMESPACES | CLONE_PIDFD | (cgroup >= 0 ? CLONE_INTO_CGROUP : 0) |
                 uids_clone_flags(&start->sandbox->uids),
        .pidfd = (uintptr_t)&start->process->pidfd,
        .cgroup = cgroup >= 0 ? (uint64_t)(unsigned)cgroup : 0,
    };
    pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
    if (pid == 0)
        become_zygote(&start->becoming, start->process->socket, cgroup);
    start->process->pid = pid > 0 ? pid : 0;
    if (pid > 0)
        start->errnum = write_maps(start->sandbox, pid) < 0 ? errno : 0;
    return pid;
}

static int send_config(int socket, const struct sb_sandbox *sandbox, const struct sb_policy *policy,
                       const struct sock_fprog *filter, bool report)
{
    struct zygote_config config = {
        .limits = policy->limits,
        .writable = policy->writable,
        .loopback = policy->loopback,
        .proc_masked = policy->proc_masked,
        .may_lack = lack_allowed(sandbox, policy),
        .in_container = sandbox->in_container,
        .limit_processes = !(sandbox->cgroup.controllers & CGROUP_PIDS),
        .limit_cpu = sandbox->cgroup.backend == NULL,
        .report_denied = report,
        .filter_length = filter->len,
    };
    /* A child's hard limit on open files must suffice for each job that may come. */
    config.limits.value[SB_OPEN_FILES] = policy->caps.value[SB_OPEN_FILES];
    struct cgroup_job none;
    cgroup_job_init(&none);
    struct cgroup_entry entry = cgroup_entry(&sandbox->cgroup, &none);
    int fds[CGROUP_HIERARCHIES];
    size_t count = 0;
    for (int h = 0; h < CGROUP_HIERARCHIES; h++)
        if ((config.joins[h] = entry.join[h] >= 0))
            fds[count++] = entry.join[h];
    struct iovec parts[] = {{&config, sizeof(config)},
                            {filter->filter, filter->len * sizeof(*filter->filter)}};
    return message_send(socket, parts, ARRAY_LEN(parts), fds, count, 0) < 0 ? -1 : 0;
}

/* zygote.py comes as a message, so that the process's arguments stay readable for people. */
#define READ_TEXT "import os; exec(os.read(3, 1 << 16)) # a zygote of sandbox-run"

/* python -c … BUFFERING MODULES…, in the policy's environment. The caller frees both arrays. */
static int make_argv(struct inside *in, const struct sb_sandbox *sandbox,
                     const struct sb_policy *policy)
{
    size_t modules = strings_count((const char *const *)policy->preload);
    size_t entries = strings_count((const char *const *)policy->environment);
    char **argv = calloc(modules + 5, sizeof(*argv));
    char **envp = calloc(entries + 2, sizeof(*envp));
    in->argv = argv;
    in->envp = envp;
    if (argv == NULL || envp == NULL)
        return -1;
    memcpy(envp, policy->environment, entries * sizeof(*envp));
    envp[entries] = (char *)"LD_BIND_NOW=1"; /* link once here, instead of in each child */
    argv[0] = sandbox->rootfs.python;
    argv[1] = "-c";
    argv[2] = READ_TEXT;
    argv[3] = (char *)output_buffering_names[policy->output_buffering];
    memcpy(argv + 4, policy->preload, modules * sizeof(*argv));
    return 0;
}

/* The zygote's streams are pipes, as the jobs' streams will be: what python finds out about them
 * when it starts is then true of the jobs' streams, too. */
static int make_streams(struct start *start, int ends[2])
{
    int in[2] = {-1, -1}, out[2] = {-1, -1}, error[2] = {-1, -1};
    if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(error, O_CLOEXEC) < 0)
        return -1;
    start->becoming.in.fds[0] = in[0];
    start->becoming.in.fds[1] = out[1];
    start->becoming.in.fds[2] = error[1];
    ends[0] = in[1];
    ends[1] = out[0];
    start->process->errors = error[0];
    return fcntl(error[0], F_SETFL, O_NONBLOCK);
}

/* For zygote_pin; jobs get a limit of 0. */
static void allow_pinning(pid_t pid)
{
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    if (prlimit(pid, RLIMIT_MEMLOCK, &limit, NULL) == 0 || getrlimit(RLIMIT_MEMLOCK, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    prlimit(pid, RLIMIT_MEMLOCK, &limit, NULL);
}

static int fail_maps(const struct start *start, struct sb_error *err)
{
    const struct sb_uids *jobs = &start->sandbox->uids;
    bool own = jobs->way != SB_UIDS_ROOT, shared = jobs->way == SB_UIDS_SHARED;
    char why[ID_MAP_WHY_SIZE];
    struct id_range uids = {jobs->uid_first, jobs->count}, gids = {jobs->gid_first, jobs->count};
    if (shared || (own && geteuid() == 0)) { /* root: this id needs a capability of its own */
        uids = (struct id_range){geteuid(), 1};
        gids = (struct id_range){getegid(), 1};
    }
    return sb_fail(err, "zygote", start->errnum,
                   "cannot map the ids of a python for warm starts: %m; %s",
                   id_map_why(uids, gids, start->errnum, why));
}

static int start_process(struct start *start, const struct sb_policy *policy,
                         const struct sock_fprog *filter, struct sb_error *err)
{
    bool report = start->becoming.in.report_denied;
    struct zygote_process *process = start->process;
    int sockets[2], ends[2] = {-1, -1};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
        return sb_fail(err, "zygote", errno, "cannot make a socket: %m; raise ulimit -n");
    process->socket = sockets[0];
    start->becoming.in.control = start->becoming.in.fds[ZYGOTE_SOCKET] = sockets[1];
    int result = make_streams(start, ends);
    start->becoming.proc = zygote_open_proc(policy->proc_masked);
    if (result == 0)
        result = launch_clone(&start->sandbox->uids, clone_zygote, start, err) < 0 ? -1 : 0;
    else
        sb_fail(err, "zygote", errno, "cannot make pipes: %m; raise ulimit -n");
    if (result == 0)
        result = launch_lift_rlimits(process->pid, &start->becoming.in, err);
    if (result == 0)
        allow_pinning(process->pid);
    if (result == 0 && start->errnum != 0)
        result = fail_maps(start, err);
    if (result == 0 &&
        (send(process->socket, "g", 1, MSG_NOSIGNAL) != 1 ||
         send(process->socket, embedded_zygote_py, strlen(embedded_zygote_py), MSG_NOSIGNAL) < 0 ||
         send_config(process->socket, start->sandbox, policy, filter, report) < 0 ||
         fcntl(process->socket, F_SETFL, O_NONBLOCK) < 0))
        result = sb_fail(err, "zygote", errno,
                         "cannot start a python for warm starts: %m; see sandbox-run --doctor");
    close_fd(&start->becoming.proc);
    close_fd(&ends[0]);
    close_fd(&ends[1]);
    for (int i = 0; i < JOB_FDS; i++)
        close_fd(&start->becoming.in.fds[i]);
    return result;
}

/* A child sends its listener from behind its own filter. If the profile does not allow that,
 * refused calls of warm jobs are not reported. */
static bool lets_listener_pass(const struct sock_fprog *filter)
{
    struct seccomp_data call = {.nr = SYS_sendmsg, .arch = seccomp_arch(NULL)};
    return filter_run(filter, &call) == SECCOMP_RET_ALLOW;
}

int zygote_start(struct zygote_process *process, struct sb_sandbox *sandbox,
                 const struct sb_policy *policy, struct sb_error *err)
{
    *process =
        (struct zygote_process){.pidfd = -1, .socket = -1, .errors = -1, .host = &sandbox->cgroup};
    cgroup_job_init(&process->cgroup);
    const struct sock_fprog *filter = filter_of(sandbox, policy, policy->report_denied, err);
    bool report = policy->report_denied && filter != NULL && lets_listener_pass(filter);
    if (filter != NULL && report != policy->report_denied)
        filter = filter_of(sandbox, policy, false, err);
    if (filter == NULL)
        return -1;
    struct start start = {
        .process = process,
        .sandbox = sandbox,
        .becoming = {.in = {.rootfs = sandbox->rootfs.path,
                            .policy = policy,
                            .limits = &policy->limits,
                            .report_denied = report,
                            .may_lack = lack_allowed(sandbox, policy),
                            .in_container = sandbox->in_container,
                            .code = embedded_zygote_so,
                            .code_size = embedded_zygote_so_size,
                            .fds = {-1, -1, -1, -1},
                            .control = -1,
                            .report = -1,
                            .channel = -1,
                            .listener = -1,
                            .listener_to = -1,
                            .work = -1,
                            .main = -1,
                            .init = -1,
                            .ruleset = -1}},
    };
    int result = make_argv(&start.becoming.in, sandbox, policy);
    if (result < 0)
        sb_fail(err, "zygote", ENOMEM, "out of memory (a zygote)");
    else
        result = zygote_filter(&start.becoming.filter, filter, err);
    if (result == 0 && (result = take_slot(&start, err)) == 0)
        result = start_process(&start, policy, filter, err);
    free(start.becoming.filter.filter);
    free((void *)start.becoming.in.argv);
    free((void *)start.becoming.in.envp);
    if (result < 0)
        zygote_stop(process);
    return result;
}

/* Finds the zygote's own children, from which it learns (zygote_memory.py). All its other children
 * are ours. */
static void find_helpers(struct zygote_process *process)
{
    char path[64], text[256];
    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", process->pid, process->pid);
    if (small_file_read(AT_FDCWD, path, text, sizeof(text)) < 0)
        return; /* this kernel does not list children */
    char *at = text;
    for (long pid;
         process->helpers_count < ARRAY_LEN(process->helpers) && (pid = strtol(at, &at, 10)) > 0;) {
        int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
        if (pidfd >= 0)
            process->helpers[process->helpers_count++] = pidfd;
    }
}

void zygote_kill(struct zygote_process *process)
{
    siginfo_t info;
    if (process->pidfd >= 0) {
        find_helpers(process);
        syscall(SYS_pidfd_send_signal, process->pidfd, SIGKILL, NULL, 0);
        waitid(P_PIDFD, (id_t)process->pidfd, &info, WEXITED | __WALL);
    }
    close_fd(&process->pidfd);
}

void zygote_stop(struct zygote_process *process)
{
    close_fd(&process->errors);
    zygote_kill(process);
    while (process->helpers_count > 0) {
        struct pollfd helper = {process->helpers[--process->helpers_count], POLLIN, 0};
        poll(&helper, 1, STOP_MS);
        close(helper.fd);
    }
    struct pollfd other_end = {.fd = process->socket};
    if (process->socket >= 0)
        poll(&other_end, 1, STOP_MS);
    close_fd(&process->socket);
    give_back_slot(process);
    process->pid = 0;
}
