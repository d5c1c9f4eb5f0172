/* See zygote_pair.h. zygote_process.c starts a zygote; zygote.c and zygote.py run inside it. */
#include "warm/zygote_pair.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/error.h"
#include "common/util.h"
#include "zygote/protocol.h"

/* A zygote that died, or whose children die, is started again after 100 ms; after each further
 * failure it takes twice as long, up to ten seconds. The count starts again when a child takes its
 * job, or when a zygote has lived for a second. */
#define RETRY_US INT64_C(100000)
#define RETRY_MAX_US (10 * INT64_C(1000000))
#define LIVED_US INT64_C(1000000)
/* About five times what a zygote takes to start. */
#define START_US INT64_C(500000)

static struct zygote *serving(struct pool *pool)
{
    return &pool->zygotes[pool->serving];
}

/* The zygote that will take its place, or has been replaced. */
static struct zygote *other(struct pool *pool)
{
    return &pool->zygotes[1 - pool->serving];
}

static void retry_later(struct pool *pool)
{
    pool->retry_us = monotonic_us() + MIN(RETRY_US << MIN(pool->failures, 20), RETRY_MAX_US);
    pool->failures++;
}

static int watch(const struct pool *pool, struct source *source, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};
    if (epoll_ctl(pool->sandbox->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        return -1;
    source->watched = EPOLLIN;
    return 0;
}

static void unwatch(const struct pool *pool, struct source *source, int fd)
{
    if (source->watched != 0)
        epoll_ctl(pool->sandbox->epoll, EPOLL_CTL_DEL, fd, NULL);
    source->watched = 0;
}

static void clear(struct zygote *zygote)
{
    const struct source none = {.kind = SOURCE_WARM, .spent = -1};
    *zygote = (struct zygote){.process = {.pidfd = -1, .socket = -1, .errors = -1},
                              .source = none,
                              .death = none,
                              .started_us = monotonic_us()};
    TAILQ_INIT(&zygote->spawning.list);
    cgroup_job_init(&zygote->process.cgroup);
}

static void start_zygote(struct pool *pool, struct zygote *zygote)
{
    struct sb_error err;
    clear(zygote);
    if (zygote_start(&zygote->process, pool->sandbox, pool->policy, &err) == 0) {
        if (watch(pool, &zygote->source, zygote->process.socket) == 0 &&
            watch(pool, &zygote->death, zygote->process.pidfd) == 0)
            return;
        sb_fail(&err, "epoll", errno, "cannot watch a zygote: %m; raise fs.epoll.max_user_watches");
        unwatch(pool, &zygote->source, zygote->process.socket);
        zygote_stop(&zygote->process);
    }
    clear(zygote);
    snprintf(pool->reason, sizeof(pool->reason), "%s", err.message);
    retry_later(pool);
}

/* Makes the zygote's last line on stderr the reason, if there is one. */
static void read_errors(struct pool *pool, const struct zygote *zygote)
{
    char *text = pool->sandbox->buffer; /* about as large as a pipe */
    ssize_t n = read(zygote->process.errors, text, READ_SIZE - 1);
    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '))
        n--;
    if (n <= 0)
        return;
    text[n] = '\0';
    const char *line = strrchr(text, '\n');
    line = line != NULL ? line + 1 : text;
    if (strncmp(line, PRELOAD_BROKEN, strlen(PRELOAD_BROKEN)) == 0)
        snprintf(pool->broken, sizeof(pool->broken), "%.400s", line + strlen(PRELOAD_BROKEN));
    const char *number = strstr(line, ZYGOTE_ERRNO);
    if (number == NULL)
        snprintf(pool->reason, sizeof(pool->reason), "the zygote ended: %.400s", line);
    else
        snprintf(pool->reason, sizeof(pool->reason), "the zygote ended: %.*s: %s",
                 (int)(number - line), line, strerror(atoi(number + strlen(ZYGOTE_ERRNO))));
}

/* The children that it owes are lost; parked children live on without it. Jobs that wait for a
 * child start cold, if no other zygote is ready. */
static void stop_zygote(struct pool *pool, struct zygote *zygote)
{
    unwatch(pool, &zygote->source, zygote->process.socket);
    unwatch(pool, &zygote->death, zygote->process.pidfd);
    zygote->ready = false;
    zygote_kill(&zygote->process);
    pool_kill_spawning(pool, zygote);
    zygote_stop(&zygote->process);
    if (!serving(pool)->ready)
        pool_start_rest_cold(pool);
}

static void lose_zygote(struct pool *pool, struct zygote *zygote)
{
    if (zygote->ready && monotonic_us() - zygote->ready_us > LIVED_US)
        pool->failures = 0;
    stop_zygote(pool, zygote);
    retry_later(pool);
}

static void lose_dead(struct pool *pool, struct zygote *zygote)
{
    pool->broken[0] = '\0';
    snprintf(pool->reason, sizeof(pool->reason), "the zygote was ended from outside");
    read_errors(pool, zygote);
    lose_zygote(pool, zygote);
}

void zygote_pair_child_failed(struct pool *pool, const struct report *report)
{
    snprintf(pool->reason, sizeof(pool->reason), "step '%s' of a child failed: %s",
             inside_step_name(report->step), strerror(report->value));
    lose_zygote(pool, serving(pool));
}

static void become_ready(struct pool *pool, struct zygote *zygote)
{
    zygote->ready = true;
    zygote->ready_us = monotonic_us();
    pool->serving = (int)(zygote - pool->zygotes);
    pool->reason[0] = pool->broken[0] = '\0';
}

static void on_zygote(struct pool *pool, struct zygote *zygote)
{
    struct spawned spawned;
    ssize_t n;
    while (zygote->process.socket >= 0 &&
           (n = recv(zygote->process.socket, &spawned, sizeof(spawned), MSG_DONTWAIT)) ==
               sizeof(spawned)) {
        if (spawned.pid == 0) {
            become_ready(pool, zygote);
        } else if (pool_arrived(pool, zygote, spawned.pid, spawned.errnum) == 0) {
            zygote->children++;
        } else {
            lose_zygote(pool, zygote);
            return;
        }
    }
    if (zygote->process.socket >= 0 && (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)))
        lose_dead(pool, zygote);
}

static bool is_old(const struct zygote *zygote, const struct sb_warm_options *options)
{
    return zygote->ready && (zygote->children >= options->renew_jobs ||
                             monotonic_us() - zygote->ready_us > options->renew_ms * 1000);
}

bool zygote_pair_starting(const struct pool *pool)
{
    for (size_t i = 0; i < ARRAY_LEN(pool->zygotes); i++) {
        const struct zygote *zygote = &pool->zygotes[i];
        if (zygote->process.pid != 0 && !zygote->ready &&
            monotonic_us() - zygote->started_us < START_US)
            return true;
    }
    return false;
}

void zygote_pair_keep(struct pool *pool, const struct sb_warm_options *options, bool may_start)
{
    may_start = may_start && monotonic_us() >= pool->retry_us;
    struct zygote *old = other(pool);
    if (old->ready && old->spawning.count == 0)
        stop_zygote(pool, old);
    if (serving(pool)->process.pid == 0 && may_start)
        start_zygote(pool, serving(pool));
    else if (is_old(serving(pool), options) && old->process.pid == 0 && may_start)
        start_zygote(pool, old);
}

void zygote_pair_init(struct pool *pool)
{
    for (size_t i = 0; i < ARRAY_LEN(pool->zygotes); i++)
        clear(&pool->zygotes[i]);
}

void zygote_pair_close(struct pool *pool)
{
    for (size_t i = 0; i < ARRAY_LEN(pool->zygotes); i++)
        stop_zygote(pool, &pool->zygotes[i]);
}

bool zygote_pair_heard(struct pool *pool, const struct source *source)
{
    for (size_t i = 0; i < ARRAY_LEN(pool->zygotes); i++) {
        struct zygote *zygote = &pool->zygotes[i];
        if (source != &zygote->source && source != &zygote->death)
            continue;
        on_zygote(pool, zygote);
        if (source == &zygote->death && zygote->process.pid != 0)
            lose_dead(pool, zygote);
        return true;
    }
    return false;
}
