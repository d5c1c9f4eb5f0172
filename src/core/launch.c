/* The parent's side of a start: pipes, cgroup, clone3, limits, id maps, go. The child makes its
 * network namespace and attaches the root file system while the parent writes maps and limits:
 * neither waits for the other before it must. Nothing of the script runs before the go. */
#include "core/launch.h"

#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common/error.h"
#include "common/quantity.h"
#include "common/util.h"
#include "core/id_map.h"
#include "inside/clone.h"
#include "inside/rlimits.h"
#include "policy/limit.h"
#include "policy/missing.h"

/* ── Pipes ─────────────────────────────────────────────────────────────────────────────────── */

/* Our end is non-blocking, the script's end is as python expects it: each end of a pipe has its own
 * flags. */
static int make_pipe(int pipe_fds[2], int ours)
{
    if (pipe2(pipe_fds, O_CLOEXEC) < 0)
        return -1;
    return fcntl(pipe_fds[ours], F_SETFL, O_NONBLOCK);
}

/* The script's stdout and stderr become one pipe, so that the kernel keeps their order. A warm
 * child's pipes exist before its job comes: see zygote_take. */
static int merge_stderr(struct process *process, struct inside *in)
{
    int *stderr_fd = &in->fds[STDERR_FILENO];
    close_fd(&process->fd[SOURCE_STDERR]);
    close_fd(stderr_fd);
    *stderr_fd = fcntl(in->fds[STDOUT_FILENO], F_DUPFD_CLOEXEC, 0);
    return *stderr_fd < 0 ? -1 : 0;
}

/* The socket on which a cold start's listener comes: pipes carry no descriptors. A warm child has a
 * socket anyway. */
static int make_listener_socket(struct process *process, struct inside *in)
{
    int sockets[2];
    if (!in->report_denied)
        return 0;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0)
        return -1;
    process->fd[SOURCE_DENIED] = sockets[0];
    in->listener_to = sockets[1];
    return 0;
}

static int make_pipes(struct process *process, struct inside *in)
{
    static const struct {
        enum source_kind source;
        int ours; /* 0: we read, 1: we write */
    } script[JOB_FDS] = {
        {SOURCE_STDIN, 1}, {SOURCE_STDOUT, 0}, {SOURCE_STDERR, 0}, {SOURCE_RESULT, 0}};
    int fds[2];
    for (int i = 0; i < JOB_FDS; i++) {
        if (make_pipe(fds, script[i].ours) < 0)
            return -1;
        process->fd[script[i].source] = fds[script[i].ours];
        in->fds[i] = fds[!script[i].ours];
    }
    if (pipe2(fds, O_CLOEXEC) < 0)
        return -1;
    in->control = fds[0];
    process->control = fds[1];
    if (make_pipe(fds, 0) < 0)
        return -1;
    process->fd[SOURCE_REPORT] = fds[0];
    in->report = fds[1];
    return make_listener_socket(process, in);
}

/* To open its streams again by /dev/stdin, /dev/stdout and so on, a script's user must own the
 * pipes. Only root can give them away; other supervisors open them to everybody, and nobody except
 * for the job can reach them. The result pipe is not one of the script's streams. */
static void give_streams(const struct sb_sandbox *sandbox, const struct process *process,
                         const struct inside *in)
{
    uint32_t uid, gid;
    if (sandbox->uids.way == SB_UIDS_SHARED)
        return; /* the pipes are the job's user's already */
    launch_ids(sandbox, process, &uid, &gid);
    for (int i = 0; i < RESULT_FD; i++)
        if (geteuid() != 0 || fchown(in->fds[i], uid, gid) < 0)
            fchmod(in->fds[i], 0666);
}

void launch_ids(const struct sb_sandbox *sandbox, const struct process *process, uint32_t *uid,
                uint32_t *gid)
{
    uids_of_slot(&sandbox->uids, process->cgroup.slot, uid, gid);
}

/* ── Clone ─────────────────────────────────────────────────────────────────────────────────── */

/* The child must lose our supplementary groups before setgroups is denied to it. Only root can drop
 * them, only in the parent, and only for this thread (the system call; libc's function acts on all
 * threads). An ordinary user's child keeps them, and they open nothing to the script: it sees no
 * file of the host. */
struct groups {
    gid_t *list;
    int count;
};

static int groups_drop(struct groups *groups)
{
    *groups = (struct groups){0};
    if (geteuid() != 0 || (groups->count = getgroups(0, NULL)) <= 0)
        return 0;
    groups->list = calloc((size_t)groups->count, sizeof(gid_t));
    if (groups->list == NULL || getgroups(groups->count, groups->list) < 0)
        return -1;
    if (syscall(SYS_setgroups, 0, NULL) == 0)
        return 0;
    groups->count = 0; /* they were not dropped: nothing to restore */
    /* Root of a user namespace that denies setgroups is like an ordinary user. */
    return errno == EPERM ? 0 : -1;
}

static int groups_restore(struct groups *groups)
{
    int result = groups->count > 0 ? (int)syscall(SYS_setgroups, groups->count, groups->list) : 0;
    free(groups->list);
    return result;
}

pid_t launch_clone(const struct sb_uids *uids, int (*start)(void *user), void *user,
                   struct sb_error *err)
{
    struct groups groups;
    sigset_t all, before;
    if (groups_drop(&groups) < 0) {
        free(groups.list);
        return sb_fail(err, "groups", errno, "cannot drop supplementary groups: %m; try again");
    }
    /* No signal handler of the caller may run in the child. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = uids_act(uids, start, user);
    int failed = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    bool restored = groups_restore(&groups) == 0;
    if (pid < 0 && failed == ENOENT) /* for clone3, our cgroup namespace has no such cgroup */
        return sb_fail(
            err, "clone", failed,
            "cannot start a process in a job's cgroup: %m; the cgroup namespace of this process "
            "and what is mounted at /sys/fs/cgroup do not belong together: mount the container's "
            "own cgroups there (podman: --security-opt unmask=ALL; docker: --security-opt "
            "writable-cgroups=true) instead of the host's, or use the host's namespace, too "
            "(--cgroupns=host)");
    if (pid < 0)
        return sb_fail(
            err, "clone", failed,
            "cannot start a process in new namespaces: %m; are user namespaces allowed here? See "
            "sandbox-run --doctor");
    return restored ? pid
                    : sb_fail(err, "groups", errno,
                              "cannot restore supplementary groups: %m; restart this program");
}

/* ── What the child waits for ──────────────────────────────────────────────────────────────── */

static int write_maps(const struct sb_run *run, struct sb_error *err)
{
    uint32_t uid, gid;
    launch_ids(run->sandbox, &run->process, &uid, &gid);
    if (clone_map_ids(run->process.pid, uid, gid) == 0)
        return 0;
    char why[ID_MAP_WHY_SIZE];
    int errnum = errno;
    id_map_why((struct id_range){uid, 1}, (struct id_range){gid, 1}, errnum, why);
    return sb_fail(err, "id maps", errnum,
                   "cannot map the job's user to host uid %" PRIu32 ": %m; %s", uid, why);
}

struct cloning {
    struct sb_run *run;
    struct inside *in;
    int mapped;
    struct sb_error *err; /* the error of the maps */
};

static int clone_job(void *user)
{
    struct cloning *start = user;
    struct sb_run *run = start->run;
    pid_t pid = clone_child(run->process.cgroup.dir[0], uids_clone_flags(&run->sandbox->uids),
                            &run->process.fd[SOURCE_PIDFD]);
    if (pid == 0)
        inside_begin(start->in, run->process.control, run->process.cgroup.dir[0]);
    run->process.pid = pid > 0 ? pid : 0; /* set also when the groups cannot be restored */
    if (pid > 0)
        start->mapped = write_maps(run, start->err);
    return pid;
}

int launch_prepare(struct sb_sandbox *sandbox, struct process *process, struct inside *in,
                   struct sb_error *err)
{
    for (int i = 0; i < JOB_FDS; i++)
        in->fds[i] = -1;
    in->control = in->report = -1;
    if (make_pipes(process, in) < 0)
        return sb_fail(
            err, "pipes", errno,
            "cannot make pipes for the job: %m; raise the limit on open files (ulimit -n)");
    if (process->cgroup.dir[0] < 0 &&
        cgroup_create(&sandbox->cgroup, &process->cgroup, sandbox->uids.count, err) < 0)
        return -1;
    process->cgroup.network = in->policy->loopback;
    give_streams(sandbox, process, in);
    in->cgroup = cgroup_entry(&sandbox->cgroup, &process->cgroup);
    return 0;
}

void launch_close(struct inside *in)
{
    close_fd(&in->control);
    close_fd(&in->report);
    close_fd(&in->listener_to);
    for (int i = 0; i < JOB_FDS; i++)
        close_fd(&in->fds[i]);
}

/* No SIGPIPE, even if the child is gone already: our own copy of the read end is still open. */
int launch_go(const struct process *process, struct sb_error *err)
{
    if (write(process->control, "g", 1) != 1)
        return sb_fail(err, "clone", errno,
                       "the job's first process is gone: %m; see sandbox-run --doctor");
    return 0;
}

static const char *rlimit_text(char text[LIMIT_TEXT_SIZE], const char *unit, rlim_t limit)
{
    if (limit == RLIM_INFINITY)
        return "no limit";
    bool seconds = strcmp(unit, "s") == 0;
    return quantity_text(text, seconds ? "ms" : unit, (int64_t)limit * (seconds ? 1000 : 1));
}

int launch_lift_rlimits(pid_t pid, const struct inside *in, struct sb_error *err)
{
    struct rlimit_row held;
    rlim_t at;
    char needed[LIMIT_TEXT_SIZE], had[LIMIT_TEXT_SIZE];
    if (rlimits_lift(pid, in, &held, &at) == 0)
        return 0;
    return sb_fail_field(
        err, "rlimits", held.field[0] != '\0' ? held.field : "rlimits",
        "this process's own limit on the %s is %s (ulimit -H%c), and the job is to have %s: start "
        "it where that is higher%s%s, or accept it with --allow-missing rlimits",
        held.what, rlimit_text(had, held.unit, at), held.option,
        rlimit_text(needed, held.unit, held.least),
        held.field[0] != '\0' ? ", ask for less of " : "", held.field);
}

static int lift_rlimits(struct sb_run *run, const struct inside *in, struct sb_error *err)
{
    if (launch_lift_rlimits(run->process.pid, in, err) == 0)
        return 0;
    if (!(in->may_lack & SB_MISSING_RLIMITS))
        return -1;
    run_lacks(run, missing_name(SB_MISSING_RLIMITS));
    return 0;
}

/* Whether the child has reported something. If it is gone already, maps cannot be written, and its
 * report gives the better reason. */
static bool has_reported(const struct sb_run *run)
{
    struct pollfd report = {.fd = run->process.fd[SOURCE_REPORT], .events = POLLIN};
    return poll(&report, 1, 0) > 0;
}

/* The job's files come out of its mount namespace, which a cold job would end. Now is the time:
 * once the child has the job's ids, an ordinary user may not look into it any more. */
static int hold_mounts(struct sb_run *run, struct sb_error *err)
{
    if (run->collect == NULL)
        return 0;
    process_hold_namespaces(&run->process);
    if (run->process.held[HELD_MOUNTS] >= 0 || has_reported(run))
        return 0;
    return sb_fail_field(err, "clone", "collect",
                         "cannot open the job's mount namespace, out of which files come: %m; is "
                         "/proc mounted here? Leave out collect, or see sandbox-run --doctor");
}

/* Does the parent's part, while the child takes its first steps. */
static int complete(struct sb_run *run, const struct inside *in, const struct cloning *start,
                    struct sb_error *err)
{
    if (lift_rlimits(run, in, err) < 0 || hold_mounts(run, err) < 0 ||
        cgroup_limit(&run->sandbox->cgroup, &run->process.cgroup, &run->asked.limits, err) < 0 ||
        (start->mapped < 0 && !has_reported(run)))
        return -1;
    run->evidence.started_us = monotonic_us();
    return launch_go(&run->process, err);
}

int launch(struct sb_run *run, struct inside *in, struct sb_error *err)
{
    struct process *process = &run->process;
    struct cloning start = {run, in, -1, err};
    int result = launch_prepare(run->sandbox, process, in, err);
    if (result == 0 && run->asked.merge_stderr && merge_stderr(process, in) < 0)
        result = sb_fail(err, "pipes", errno, "cannot duplicate a pipe: %m; raise ulimit -n");
    if (result == 0 && launch_clone(&run->sandbox->uids, clone_job, &start, err) < 0)
        result = -1;
    if (result == 0)
        result = complete(run, in, &start, err);
    launch_close(in);
    if (result < 0 && process->pid > 0)
        process_kill(process);
    if (result == 0)
        run->phase = RUN_STARTED;
    return result;
}
