/* What a run listens to in the epoll, and what flows through its pipes. */
#ifndef SB_SOURCES_H
#define SB_SOURCES_H

#include "core/run.h"

/* The descriptor of a source; −1: it is closed. */
static inline int source_fd(const struct sb_run *run, enum source_kind kind)
{
    return kind == SOURCE_FEED  ? run->feed.source
           : kind == SOURCE_OOM ? run->process.cgroup.oom_event
                                : run->process.fd[kind];
}

/* Asks for events of a source; 0 takes it out of the epoll. Returns −1 with errno. */
int source_watch(struct sb_run *run, enum source_kind kind, uint32_t events);
/* Takes it out of the epoll, and closes a descriptor that is the process's. */
void source_close(struct sb_run *run, enum source_kind kind);

/* Begins to listen to what a run has to tell, if that has not been done. −1 with errno. */
int sources_listen(struct sb_run *run);
/* Closes all, also those that were left to be closed when nobody waits. */
void sources_close(struct sb_run *run);

/* Receives a message and the descriptor that comes with it: *fd, −1 when there is none, FD_DROPPED
 * when it was not to be taken, which costs less. As recvmsg(2). */
#define FD_DROPPED (-2)
ssize_t message_receive(int socket, void *message, size_t size, bool take, int *fd);

/* Reads once from one of the script's three pipes, and closes it at its end. 1: there was
 * something; 0: there is nothing more now; −1: out of memory, *err says for what. */
int source_read(struct sb_run *run, enum source_kind kind, struct sb_error *err);
/* The same for stderr, behind what has been written to stdout before, unless that is paused: on a
 * terminal a traceback comes after what was printed. */
int source_read_stderr(struct sb_run *run, struct sb_error *err);

/* Decides what stdin waits for next: room in the script's pipe, or more from what feeds it. −1: it
 * can't be waited for, *err says why. */
int stdin_next(struct sb_run *run, struct sb_error *err);
/* Events of SOURCE_FEED and SOURCE_STDIN. As stdin_next. */
int stdin_on_feed(struct sb_run *run, struct sb_error *err);
int stdin_on_pipe(struct sb_run *run, uint32_t events, struct sb_error *err);

#endif
