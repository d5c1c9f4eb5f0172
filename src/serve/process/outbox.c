/* See outbox.h. No event tells for all kinds of readers that they read again (a pipe has one, the
 * journal has none). So a timer tries again: less and less often while nothing is taken. */
#include "serve/process/outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/util.h"

enum { WAIT_MIN_MS = 1, WAIT_MAX_MS = 1000, FINISH_LOOK_MS = 5 };

struct message {
    STAILQ_ENTRY(message) link;
    size_t size, done;
    char data[];
};

/* Whether sending may succeed later: a full disk is emptied, a journal is started again. */
static bool is_temporary(int error)
{
    static const int temporary[] = {EAGAIN, EINTR,        ENOBUFS, ENOMEM, ENOSPC, EDQUOT,
                                    EFBIG,  ECONNREFUSED, ENOENT,  EMFILE, ENFILE, ENOTCONN};
    for (size_t i = 0; i < ARRAY_LEN(temporary); i++)
        if (temporary[i] == error)
            return true;
    return false;
}

static void plan_retry(struct outbox *outbox, bool moved)
{
    if (outbox->loop == NULL)
        return;
    int64_t wait = moved || outbox->wait_ms == 0 ? WAIT_MIN_MS : outbox->wait_ms * 2;
    outbox->wait_ms = wait < WAIT_MAX_MS ? wait : WAIT_MAX_MS;
    timer_set(&outbox->retry, outbox->wait_ms);
}

enum offered { TAKEN, LATER, LOST };

/* Adds to *done how many bytes are taken. */
static enum offered offer(struct outbox *outbox, const char *data, size_t size, size_t *done)
{
    ssize_t taken = outbox->send(outbox->user, data + *done, size - *done, *done > 0);
    if (taken < 0)
        return is_temporary(errno) ? LATER : LOST;
    *done += (size_t)taken;
    return *done < size ? LATER : TAKEN;
}

/* A message that has been sent in part is always kept: the reader would take the next message for
 * the rest of it. */
static bool keep_message(struct outbox *outbox, const char *data, size_t size, size_t done)
{
    bool room = done > 0 || outbox->bytes == 0 || outbox->bytes + size <= outbox->bytes_max;
    struct message *message = room ? malloc(sizeof(*message) + size) : NULL;
    if (message == NULL)
        return false;
    message->size = size;
    message->done = done;
    memcpy(message->data, data, size);
    outbox->bytes += size;
    STAILQ_INSERT_TAIL(&outbox->messages, message, link);
    return true;
}

static void remove_first(struct outbox *outbox)
{
    struct message *message = STAILQ_FIRST(&outbox->messages);
    STAILQ_REMOVE_HEAD(&outbox->messages, link);
    outbox->bytes -= message->size;
    free(message);
}

void outbox_flush(struct outbox *outbox)
{
    struct message *message;
    bool moved = false;
    while ((message = STAILQ_FIRST(&outbox->messages)) != NULL) {
        size_t before = message->done;
        enum offered offered = offer(outbox, message->data, message->size, &message->done);
        moved = moved || message->done > before;
        if (offered == LATER)
            break;
        outbox->lost += offered == LOST;
        remove_first(outbox);
        if (outbox->bytes == 0 && outbox->emptied != NULL)
            outbox->emptied(outbox->user);
    }
    if (message != NULL)
        plan_retry(outbox, moved);
}

static void retry(void *user)
{
    outbox_flush(user);
}

void outbox_put(struct outbox *outbox, const void *data, size_t size)
{
    size_t done = 0;
    enum offered offered = LATER;
    if (outbox->loop == NULL)
        outbox_flush(outbox);
    if (outbox->bytes == 0) /* never before kept messages */
        offered = offer(outbox, data, size, &done);
    if (offered == LATER) {
        offered = keep_message(outbox, data, size, done) ? TAKEN : LOST;
        if (offered == TAKEN && outbox->bytes == size)
            plan_retry(outbox, true);
    }
    outbox->lost += offered == LOST;
}

void outbox_finish(struct outbox *outbox, int64_t time_ms)
{
    static const struct timespec look = {.tv_nsec = FINISH_LOOK_MS * 1000000};
    const int64_t end_us = monotonic_us() + time_ms * 1000;
    for (outbox_flush(outbox); outbox->bytes > 0 && monotonic_us() < end_us; outbox_flush(outbox))
        nanosleep(&look, NULL);
}

void outbox_free(struct outbox *outbox)
{
    while (!STAILQ_EMPTY(&outbox->messages))
        remove_first(outbox);
}

void outbox_forked(struct outbox *outbox)
{
    outbox_free(outbox);
    if (outbox->loop != NULL)
        close_fd(&outbox->retry.watch.fd); /* the parent shares the loop's epoll set */
    outbox->loop = NULL;
}

void outbox_open(struct outbox *outbox)
{
    STAILQ_INIT(&outbox->messages);
}

int outbox_attach(struct outbox *outbox, struct loop *loop)
{
    if (timer_open(&outbox->retry, loop, retry, outbox) < 0)
        return -1;
    outbox->loop = loop;
    if (outbox->bytes > 0)
        plan_retry(outbox, true);
    return 0;
}

void outbox_detach(struct outbox *outbox)
{
    if (outbox->loop != NULL)
        timer_close(&outbox->retry, outbox->loop);
    outbox->loop = NULL;
}
