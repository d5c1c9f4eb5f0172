/* A run's descriptors in the epoll, and what is read from its pipes and written to them. */
#ifndef SB_SOURCES_H
#define SB_SOURCES_H

#include <sys/uio.h>

#include "core/run.h"

/* The descriptor of a source; −1: closed. */
static inline int source_fd(const struct sb_run *run, enum source_kind kind)
{
    return kind == SOURCE_FEED  ? run->feed.source
           : kind == SOURCE_OOM ? run->process.cgroup.oom_event
                                : run->process.fd[kind];
}

/* Asks for events of a source; 0 takes it out of the epoll. Returns −1 with errno. */
int source_watch(struct sb_run *run, enum source_kind kind, uint32_t events);
/* Takes a source out of the epoll, and closes its descriptor if the process owns it. */
void source_close(struct sb_run *run, enum source_kind kind);

/* Begins to listen to a run's sources, unless this has been done. −1 with errno. */
int sources_listen(struct sb_run *run);
/* Closes all, also the descriptors that were kept open until after the verdict. */
void sources_close(struct sb_run *run);

/* Receives a message and the descriptor that comes with it, as recvmsg(2) does. *fd is −1 if none
 * came, and FD_DROPPED if one came and `take` is false, which costs less. */
#define FD_DROPPED (-2)
ssize_t message_receive(int socket, void *message, size_t size, bool take, int *fd);

#define MESSAGE_FDS_MAX 16
/* Sends a message and `fds_count` descriptors with it, as sendmsg(2) with `flags` and without
 * SIGPIPE does. */
ssize_t message_send(int socket, struct iovec *parts, size_t parts_count, const int *fds,
                     size_t fds_count, int flags);

/* Reads once from one of the script's three pipes, and closes it at its end; displays that are
 * handed over come after what the script wrote to stdout before. 1: something was read;
 * 0: there is nothing now; −1: out of memory, *err says for what. */
int source_read(struct sb_run *run, enum source_kind kind, struct sb_error *err);
/* The same for stderr, after what the script wrote to stdout before, unless stdout is paused: on a
 * terminal a traceback must come after what was printed. */
int source_read_stderr(struct sb_run *run, struct sb_error *err);

/* Decides what stdin waits for next: room in the script's pipe, or more bytes from its source. −1:
 * it cannot wait for that, *err says why. */
int stdin_next(struct sb_run *run, struct sb_error *err);
/* Handle events of SOURCE_FEED and SOURCE_STDIN. Errors as of stdin_next. */
int stdin_on_feed(struct sb_run *run, struct sb_error *err);
int stdin_on_pipe(struct sb_run *run, uint32_t events, struct sb_error *err);

#endif
