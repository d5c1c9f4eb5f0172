/* One epoll loop for all that a worker waits for: connections, jobs, timers, signals.
 *
 * No handler may wait: meanwhile no timer could kill a job. Readers may stop reading, so all writes
 * to them are made without waiting:
 *
 *     the log, the journal, the service manager   through an outbox (outbox.h)
 *     clients                                     SOCK_NONBLOCK from accept4 on (accept.c)
 *     the parent of workers                       a pipe with O_NONBLOCK (workers.c)
 *     the standard input of jobs                  a pipe with O_NONBLOCK (core/launch.c)
 *     zygotes and the jobs' channels              MSG_DONTWAIT, or the first bytes of a new socket
 *     the kernel: cgroups, id maps, netlink       has no reader */
#ifndef SERVE_LOOP_H
#define SERVE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "sandbox.h"

struct loop;

/* A descriptor that the loop waits for. The caller owns it, and closes the descriptor after
 * loop_remove. */
struct watch {
    int fd;
    void (*ready)(void *user, uint32_t events);
    void *user;
};

int loop_open(struct loop **loop, struct sb_error *err);
void loop_close(struct loop *loop);

/* `events`: as for epoll_ctl(2). Returns −1 with errno. */
int loop_add(struct loop *loop, struct watch *watch, uint32_t events);
/* Safe within any handler: pending events for this watch are dropped. */
void loop_remove(struct loop *loop, struct watch *watch);

/* Sets what is called after each round of events, before the loop sleeps again: work that several
 * events of one round should share. */
void loop_on_round(struct loop *loop, void (*round)(void *user), void *user);

/* Runs until loop_stop. It may run again afterwards. */
int loop_run(struct loop *loop, struct sb_error *err);
void loop_stop(struct loop *loop);

/* A one-shot timer on a descriptor of its own. */
struct timer {
    struct watch watch;
    void (*expired)(void *user);
    void *user;
    bool armed;
};
int timer_open(struct timer *timer, struct loop *loop, void (*expired)(void *user), void *user);
/* In milliseconds from now; −1 disarms it. */
void timer_set(struct timer *timer, int64_t in_ms);
/* The timer goes on in another loop. −1 with errno: it is in none, and is to be closed. */
int timer_move(struct timer *timer, struct loop *from, struct loop *to);
void timer_close(struct timer *timer, struct loop *loop);

#endif
