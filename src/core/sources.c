/* What flows between a script and its supervisor: output and result come in, stdin goes out. Each
 * is a source in the epoll as long as it is wanted there. */
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "common/util.h"
#include "core/run.h"

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* ── Sources ───────────────────────────────────────────────────────────────────────────────── */

/* Asks for events of a source; 0 takes it out of the epoll. Returns −1 with errno. */
int source_watch(struct sb_run *run, enum source_kind kind, uint32_t events)
{
    struct source *source = &run->source[kind];
    if (source->fd < 0 || source->watched == events)
        return 0;
    int operation = source->watched == 0 ? EPOLL_CTL_ADD
                    : events == 0        ? EPOLL_CTL_DEL
                                         : EPOLL_CTL_MOD;
    struct epoll_event event = {.events = events, .data.ptr = source};
    if (epoll_ctl(run->sandbox->epoll, operation, source->fd, &event) < 0)
        return -1;
    source->watched = events;
    return 0;
}

void source_close(struct sb_run *run, enum source_kind kind)
{
    struct source *source = &run->source[kind];
    if (source->fd < 0)
        return;
    source_watch(run, kind, 0);
    if (run->alone) /* somebody waits for the verdict */
        source->spent = steal_fd(&source->fd);
    else
        close_fd(&source->fd);
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
        *fd = take ? -1 : FD_DROPPED; /* too many are open already */
    return n;
}

int sources_listen(struct sb_run *run)
{
    static const enum source_kind kinds[] = {SOURCE_STDOUT, SOURCE_STDERR, SOURCE_RESULT,
                                             SOURCE_CHANNEL, SOURCE_DENIED};
    if (run->listened)
        return 0;
    run->listened = true;
    if (run->warm_job == NULL) /* else when it has its job: until then another may get it */
        stdin_next(run);
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

static void take_output(struct sb_run *run, enum sb_stream which, const char *data, size_t size)
{
    struct stream *stream = &run->stream[which];
    if (stream_keep(stream, data, size) < 0)
        run_fail(run, "no memory for the script's output");
    size_t ready = run->on_output != NULL ? stream_ready(stream) : 0;
    if (ready > 0) {
        run->on_output(run->user, which, stream->head, ready);
        stream_handed(stream, ready);
    }
    if (run->policy->output_kills && stream->written > run->limits.value[SB_OUTPUT_BYTES])
        run_kill(run, CAUSE_OUTPUT);
}

static void take_message(struct sb_run *run, const char *data, size_t size)
{
    /* "R", the text, and the NUL that ends it; the name of an exception fits under any limit. */
    size_t room = (size_t)MAX(run->limits.value[SB_RESULT_BYTES], EXCEPTION_NAME_MAX) + 2;
    if (run->message_size + size >= room) {
        run->message_too_long = true;
        return;
    }
    char *message = realloc(run->message, run->message_size + size + 1);
    if (message == NULL) {
        run_fail(run, "no memory for the script's result");
        return;
    }
    memcpy(message + run->message_size, data, size);
    run->message = message;
    run->message_size += size;
    message[run->message_size] = '\0';
}

/* Reads up to `most` bytes from one of the three pipes; closes it at its end. Returns how many. */
static size_t read_some(struct sb_run *run, enum source_kind kind, size_t most)
{
    struct source *source = &run->source[kind];
    if (source->fd < 0)
        return 0;
    ssize_t n = read(source->fd, run->sandbox->buffer, MIN(most, (size_t)READ_SIZE));
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n <= 0) {
        source_close(run, kind);
        return 0;
    }
    count_moved(run, (size_t)n);
    if (kind == SOURCE_RESULT)
        take_message(run, run->sandbox->buffer, (size_t)n);
    else
        take_output(run, kind == SOURCE_STDOUT ? SB_STDOUT : SB_STDERR, run->sandbox->buffer,
                    (size_t)n);
    return (size_t)n;
}

bool source_read(struct sb_run *run, enum source_kind kind)
{
    return read_some(run, kind, READ_SIZE) > 0;
}

/* How many bytes there are to read. */
static size_t waiting_in(const struct source *source)
{
    int count = 0;
    return ioctl(source->fd, FIONREAD, &count) == 0 && count > 0 ? (size_t)count : 0;
}

/* Stderr's bytes are counted before stdout is read: whatever the script wrote to stdout before them
 * is in its pipe by then. Of either no more than was there, as a script may write for ever. */
void source_read_stderr(struct sb_run *run)
{
    const struct source *out = &run->source[SOURCE_STDOUT];
    size_t most = waiting_in(&run->source[SOURCE_STDERR]), n = 1;
    for (size_t before = waiting_in(out); before > 0 && n > 0 && out->watched != 0; before -= n)
        n = read_some(run, SOURCE_STDOUT, before);
    read_some(run, SOURCE_STDERR, most > 0 ? most : READ_SIZE);
}

void sb_pause(struct sb_run *run, enum sb_stream stream, bool paused)
{
    if (run == NULL || (unsigned)stream >= SB_STREAMS)
        return;
    enum source_kind kind = stream == SB_STDOUT ? SOURCE_STDOUT : SOURCE_STDERR;
    if (source_watch(run, kind, paused ? 0 : EPOLLIN) < 0) {
        /* Never to be read again: then it must not keep the verdict waiting. */
        run_fail(run, "cannot watch the script's output");
        source_close(run, kind);
    }
}

/* ── What the script reads ─────────────────────────────────────────────────────────────────── */

/* Decides what to wait for next: room in the script's pipe, or more from the source. */
void stdin_next(struct sb_run *run)
{
    struct feed *feed = &run->feed;
    run->source[SOURCE_FEED].fd = feed->source;
    if (feed_done(feed)) {
        source_close(run, SOURCE_STDIN);
        return;
    }
    bool hungry = feed_hungry(feed);
    /* While hungry, only the script's closing it (EPOLLERR, always reported) is of interest. */
    if (source_watch(run, SOURCE_STDIN, hungry ? EPOLLET : EPOLLOUT) < 0)
        run_fail(run, "cannot watch the script's stdin");
    if (source_watch(run, SOURCE_FEED, hungry ? EPOLLIN : 0) == 0 || !hungry)
        return;
    if (errno != EPERM) {
        run_fail(run, "cannot watch what feeds the script's stdin");
        return;
    }
    /* A regular file, which epoll does not take because it is always ready. */
    feed_read(feed);
    run->source[SOURCE_FEED].fd = feed->source;
    if (feed_done(feed))
        source_close(run, SOURCE_STDIN);
    else if (source_watch(run, SOURCE_STDIN, EPOLLOUT) < 0)
        run_fail(run, "cannot watch the script's stdin");
}

void stdin_on_feed(struct sb_run *run)
{
    /* Out of the epoll first: feed_read closes the descriptor at its end. */
    source_watch(run, SOURCE_FEED, 0);
    feed_read(&run->feed);
    stdin_next(run);
}

void stdin_on_pipe(struct sb_run *run, uint32_t events)
{
    size_t done = run->feed.done;
    if ((events & EPOLLERR) || feed_write(&run->feed, run->source[SOURCE_STDIN].fd) < 0) {
        source_watch(run, SOURCE_FEED, 0);
        run->source[SOURCE_FEED].fd = -1; /* an event of this turn must not read on */
        feed_free(&run->feed);
        source_close(run, SOURCE_STDIN);
        return;
    }
    count_moved(run, run->feed.done - done);
    stdin_next(run);
}
