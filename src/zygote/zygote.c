/* libzygote: the C part of a zygote. It is loaded into a python3 that never runs code of users,
 * clones children on request, and lets each take the steps of a cold start (src/inside/inside.c)
 * before its job comes.
 *
 * It is not linked with any library: it finds the few functions of the C library that it needs in
 * the process that loads it, whose library may be an older one, or another. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/util.h"
#include "inside/clone.h"
#include "zygote/libzygote.h"
#include "zygote/protocol.h"
#include "zygote/python_api.h"
#include "zygote/start_script.h"
#include "zygote/zygote_network.h"

struct libzygote {
    struct zygote_config config;
    struct sb_policy policy;
    struct cgroup_entry cgroup;
    struct inside in; /* in a child: itself */
    struct networks networks;
    int init, ruleset; /* see struct inside */
    struct sock_filter filter[];
};

/* ── Messages with descriptors ─────────────────────────────────────────────────────────────── */

/* Returns the size of the message, 0 at the end, −1 with errno. *count: room for descriptors on
 * entry, how many came on return. */
static ssize_t receive(int socket, void *message, size_t size, int *fds, size_t *count)
{
    union {
        char room[CMSG_SPACE(16 * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec part = {message, size};
    struct msghdr header = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control.room,
                            .msg_controllen = sizeof(control.room)};
    ssize_t n;
    do
        n = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    size_t room = *count;
    *count = 0;
    struct cmsghdr *cmsg = n >= 0 ? CMSG_FIRSTHDR(&header) : NULL;
    if (cmsg != NULL && cmsg->cmsg_type == SCM_RIGHTS) {
        *count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(fds, CMSG_DATA(cmsg), (*count < room ? *count : room) * sizeof(int));
    }
    return n;
}

/* It is only for python's own start; /proc/self/environ would show it to all jobs. */
static void forget_bind_now(void)
{
    static const char name[] = "LD_BIND_NOW";
    char *value = getenv(name);
    if (value != NULL)
        memset(value - sizeof(name), 0, sizeof(name) + strlen(value));
    unsetenv(name);
}

struct libzygote *zygote_open(void)
{
    static const size_t size = sizeof(struct libzygote) + BPF_MAXINSNS * sizeof(struct sock_filter);
    struct libzygote *zygote =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *message = malloc(size);
    int fds[CGROUP_HIERARCHIES];
    size_t count = CGROUP_HIERARCHIES, used = 0;
    if (zygote == MAP_FAILED || message == NULL ||
        receive(ZYGOTE_SOCKET, message, size, fds, &count) < (ssize_t)sizeof(zygote->config))
        return NULL;
    memcpy(&zygote->config, message, sizeof(zygote->config));
    memcpy(zygote->filter, message + sizeof(zygote->config),
           zygote->config.filter_length * sizeof(struct sock_filter));
    free(message);
    for (int h = 0; h < CGROUP_HIERARCHIES; h++)
        zygote->cgroup.join[h] = zygote->config.joins[h] && used < count ? fds[used++] : -1;
    zygote->policy = (struct sb_policy){
        .writable = zygote->config.writable,
        .loopback = zygote->config.loopback,
        .proc_masked = zygote->config.proc_masked,
    };
    zygote->init = start_script_prepare();
    zygote->ruleset = landlock_make_ruleset(true);
    forget_bind_now();
    return zygote;
}

static int answer(pid_t pid, int errnum)
{
    struct spawned spawned = {pid, errnum};
    return send(ZYGOTE_SOCKET, &spawned, sizeof(spawned), MSG_NOSIGNAL) < 0 ? -1 : 0;
}

void zygote_flush(void)
{
    fflush(NULL);
}

/* ── In the child ──────────────────────────────────────────────────────────────────────────── */

/* A channel holds one message, mostly in one piece. It is not kept on the heap, where its size
 * would decide which pages are written to. A large job comes as a file; then *file is that. */
static const char *receive_job(int channel, struct job_head *head, int *file)
{
    static char message[JOB_MESSAGE_MAX];
    size_t size = sizeof(*head);
    *file = -1;
    for (size_t done = 0; done < size;) {
        int fd;
        size_t count = 1;
        ssize_t n = receive(channel, message + done, sizeof(message) - done, &fd, &count);
        if (n <= 0)
            return NULL;
        if (count == 1)
            *file = fd;
        done += (size_t)n;
        memcpy(head, message, sizeof(*head));
        size = done < sizeof(*head) || *file >= 0 ? sizeof(*head) : head->size;
    }
    return message;
}

static const char *map_job(int file, struct job *job, size_t size)
{
    job->mapping = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
    job->mapping_size = size;
    close(file);
    return job->mapping;
}

void zygote_release(const struct job *job)
{
    if (job->mapping != NULL)
        munmap(job->mapping, job->mapping_size);
}

/* Without code, the script is the first file. */
static int write_files(struct inside *in, struct job *job, const char *at, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct file_head head;
        memcpy(&head, at, sizeof(head));
        at += sizeof(head);
        struct sb_file file = {.path = at, .data = at + head.path_size, .size = head.size};
        if (tmp_write_file(in, &file) < 0)
            return -1;
        if (job->code == NULL) {
            job->code = file.data;
            job->code_size = file.size;
        }
        at += head.path_size + head.size;
    }
    return tmp_have_files(in);
}

/* When the supervisor dies, pid 1 and so this process die; the end of the channel means the same.
 */
struct job zygote_take(struct libzygote *zygote)
{
    struct inside *in = &zygote->in;
    struct job_head head = {0};
    struct job job = {0};
    int file;
    const char *body = receive_job(in->channel, &head, &file);
    if (body == NULL)
        _exit(0);
    if (file >= 0 && (body = map_job(file, &job, head.size)) == MAP_FAILED)
        _exit(125); /* the supervisor starts the job again */
    body += sizeof(head);
    size_t code_size = head.code_size < 0 ? 0 : (size_t)head.code_size;
    job.strings = body;
    job.strings_size = head.strings_size;
    job.arguments = head.arguments;
    job.code = head.code_size < 0 ? NULL : body + head.strings_size;
    job.code_size = code_size;
    job.more_files = head.files > (head.code_size < 0);
    struct report report = {.step = -1};
    if (write_files(in, &job, body + head.strings_size + code_size, head.files) < 0 ||
        (head.open_files != zygote->config.limits.value[SB_OPEN_FILES] &&
         rlimits_lower(head.open_files) < 0) ||
        /* Its own pipe ends with that. */
        (head.merge_stderr && dup2(STDOUT_FILENO, STDERR_FILENO) < 0))
        report = (struct report){
            .kind = REPORT_FAILED, .step = inside_step_of(tmp_write_files), .value = errno};
    report.at_us = monotonic_us();
    if (send(in->channel, &report, sizeof(report), MSG_NOSIGNAL) < 0 || report.step >= 0)
        _exit(125);
    close_fd(&in->channel);
    return job;
}

void zygote_pretend(struct libzygote *zygote, const struct job *job)
{
    static const char path[] = "main.py";
    struct file_head file = {sizeof(path), job->code_size};
    struct job_head head = {.size = sizeof(head) + job->strings_size + sizeof(file) + sizeof(path) +
                                    job->code_size,
                            .strings_size = job->strings_size,
                            .arguments = (uint32_t)job->arguments,
                            .code_size = -1,
                            .open_files = zygote->config.limits.value[SB_OPEN_FILES],
                            .files = 1};
    struct iovec parts[] = {{&head, sizeof(head)},
                            {(void *)job->strings, job->strings_size},
                            {&file, sizeof(file)},
                            {(void *)path, sizeof(path)},
                            {(void *)job->code, job->code_size}};
    int channel[2];
    fcntl(ZYGOTE_SOCKET, F_DUPFD_CLOEXEC, RESULT_FD + 1); /* zygote_stop waits for its end */
    int printed = memfd_create("printed", MFD_CLOEXEC);
    for (int fd = STDOUT_FILENO; fd <= RESULT_FD; fd++)
        if (dup2(printed, fd) < 0)
            _exit(125);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) < 0 ||
        writev(channel[0], parts, ARRAY_LEN(parts)) < 0)
        _exit(125);
    zygote->in.channel = channel[1];
    zygote->in.work = -1;
    zygote->in.main = printed;
}

/* All steps of a cold start except for the last. Returns only in the script's process. */
static void become_job(struct libzygote *zygote, const struct spawn *spawn, const int *fds)
{
    struct inside *in = &zygote->in;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    *in = (struct inside){
        .network_made = in->network_made,
        .policy = &zygote->policy,
        .limits = &zygote->config.limits,
        .filter = {(unsigned short)zygote->config.filter_length, zygote->filter},
        .report_denied = zygote->config.report_denied,
        .listener = -1,
        .listener_to = -1,
        .cgroup = zygote->cgroup,
        .may_lack = zygote->config.may_lack,
        .in_container = zygote->config.in_container,
        .limit_processes = zygote->config.limit_processes,
        .limit_cpu = zygote->config.limit_cpu,
        .control = fds[JOB_FDS],
        .report = fds[JOB_FDS + 1],
        .channel = fds[JOB_FDS + 2],
        .work = -1,
        .main = -1,
        .init = zygote->init,
        .ruleset = zygote->ruleset,
        .start_script = start_script,
    };
    in->cgroup.slot = spawn->slot;
    memcpy(in->fds, fds, sizeof(in->fds));
    inside(in);
    PyOS_AfterFork_Child();
}

/* ── In the zygote ─────────────────────────────────────────────────────────────────────────── */

/* The child belongs to the supervisor, which waits for it and learns of its end without us. Returns
 * 0 in the child. */
static int start(struct libzygote *zygote, const struct spawn *spawn, int *fds, int *errnum)
{
    _cleanup_close_ int pidfd = -1;
    PyOS_BeforeFork();
    zygote->in.network_made = network_enter(&zygote->networks, spawn->network) == 0;
    pid_t pid = clone_child(spawn->into_cgroup ? fds[JOB_FDS + 3] : -1, CLONE_PARENT, &pidfd);
    if (pid == 0) {
        become_job(zygote, spawn, fds);
        return 0;
    }
    *errnum = errno;
    PyOS_AfterFork_Parent();
    if (pid > 0 && clone_map_ids(pid, spawn->uid, spawn->gid) < 0) {
        *errnum = errno;
        syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
    } else if (pid > 0) {
        *errnum = 0;
    }
    return pid;
}

pid_t zygote_fork(struct spans away, struct spans constant)
{
    pid_t zygote = getpid();
    PyOS_BeforeFork();
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != zygote) /* it died before that */
            _exit(125);
        zygote_put_away_apart(away, constant);
        PyOS_AfterFork_Child();
    } else {
        PyOS_AfterFork_Parent();
    }
    return pid;
}

/* Unmounts the directories that modules could write to during their import: children have their
 * own. If that fails, theirs cover these. */
static void drop_directories(void)
{
    if (chdir("/") == 0) {
        umount2("/tmp", MNT_DETACH);
        umount2("/work", MNT_DETACH);
    }
}

void zygote_serve(struct libzygote *zygote)
{
    drop_directories();
    if (answer(0, 0) < 0)
        _exit(0);
    for (;;) {
        struct spawn spawn = {0};
        int fds[SPAWN_FDS_MAX], errnum = 0;
        size_t count = SPAWN_FDS_MAX;
        ssize_t n = receive(ZYGOTE_SOCKET, &spawn, sizeof(spawn), fds, &count);
        if (n != sizeof(spawn) || count < JOB_FDS + 3)
            _exit(n == 0 ? 0 : 125);
        pid_t pid = start(zygote, &spawn, fds, &errnum);
        if (pid == 0) {
            zygote_settle();
            return;
        }
        for (size_t i = 0; i < count; i++)
            close(fds[i]);
        if (answer(pid, errnum) < 0)
            _exit(0);
    }
}
