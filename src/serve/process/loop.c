/* One epoll loop. It waits for descriptors and calls their handlers, and knows nothing else of
 * them. */
#include "serve/process/loop.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "common/error.h"

enum { EVENTS = 64 };

struct loop {
    int fd;
    bool stopped;
    struct epoll_event events[EVENTS];
    int count, next;           /* of this round's events: how many, and which is handled next */
    void (*round)(void *user); /* after each round; NULL: nothing */
    void *round_user;
};

int loop_open(struct loop **result, struct sb_error *err)
{
    struct loop *loop = calloc(1, sizeof(*loop));
    if (loop == NULL)
        return sb_fail(err, "loop", errno, "out of memory (the event loop)");
    loop->fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->fd < 0) {
        int saved = errno;
        free(loop);
        return sb_fail(err, "loop", saved, "can't create an epoll descriptor");
    }
    *result = loop;
    return 0;
}

void loop_close(struct loop *loop)
{
    if (loop == NULL)
        return;
    close(loop->fd);
    free(loop);
}

int loop_add(struct loop *loop, struct watch *watch, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};
    return epoll_ctl(loop->fd, EPOLL_CTL_ADD, watch->fd, &event);
}

void loop_remove(struct loop *loop, struct watch *watch)
{
    epoll_ctl(loop->fd, EPOLL_CTL_DEL, watch->fd, NULL);
    for (int i = loop->next; i < loop->count; i++)
        if (loop->events[i].data.ptr == watch)
            loop->events[i].data.ptr = NULL;
}

void loop_on_round(struct loop *loop, void (*round)(void *user), void *user)
{
    loop->round = round;
    loop->round_user = user;
}

int loop_run(struct loop *loop, struct sb_error *err)
{
    while (!loop->stopped) {
        int count = epoll_wait(loop->fd, loop->events, EVENTS, -1);
        if (count < 0 && errno != EINTR)
            return sb_fail(err, "loop", errno, "can't wait for events");
        loop->count = count > 0 ? count : 0;
        for (loop->next = 0; loop->next < loop->count;) {
            const struct epoll_event *event = &loop->events[loop->next++];
            struct watch *watch = event->data.ptr;
            if (watch != NULL)
                watch->ready(watch->user, event->events);
        }
        if (loop->round != NULL && !loop->stopped)
            loop->round(loop->round_user);
    }
    loop->stopped = false;
    return 0;
}

void loop_stop(struct loop *loop)
{
    loop->stopped = true;
}

/* ── Timers ─────────────────────────────────────────────────────────────────────────────────── */

static void timer_ready(void *user, uint32_t events)
{
    (void)events;
    struct timer *timer = user;
    uint64_t times;
    /* If it was set again after it had expired, it has not expired now. */
    if (read(timer->watch.fd, &times, sizeof(times)) != sizeof(times))
        return;
    timer->armed = false;
    timer->expired(timer->user);
}

int timer_open(struct timer *timer, struct loop *loop, void (*expired)(void *user), void *user)
{
    *timer = (struct timer){
        .watch = {timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), timer_ready, timer},
        .expired = expired,
        .user = user};
    if (timer->watch.fd < 0)
        return -1;
    if (loop_add(loop, &timer->watch, EPOLLIN) == 0)
        return 0;
    int saved = errno;
    close(timer->watch.fd);
    timer->watch.fd = -1;
    errno = saved;
    return -1;
}

void timer_set(struct timer *timer, int64_t in_ms)
{
    struct itimerspec when = {0};
    if (in_ms < 0 && !timer->armed)
        return;
    timer->armed = in_ms >= 0;
    if (in_ms > 0) {
        when.it_value.tv_sec = in_ms / 1000;
        when.it_value.tv_nsec = in_ms % 1000 * 1000000;
    } else if (in_ms == 0) {
        when.it_value.tv_nsec = 1; /* zero would disarm it */
    }
    timerfd_settime(timer->watch.fd, 0, &when, NULL);
}

int timer_move(struct timer *timer, struct loop *from, struct loop *to)
{
    loop_remove(from, &timer->watch);
    return loop_add(to, &timer->watch, EPOLLIN);
}

void timer_close(struct timer *timer, struct loop *loop)
{
    if (timer->watch.user != timer || timer->watch.fd < 0)
        return;
    loop_remove(loop, &timer->watch);
    close(timer->watch.fd);
    timer->watch.fd = -1;
}
