/* HAProxy's agent checks: each connection is answered with one line and closed, so none is ever
 * kept.
 *
 *     up ready 75%   a quarter of the slots is taken; HAProxy multiplies the server's weight by it
 *     drain          it is about to stop: no new requests, those under way go on
 *     down           no job can run
 *
 * https://docs.haproxy.org/2.6/configuration.html#5.2-agent-check: "up" and "ready" take back what
 * "down" and "drain" have said before. */
#include "serve/agent.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/error.h"
#include "serve/jobs/health.h"
#include "serve/process/readiness.h"

enum { ANSWERS_AT_ONCE = 16, RETRY_MS = 100 };

struct agent_door {
    struct agent *agent;
    struct watch watch;
    bool open; /* the loop waits for it */
};

struct agent {
    struct agent_setup setup;
    struct timer retry; /* opens the doors again */
    size_t count;
    struct agent_door doors[]; /* one for each listener */
};

/* Returns the size of the line. */
static size_t state_line(const struct readiness *readiness, char *text, size_t size)
{
    int length;
    if (readiness->stage != STAGE_SERVES)
        length = snprintf(text, size, "drain\n");
    else if (readiness->failing)
        length = snprintf(text, size, "down\n");
    else
        length = snprintf(text, size, "up ready %d%%\n", readiness_free_percent(readiness));
    return (size_t)length;
}

/* The line always fits into the buffer of a new socket. */
static void answer(const struct agent *agent, int fd)
{
    char text[32], asked[256];
    const struct readiness readiness = readiness_of(agent->setup.metrics, agent->setup.workers);
    size_t size = state_line(&readiness, text, sizeof(text));
    (void)!send(fd, text, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    /* What has come ("agent-send") is read: otherwise close() would reset the connection. */
    (void)!recv(fd, asked, sizeof(asked), MSG_DONTWAIT);
    close(fd);
}

static void close_doors(struct agent *agent)
{
    for (size_t i = 0; i < agent->count; i++)
        if (agent->doors[i].open)
            loop_remove(agent->setup.loop, &agent->doors[i].watch);
    for (size_t i = 0; i < agent->count; i++)
        agent->doors[i].open = false;
}

/* Each check wakes all workers: the kernel might choose one that hangs, and all have to look
 * whether they can run jobs. */
static int open_doors(struct agent *agent)
{
    for (size_t i = 0; i < agent->count; i++) {
        struct agent_door *door = &agent->doors[i];
        if (loop_add(agent->setup.loop, &door->watch, EPOLLIN) < 0)
            return -1;
        door->open = true;
    }
    return 0;
}

static void retry(void *user)
{
    struct agent *agent = user;
    if (open_doors(agent) < 0) {
        close_doors(agent);
        timer_set(&agent->retry, RETRY_MS);
    }
}

static void door_ready(void *user, uint32_t events)
{
    (void)events;
    struct agent_door *door = user;
    struct agent *agent = door->agent;
    health_refresh(agent->setup.service);
    for (int i = 0; i < ANSWERS_AT_ONCE; i++) {
        int fd = accept4(door->watch.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            answer(agent, fd);
        } else if (errno == EAGAIN) {
            return;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            /* There is no descriptor left: the loop must not turn for nothing until there is. */
            close_doors(agent);
            timer_set(&agent->retry, RETRY_MS);
            return;
        }
    }
}

int agent_open(struct agent **result, const struct agent_setup *setup, struct sb_error *err)
{
    const struct listeners *listeners = setup->listeners;
    if (listeners->count == 0)
        return 0;
    struct agent *agent = calloc(1, sizeof(*agent) + listeners->count * sizeof(agent->doors[0]));
    if (agent == NULL)
        return sb_fail(err, "agent", 0, "out of memory (the agent)");
    agent->setup = *setup;
    agent->count = listeners->count;
    for (size_t i = 0; i < agent->count; i++)
        agent->doors[i] = (struct agent_door){
            agent, {listeners->list[i].fd, door_ready, &agent->doors[i]}, false};
    *result = agent;
    if (timer_open(&agent->retry, setup->loop, retry, agent) < 0 || open_doors(agent) < 0)
        return sb_fail(err, "agent", errno, "can't wait for connections to --agent");
    return 0;
}

void agent_close(struct agent *agent)
{
    if (agent == NULL)
        return;
    close_doors(agent);
    timer_close(&agent->retry, agent->setup.loop);
    free(agent);
}
