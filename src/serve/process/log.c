/* The log. Its reader may stop reading: a terminal by Ctrl-S, a pipe's reader that hangs, a journal
 * under load. A write that waits for the reader would stop every job's timer, so no write does:
 *
 *     a pipe, a terminal   stderr is opened a second time, without blocking: O_NONBLOCK on the
 *                          descriptor that we were given would apply to our caller, too
 *     a socket             MSG_DONTWAIT
 *     the journal          a socket of our own, since libsystemd's function waits
 *     a file               writes wait for its disk, as those of every program do
 *
 * If another user's pipe or terminal can't be opened again, a relay process reads from a pipe of
 * ours and waits in our place.
 *
 * Records that are not taken are kept up to a bound (outbox.h). Lost records are counted, and
 * reported once there is room again. A long line may be taken in parts. Until all of it is, its
 * writer holds the pen: workers write to the same stderr, and lines must stay whole. */
#include "serve/process/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/util.h"
#include "serve/process/log_format.h"
#include "serve/process/outbox.h"

enum { KEPT_BYTES = 1024 * 1024, LAST_MS = 1000 };

struct log {
    log_formatter *format;
    int fd;   /* 2, or one of ours; −1: not yet */
    bool own; /* it is ours */
    bool socket;
    struct outbox outbox;
    pid_t pid;
    _Atomic(pid_t) *pen; /* the process that writes a line, of all workers; 0: none */
    pid_t relay;         /* the process that waits in our place; 0: none */
    pid_t relay_parent;
    metric *lost; /* NULL: not yet */
    int64_t counted, told;
};

/* ── Writing ────────────────────────────────────────────────────────────────────────────────── */

static ssize_t write_some(const struct log *log, const char *data, size_t size)
{
    return log->socket ? send(log->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL)
                       : write(log->fd, data, size);
}

/* False: another worker is in the middle of a line. */
static bool take_pen(struct log *log)
{
    pid_t nobody = 0;
    return atomic_compare_exchange_strong(log->pen, &nobody, log->pid);
}

static ssize_t send_line(void *user, const char *data, size_t size, bool begun)
{
    struct log *log = user;
    bool held = atomic_load(log->pen) == log->pid;
    if (log->fd < 0 || (!held && !take_pen(log))) {
        errno = EAGAIN;
        return -1;
    }
    /* A part of the previous line was written, and the rest can never be. */
    if (held && !begun && write_some(log, "\n", 1) < 0)
        return -1;
    ssize_t taken = write_some(log, data, size);
    if (taken == (ssize_t)size || (taken < 0 && !begun))
        atomic_store(log->pen, 0);
    return taken;
}

/* ── The journal ────────────────────────────────────────────────────────────────────────────── */

/* systemd.exec(5), $JOURNAL_STREAM: stderr may have been redirected since. */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat status;
    return stream != NULL && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
           fstat(2, &status) == 0 && status.st_dev == device && status.st_ino == inode;
}

/* An entry too large for a datagram is sent as a sealed file. */
static int put_into_file(const char *data, size_t size)
{
    static const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
    int fd = memfd_create("log", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -1;
    if (write(fd, data, size) == (ssize_t)size && fcntl(fd, F_ADD_SEALS, seals) == 0)
        return fd;
    close_fd(&fd);
    return -1;
}

static ssize_t send_as_file(const struct log *log, const struct sockaddr_un *journal,
                            const char *data, size_t size)
{
    _cleanup_close_ int fd = put_into_file(data, size);
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
    struct msghdr header = {.msg_name = (void *)(uintptr_t)journal,
                            .msg_namelen = sizeof(*journal),
                            .msg_control = control,
                            .msg_controllen = sizeof(control)};
    if (fd < 0)
        return -1;
    struct cmsghdr *message = CMSG_FIRSTHDR(&header);
    message->cmsg_level = SOL_SOCKET;
    message->cmsg_type = SCM_RIGHTS;
    message->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(message), &fd, sizeof(fd));
    return sendmsg(log->fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -1 : (ssize_t)size;
}

static ssize_t send_entry(void *user, const char *data, size_t size, bool begun)
{
    static const struct sockaddr_un journal = {.sun_family = AF_UNIX,
                                               .sun_path = "/run/systemd/journal/socket"};
    const struct log *log = user;
    (void)begun;
    ssize_t sent = sendto(log->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL,
                          (const struct sockaddr *)&journal, sizeof(journal));
    if (sent < 0 && (errno == EMSGSIZE || errno == ENOBUFS))
        return send_as_file(log, &journal, data, size);
    return sent;
}

/* ── Opening ────────────────────────────────────────────────────────────────────────────────── */

static void open_journal(struct log *log)
{
    static const int room = 8 * 1024 * 1024; /* as libsystemd asks for */
    log->format = log_format_journal;
    log->outbox.send = send_entry;
    log->own = true;
    log->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    setsockopt(log->fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
}

static void open_stream(struct log *log)
{
    struct stat status = {0};
    log->format = isatty(2) ? log_format_people : log_format_json;
    log->outbox.send = send_line;
    fstat(2, &status);
    log->socket = S_ISSOCK(status.st_mode);
    log->own = S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode);
    log->fd = !log->own ? 2 : open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/* Logs how many records were lost, once records are taken again. */
static void say_lost(void *user)
{
    struct log *log = user;
    int64_t lost = log->outbox.lost, told = log->told;
    const struct log_field field = {.name = "lost", .number = lost - told};
    if (lost == told)
        return;
    log->told = lost;
    log_record(log, LOG_WARNING, "records of the log were lost here, because nobody read them",
               &field, 1);
    if (log->outbox.lost == lost)
        return;
    log->outbox.lost = log->counted = lost; /* the record about the loss does not count */
    log->told = told;
}

struct log *log_open(void)
{
    struct log *log = calloc(1, sizeof(*log));
    if (log == NULL)
        return NULL;
    *log = (struct log){.pid = getpid(),
                        .outbox = {.emptied = say_lost, .user = log, .bytes_max = KEPT_BYTES}};
    log->pen =
        mmap(NULL, sizeof(*log->pen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (log->pen == MAP_FAILED) {
        free(log);
        return NULL;
    }
    outbox_open(&log->outbox);
    if (stderr_is_journal())
        open_journal(log);
    else
        open_stream(log);
    return log;
}

/* ── The relay ──────────────────────────────────────────────────────────────────────────────── */

/* The relay has only the pipe and stderr. SIGTERM and similar signals are blocked: it ends with its
 * input. */
__attribute__((noreturn)) static void be_relay(const int ends[2], pid_t parent)
{
    char data[PIPE_BUF];
    ssize_t size, wrote = 0;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, "sandbox-log");
    if (getppid() != parent || dup2(ends[0], 0) < 0)
        _exit(1);
    close(ends[1]); /* even where close_range(2) does not exist */
    close_range(3, ~0U, 0);
    while ((size = read(0, data, sizeof(data))) > 0)
        for (ssize_t done = 0; done < size; done += wrote)
            if ((wrote = write(2, data + done, (size_t)(size - done))) < 0)
                _exit(1);
    _exit(0);
}

int log_begin(struct log *log)
{
    int ends[2];
    if (log->fd >= 0 || log->outbox.send != send_line)
        return 0;
    if (pipe2(ends, O_CLOEXEC) < 0 || fcntl(ends[1], F_SETFL, O_NONBLOCK) < 0)
        return -1;
    log->relay_parent = log->pid;
    log->relay = fork();
    if (log->relay == 0)
        be_relay(ends, log->relay_parent);
    close(ends[0]);
    log->fd = ends[1];
    return log->relay < 0 ? -1 : 0;
}

/* Waits until the relay has written everything. If its reader does not read, kills it. */
static void finish_relay(const struct log *log)
{
    static const struct timespec look = {.tv_nsec = 5000000};
    const int64_t end_us = monotonic_us() + LAST_MS * INT64_C(1000);
    while (waitpid(log->relay, NULL, WNOHANG) == 0) {
        if (monotonic_us() >= end_us)
            kill(log->relay, SIGKILL);
        nanosleep(&look, NULL);
    }
}

/* ── Coming and going ───────────────────────────────────────────────────────────────────────── */

int log_attach(struct log *log, struct loop *loop, metric *lost)
{
    log->lost = lost;
    return outbox_attach(&log->outbox, loop);
}

void log_detach(struct log *log)
{
    outbox_detach(&log->outbox);
}

void log_forked(struct log *log)
{
    log->pid = getpid();
    log->lost = NULL;
    outbox_forked(&log->outbox);
    log->counted = log->told = log->outbox.lost;
}

void log_writer_ended(struct log *log, pid_t pid)
{
    pid_t holder = pid;
    if (atomic_compare_exchange_strong(log->pen, &holder, log->pid) &&
        write_some(log, "\n", 1) == 1)
        atomic_store(log->pen, 0); /* else our next line does the same: see send_line */
}

void log_close(struct log *log)
{
    outbox_finish(&log->outbox, LAST_MS);
    outbox_free(&log->outbox);
    if (log->own)
        close_fd(&log->fd);
    if (log->relay > 0 && log->relay_parent == log->pid)
        finish_relay(log);
    munmap((void *)log->pen, sizeof(*log->pen));
    free(log);
}

/* ── Records ────────────────────────────────────────────────────────────────────────────────── */

void log_record(struct log *log, int priority, const char *message, const struct log_field *fields,
                size_t count)
{
    const struct log_entry entry = {priority, message, fields, count};
    int64_t before = log->outbox.lost;
    size_t size = 0;
    _cleanup_free_ char *text = log->format(&entry, &size);
    if (text != NULL)
        outbox_put(&log->outbox, text, size);
    else
        log->outbox.lost++;
    if (log->lost != NULL && log->outbox.lost > log->counted) {
        metrics_add(log->lost, log->outbox.lost - log->counted);
        log->counted = log->outbox.lost;
    }
    if (log->outbox.bytes == 0 && log->outbox.lost == before && before > log->told)
        say_lost(log);
}

void log_say(struct log *log, int priority, const char *format, ...)
{
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    log_record(log, priority, message, NULL, 0);
}
