/* See sources.h. A pipe is in the epoll only while its events are wanted. */
#include "core/sources.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "common/error.h"
#include "common/util.h"

/* ── Sources ───────────────────────────────────────────────────────────────────────────────── */

int source_watch(struct sb_run *run, enum source_kind kind, uint32_t events)
{
    struct source *source = &run->source[kind];
    int fd = source_fd(run, kind);
    if (fd < 0 || source->watched == events)
        return 0;
    int operation = source->watched == 0 ? EPOLL_CTL_ADD
                    : events == 0        ? EPOLL_CTL_DEL
                                         : EPOLL_CTL_MOD;
    struct epoll_event event = {.events = events, .data.ptr = source};
    if (epoll_ctl(run->sandbox->epoll, operation, fd, &event) < 0)
        return -1;
    source->watched = events;
    return 0;
}

void source_close(struct sb_run *run, enum source_kind kind)
{
    source_watch(run, kind, 0);
    if (kind >= PROCESS_FDS || run->process.fd[kind] < 0)
        return;
    close_fd(&run->source[kind].spent); /* a listener's socket is, when the listener comes late */
    if (run->evidence.alone)            /* somebody waits for the verdict, and closing takes time */
        run->source[kind].spent = steal_fd(&run->process.fd[kind]);
    else
        close_fd(&run->process.fd[kind]);
}

void sources_close(struct sb_run *run)
{
    for (int kind = 0; kind < SOURCES; kind++) {
        source_close(run, (enum source_kind)kind);
        close_fd(&run->source[kind].spent);
    }
}

ssize_t message_receive(int socket, void *message, size_t size, bool take, int *fd)
{
    union {
        char room[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    struct iovec part = {message, size};
    struct msghdr header = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control.room,
                            .msg_controllen = take ? sizeof(control.room) : 0};
    *fd = -1;
    ssize_t n = recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    struct cmsghdr *cmsg = n > 0 ? CMSG_FIRSTHDR(&header) : NULL;
    if (cmsg != NULL && cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS)
        memcpy(fd, CMSG_DATA(cmsg), sizeof(*fd));
    else if (n > 0 && (header.msg_flags & MSG_CTRUNC) != 0)
        *fd = take ? -1 : FD_DROPPED; /* a descriptor came, and too many are open already */
    return n;
}

ssize_t message_send(int socket, struct iovec *parts, size_t parts_count, const int *fds,
                     size_t fds_count, int flags)
{
    union {
        char room[CMSG_SPACE(MESSAGE_FDS_MAX * sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    struct msghdr header = {.msg_iov = parts, .msg_iovlen = parts_count};
    if (fds_count > 0) {
        header.msg_control = control.room;
        header.msg_controllen = CMSG_SPACE(fds_count * sizeof(int));
        struct cmsghdr *cmsg = CMSG_FIRSTHDR(&header);
        *cmsg = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
                                 .cmsg_type = SCM_RIGHTS,
                                 .cmsg_len = CMSG_LEN(fds_count * sizeof(int))};
        memcpy(CMSG_DATA(cmsg), fds, fds_count * sizeof(int));
    }
    return sendmsg(socket, &header, flags | MSG_NOSIGNAL);
}

int sources_listen(struct sb_run *run)
{
    static const enum source_kind kinds[] = {SOURCE_STDOUT, SOURCE_STDERR, SOURCE_RESULT,
                                             SOURCE_CHANNEL, SOURCE_DENIED};
    struct sb_error ignored; /* the caller reads errno */
    if (run->listened)
        return 0;
    run->listened = true;
    /* A warm run's stdin waits until its child has the job: until then another child may get it. */
    if (run->warm_job == NULL && stdin_next(run, &ignored) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (source_watch(run, kinds[i], EPOLLIN) < 0)
            return -1;
    return 0;
}

/* ── What the script writes ────────────────────────────────────────────────────────────────── */

static void count_moved(struct sb_run *run, size_t size)
{
    run->moved_bytes += (int64_t)size;
    run->sandbox->own.moved_bytes += (int64_t)size;
}

static int take_output(struct sb_run *run, enum sb_stream which, const char *data, size_t size,
                       struct sb_error *err)
{
    struct stream *stream = &run->stream[which];
    if (stream_keep(stream, data, size) < 0)
        return sb_fail(err, "output", ENOMEM, "out of memory (the script's output)");
    size_t ready = run->asked.on_output != NULL ? stream_ready(stream) : 0;
    if (ready > 0) {
        run->asked.on_output(run->asked.user, which, stream->head, ready);
        stream_handed(stream, ready);
    }
    return 0;
}

/* Takes the displays of a cell, which come before the runner's last message. Returns how many bytes
 * they were, or −1 with *err. */
static ssize_t take_displays(struct sb_run *run, const char *data, size_t size,
                             struct sb_error *err)
{
    const struct asked *asked = &run->asked;
    const struct displays_limits limits = {asked->limits.value[SB_DISPLAYS],
                                           asked->limits.value[SB_DISPLAY_BYTES]};
    if (!asked->notebook)
        return 0;
    ssize_t taken =
        displays_take(&run->displays, &limits, data, size, asked->on_display, asked->user);
    return taken >= 0 ? taken : sb_fail(err, "display", ENOMEM, "out of memory (a display)");
}

static int take_message(struct sb_run *run, const char *data, size_t size, struct sb_error *err)
{
    struct evidence *evidence = &run->evidence;
    ssize_t taken = take_displays(run, data, size, err);
    if (taken < 0 || (size_t)taken == size)
        return taken < 0 ? -1 : 0;
    data += taken;
    size -= (size_t)taken;
    /* Room for "R", the text and its final NUL. The name of an exception fits under any limit. */
    size_t room = (size_t)MAX(run->asked.limits.value[SB_RESULT_BYTES], EXCEPTION_NAME_MAX) + 2;
    if (evidence->message_size + size >= room) {
        evidence->message_too_long = true;
        return 0;
    }
    char *message = realloc(evidence->message, evidence->message_size + size + 1);
    if (message == NULL)
        return sb_fail(err, "result", ENOMEM, "out of memory (the script's result)");
    memcpy(message + evidence->message_size, data, size);
    evidence->message = message;
    evidence->message_size += size;
    message[evidence->message_size] = '\0';
    return 0;
}

/* Reads up to `most` bytes from one of the script's three pipes, and closes it at its end. Returns
 * how many, or −1 with *err. */
static ssize_t read_some(struct sb_run *run, enum source_kind kind, size_t most,
                         struct sb_error *err)
{
    char *buffer = run->sandbox->buffer;
    if (run->process.fd[kind] < 0)
        return 0;
    ssize_t n = read(run->process.fd[kind], buffer, MIN(most, (size_t)READ_SIZE));
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n <= 0) {
        source_close(run, kind);
        return 0;
    }
    count_moved(run, (size_t)n);
    enum sb_stream which = kind == SOURCE_STDOUT ? SB_STDOUT : SB_STDERR;
    int taken = kind == SOURCE_RESULT ? take_message(run, buffer, (size_t)n, err)
                                      : take_output(run, which, buffer, (size_t)n, err);
    return taken < 0 ? -1 : n;
}

/* How many bytes a pipe has to read. */
static size_t waiting_in(int pipe)
{
    int count = 0;
    return ioctl(pipe, FIONREAD, &count) == 0 && count > 0 ? (size_t)count : 0;
}

/* Reads from a pipe, and before that what the script wrote to stdout earlier. The pipe's bytes are
 * counted before stdout is read: whatever the script wrote to stdout before them is then in its
 * pipe. We read no more than was there from either, since a script may write for ever. */
static int read_after_stdout(struct sb_run *run, enum source_kind kind, struct sb_error *err)
{
    size_t most = waiting_in(run->process.fd[kind]);
    size_t before = waiting_in(run->process.fd[SOURCE_STDOUT]);
    ssize_t n = 1;
    for (; before > 0 && n > 0 && run->source[SOURCE_STDOUT].watched != 0; before -= (size_t)n) {
        n = read_some(run, SOURCE_STDOUT, before, err);
        if (n < 0)
            return -1;
    }
    n = read_some(run, kind, most > 0 ? most : READ_SIZE, err);
    return n < 0 ? -1 : n > 0;
}

int source_read_stderr(struct sb_run *run, struct sb_error *err)
{
    return read_after_stdout(run, SOURCE_STDERR, err);
}

int source_read(struct sb_run *run, enum source_kind kind, struct sb_error *err)
{
    if (kind == SOURCE_RESULT && run->asked.on_display != NULL)
        return read_after_stdout(run, kind, err);
    ssize_t n = read_some(run, kind, READ_SIZE, err);
    return n < 0 ? -1 : n > 0;
}

/* ── What the script reads ─────────────────────────────────────────────────────────────────── */

static int watch_stdin(struct sb_run *run, uint32_t events, struct sb_error *err)
{
    return source_watch(run, SOURCE_STDIN, events) == 0
               ? 0
               : sb_fail(err, "stdin", errno,
                         "cannot watch the script's stdin: %m; raise fs.epoll.max_user_watches");
}

int stdin_next(struct sb_run *run, struct sb_error *err)
{
    struct feed *feed = &run->feed;
    if (feed_done(feed)) {
        source_close(run, SOURCE_STDIN);
        return 0;
    }
    bool hungry = feed_hungry(feed);
    /* While the feed is hungry, only EPOLLERR matters, which is always reported: the script has
     * closed its stdin. */
    if (watch_stdin(run, hungry ? EPOLLET : EPOLLOUT, err) < 0)
        return -1;
    if (source_watch(run, SOURCE_FEED, hungry ? EPOLLIN : 0) == 0 || !hungry)
        return 0;
    if (errno != EPERM)
        return sb_fail(
            err, "stdin", errno,
            "cannot watch what feeds the script's stdin: %m; raise fs.epoll.max_user_watches");
    /* A regular file: always ready, so epoll does not take it. */
    feed_read(feed);
    if (!feed_done(feed))
        return watch_stdin(run, EPOLLOUT, err);
    source_close(run, SOURCE_STDIN);
    return 0;
}

int stdin_on_feed(struct sb_run *run, struct sb_error *err)
{
    /* Take it out of the epoll first: feed_read closes the descriptor at its end. */
    source_watch(run, SOURCE_FEED, 0);
    feed_read(&run->feed);
    return stdin_next(run, err);
}

int stdin_on_pipe(struct sb_run *run, uint32_t events, struct sb_error *err)
{
    size_t done = run->feed.done;
    if ((events & EPOLLERR) || feed_write(&run->feed, run->process.fd[SOURCE_STDIN]) < 0) {
        source_watch(run, SOURCE_FEED, 0);
        feed_free(&run->feed);
        source_close(run, SOURCE_STDIN);
        return 0;
    }
    count_moved(run, run->feed.done - done);
    return stdin_next(run, err);
}
