/* See callback.h. A delivery is in the queue of its host, then it is sent; when that fails, it
 * waits in a heap for its next try. No host has more than its share of what is sent at once, so
 * that one that never answers holds up its own callbacks alone. */
#include "serve/jobs/callback.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>

#include "common/error.h"
#include "common/util.h"
#include "serve/jobs/callback_delivery.h"
#include "serve/jobs/heap.h"

enum {
    TRIES = 5,
    AT_ONCE = 32,         /* deliveries that are being sent, */
    AT_ONCE_FOR_HOST = 8, /* … of these, to one --callback-host */
    KEPT = 10000          /* that wait or are being sent */
};
#define KEPT_BYTES (64 * 1024 * 1024)

TAILQ_HEAD(deliveries, delivery);

struct host {
    struct deliveries queue;
    size_t sending;
};

struct callbacks {
    struct callbacks_setup setup;
    struct callback_hosts allowed;
    struct host *hosts; /* in the order of `allowed` */
    size_t turn;        /* the host that is looked at next */
    CURLM *multi;
    struct timer curl_timer, retry_timer;
    struct deliveries sending;
    struct heap waiting;
    size_t sending_count, kept, kept_bytes;
    bool draining;
};

/* A descriptor of curl's in our loop. */
struct socket_watch {
    struct watch watch;
    struct callbacks *callbacks;
};

static bool is_due_before(const void *a, const void *b)
{
    const struct delivery *one = a, *other = b;
    return one->due_us < other->due_us;
}

static void show(const struct callbacks *callbacks)
{
    metrics_set(&callbacks->setup.metrics->callbacks_waiting, (int64_t)callbacks->kept);
}

/* It is in no queue any more. */
static void forget(struct callbacks *callbacks, struct delivery *delivery)
{
    callbacks->kept--;
    callbacks->kept_bytes -= delivery->size;
    delivery_free(delivery);
    show(callbacks);
    if (callbacks->kept == 0 && callbacks->setup.idle != NULL)
        callbacks->setup.idle(callbacks->setup.user);
}

/* A URL may hold a secret of its own: the log has the host alone. */
static void give_up(struct callbacks *callbacks, struct delivery *delivery, const char *why)
{
    log_say(callbacks->setup.log, LOG_WARNING, "the callback of job %s to %s was not delivered: %s",
            delivery->id, callbacks->allowed.host[delivery->host].name, why);
    metrics_add(&callbacks->setup.metrics->callbacks_failed, 1);
    forget(callbacks, delivery);
}

/* ── Queues ──────────────────────────────────────────────────────────────────────────────────── */

static void set_retry_timer(struct callbacks *callbacks)
{
    const struct delivery *first = heap_first(&callbacks->waiting);
    int64_t in_us = first != NULL ? MAX(first->due_us - monotonic_us(), 0) : -1;
    timer_set(&callbacks->retry_timer, first != NULL ? (in_us + 999) / 1000 : -1);
}

/* 1, 5, 25, 125 times the first wait, a fifth more or less, so that what failed together does not
 * come back together. */
static int64_t wait_us(const struct callbacks *callbacks, int tries)
{
    uint32_t random = 0;
    int64_t us = callbacks->setup.first_wait_ms * 1000;
    for (int i = 1; i < tries; i++)
        us *= 5;
    (void)!getrandom(&random, sizeof(random), GRND_NONBLOCK);
    return us * 4 / 5 + us / 1000 * (random % 401);
}

static void try_later(struct callbacks *callbacks, struct delivery *delivery, const char *why)
{
    char text[CURL_ERROR_SIZE + 64];
    if (delivery->tries < TRIES && !callbacks->draining) {
        delivery->due_us = monotonic_us() + wait_us(callbacks, delivery->tries);
        heap_keep(&callbacks->waiting, delivery, true);
        set_retry_timer(callbacks);
        return;
    }
    snprintf(text, sizeof(text), "%s (try %d of %d)", why, delivery->tries, TRIES);
    give_up(callbacks, delivery, text);
}

static void begin(struct callbacks *callbacks, struct delivery *delivery)
{
    delivery->tries++;
    delivery->received = 0;
    delivery->refused = NULL;
    delivery->error[0] = '\0';
    if (delivery_begin(delivery, callbacks->multi) < 0) {
        try_later(callbacks, delivery, "out of memory");
        return;
    }
    TAILQ_INSERT_TAIL(&callbacks->sending, delivery, next);
    callbacks->hosts[delivery->host].sending++;
    callbacks->sending_count++;
}

/* The next host in turn that may be sent something; NULL: none. */
static struct host *next_host(struct callbacks *callbacks)
{
    for (size_t i = 0; i < callbacks->allowed.count; i++) {
        struct host *host = &callbacks->hosts[callbacks->turn];
        callbacks->turn = (callbacks->turn + 1) % callbacks->allowed.count;
        if (!TAILQ_EMPTY(&host->queue) && host->sending < AT_ONCE_FOR_HOST)
            return host;
    }
    return NULL;
}

static void pump(struct callbacks *callbacks)
{
    struct host *host;
    while (callbacks->sending_count < AT_ONCE && (host = next_host(callbacks)) != NULL) {
        struct delivery *delivery = TAILQ_FIRST(&host->queue);
        TAILQ_REMOVE(&host->queue, delivery, next);
        begin(callbacks, delivery);
    }
}

static void retry_expired(void *user)
{
    struct callbacks *callbacks = user;
    struct delivery *delivery;
    int64_t now_us = monotonic_us();
    while ((delivery = heap_first(&callbacks->waiting)) != NULL && delivery->due_us <= now_us) {
        heap_keep(&callbacks->waiting, delivery, false);
        TAILQ_INSERT_TAIL(&callbacks->hosts[delivery->host].queue, delivery, next);
    }
    set_retry_timer(callbacks);
    pump(callbacks);
}

/* ── How a try ended ─────────────────────────────────────────────────────────────────────────── */

/* `status`: 0 if there was none. The status counts, whatever became of the rest of the answer. */
static void judge(struct callbacks *callbacks, struct delivery *delivery, CURLcode code,
                  long status)
{
    char why[CURL_ERROR_SIZE + 64];
    if (status >= 200 && status <= 299) {
        metrics_add(&callbacks->setup.metrics->callbacks_sent, 1);
        forget(callbacks, delivery);
    } else if (status == 429 || status >= 500) {
        snprintf(why, sizeof(why), "it answered %ld", status);
        try_later(callbacks, delivery, why);
    } else if (status >= 200) {
        snprintf(why, sizeof(why), "it answered %ld%s", status,
                 status < 400 ? ", and redirects are not followed" : "");
        give_up(callbacks, delivery, why);
    } else if (code == CURLE_COULDNT_CONNECT && delivery->refused != NULL) {
        snprintf(why, sizeof(why),
                 "its address is %s: only --callback-host with that address itself allows it",
                 delivery->refused);
        give_up(callbacks, delivery, why);
    } else {
        try_later(callbacks, delivery,
                  delivery->error[0] != '\0' ? delivery->error : curl_easy_strerror(code));
    }
}

static void end(struct callbacks *callbacks, CURL *easy, CURLcode code)
{
    struct delivery *delivery = NULL;
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&delivery);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    TAILQ_REMOVE(&callbacks->sending, delivery, next);
    callbacks->hosts[delivery->host].sending--;
    callbacks->sending_count--;
    delivery_end(delivery, callbacks->multi);
    judge(callbacks, delivery, code, status);
}

/* Has curl do what it waited for. */
static void act(struct callbacks *callbacks, curl_socket_t fd, int events)
{
    const CURLMsg *message;
    int running, left;
    curl_multi_socket_action(callbacks->multi, fd, events, &running);
    while ((message = curl_multi_info_read(callbacks->multi, &left)) != NULL)
        if (message->msg == CURLMSG_DONE)
            end(callbacks, message->easy_handle, message->data.result);
    pump(callbacks);
}

/* ── curl in the loop ────────────────────────────────────────────────────────────────────────── */

static void socket_ready(void *user, uint32_t events)
{
    const struct socket_watch *socket = user; /* act may free it */
    int flags = (events & EPOLLIN ? CURL_CSELECT_IN : 0) |
                (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
    act(socket->callbacks, socket->watch.fd, flags);
}

static void curl_timer_expired(void *user)
{
    act(user, CURL_SOCKET_TIMEOUT, 0);
}

static int set_timer(CURLM *multi, long in_ms, void *user)
{
    struct callbacks *callbacks = user;
    (void)multi;
    timer_set(&callbacks->curl_timer, in_ms);
    return 0;
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *known)
{
    struct callbacks *callbacks = user;
    struct socket_watch *socket = known;
    (void)easy;
    if (socket != NULL)
        loop_remove(callbacks->setup.loop, &socket->watch);
    if (what == CURL_POLL_REMOVE) {
        free(socket);
        return 0;
    }
    if (socket == NULL) {
        socket = malloc(sizeof(*socket));
        if (socket == NULL)
            return -1;
        *socket = (struct socket_watch){{fd, socket_ready, socket}, callbacks};
        curl_multi_assign(callbacks->multi, fd, socket);
    }
    uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
    return loop_add(callbacks->setup.loop, &socket->watch, events);
}

/* ── The whole ───────────────────────────────────────────────────────────────────────────────── */

static struct delivery *make_delivery(struct callbacks *callbacks, const struct callback *callback,
                                      struct sb_error *err)
{
    struct delivery *delivery = calloc(1, sizeof(*delivery));
    if (delivery == NULL) {
        sb_fail(err, "memory", ENOMEM, "out of memory");
        return NULL;
    }
    *delivery = (struct delivery){.allowed = &callbacks->allowed,
                                  .time_limit_ms = callbacks->setup.time_limit_ms,
                                  .ca_file = callbacks->setup.ca_file,
                                  .id = strdup(callback->id),
                                  .secret = strdup(callback->secret),
                                  .body = malloc(callback->size + 1),
                                  .size = callback->size};
    bool whole = delivery->id != NULL && delivery->secret != NULL && delivery->body != NULL;
    if (!whole)
        sb_fail(err, "memory", ENOMEM, "out of memory");
    if (whole && callback_url_read(&delivery->url, &delivery->host, &callbacks->allowed,
                                   callback->url, err) == 0) {
        memcpy(delivery->body, callback->body, callback->size);
        return delivery;
    }
    delivery_free(delivery);
    return NULL;
}

void callbacks_send(struct callbacks *callbacks, const struct callback *callback)
{
    struct sb_error err;
    struct delivery *delivery = NULL;
    if (callbacks->kept >= KEPT || callbacks->kept_bytes + callback->size > KEPT_BYTES ||
        heap_reserve(&callbacks->waiting, callbacks->kept + 1) < 0)
        sb_fail(&err, "callback", 0, "too many callbacks wait to be delivered");
    else
        delivery = make_delivery(callbacks, callback, &err);
    if (delivery == NULL) {
        log_say(callbacks->setup.log, LOG_WARNING, "no callback was sent for job %s: %s",
                callback->id, err.message);
        metrics_add(&callbacks->setup.metrics->callbacks_failed, 1);
        return;
    }
    callbacks->kept++;
    callbacks->kept_bytes += delivery->size;
    show(callbacks);
    TAILQ_INSERT_TAIL(&callbacks->hosts[delivery->host].queue, delivery, next);
    pump(callbacks);
}

void callbacks_drain(struct callbacks *callbacks)
{
    struct delivery *delivery;
    if (callbacks == NULL)
        return;
    callbacks->draining = true;
    while ((delivery = heap_first(&callbacks->waiting)) != NULL) {
        heap_keep(&callbacks->waiting, delivery, false);
        give_up(callbacks, delivery, "the service stops before its next try");
    }
    set_retry_timer(callbacks);
}

int callbacks_check(const struct callbacks *callbacks, const char *text, struct sb_error *err)
{
    CURLU *url;
    size_t host;
    if (callbacks == NULL)
        return sb_fail_field(err, "request", "callback",
                             "this service sends no callbacks: ask for the job by GET /jobs/ID, or "
                             "start the service with --callback-host");
    if (callback_url_read(&url, &host, &callbacks->allowed, text, err) < 0)
        return -1;
    curl_url_cleanup(url);
    return 0;
}

size_t callbacks_left(const struct callbacks *callbacks)
{
    return callbacks != NULL ? callbacks->kept : 0;
}

static int open_curl(struct callbacks *callbacks, struct sb_error *err)
{
    struct loop *loop = callbacks->setup.loop;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return sb_fail(err, "callback", 0, "can't set up libcurl: install libcurl3-gnutls again");
    callbacks->multi = curl_multi_init();
    if (callbacks->multi == NULL)
        return sb_fail(err, "memory", ENOMEM, "out of memory (callbacks)");
    curl_multi_setopt(callbacks->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl_multi_setopt(callbacks->multi, CURLMOPT_SOCKETDATA, callbacks);
    curl_multi_setopt(callbacks->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(callbacks->multi, CURLMOPT_TIMERDATA, callbacks);
    curl_multi_setopt(callbacks->multi, CURLMOPT_MAXCONNECTS, (long)AT_ONCE);
    if (timer_open(&callbacks->curl_timer, loop, curl_timer_expired, callbacks) < 0 ||
        timer_open(&callbacks->retry_timer, loop, retry_expired, callbacks) < 0)
        return sb_fail(err, "timerfd", errno, "can't create a timer for callbacks");
    return 0;
}

int callbacks_open(struct callbacks **out, const struct callbacks_setup *setup,
                   struct sb_error *err)
{
    *out = NULL;
    if (strings_count(setup->hosts) == 0)
        return 0;
    struct callbacks *callbacks = calloc(1, sizeof(*callbacks));
    if (callbacks == NULL)
        return sb_fail(err, "memory", ENOMEM, "out of memory (callbacks)");
    callbacks->setup = *setup;
    callbacks->waiting =
        (struct heap){.before = is_due_before, .place_at = offsetof(struct delivery, place)};
    TAILQ_INIT(&callbacks->sending);
    callbacks->hosts = calloc(strings_count(setup->hosts), sizeof(*callbacks->hosts));
    int result = callbacks->hosts == NULL
                     ? sb_fail(err, "memory", ENOMEM, "out of memory (callbacks)")
                     : callback_hosts_read(&callbacks->allowed, setup->hosts, err);
    for (size_t i = 0; callbacks->hosts != NULL && i < callbacks->allowed.count; i++)
        TAILQ_INIT(&callbacks->hosts[i].queue);
    if (result < 0 || open_curl(callbacks, err) < 0) {
        callbacks_close(callbacks);
        return -1;
    }
    *out = callbacks;
    return 0;
}

static void drop_all(struct callbacks *callbacks)
{
    static const char why[] = "the service has stopped";
    struct delivery *delivery;
    callbacks->setup.idle = NULL;
    while ((delivery = TAILQ_FIRST(&callbacks->sending)) != NULL) {
        TAILQ_REMOVE(&callbacks->sending, delivery, next);
        delivery_end(delivery, callbacks->multi);
        give_up(callbacks, delivery, why);
    }
    while ((delivery = heap_first(&callbacks->waiting)) != NULL) {
        heap_keep(&callbacks->waiting, delivery, false);
        give_up(callbacks, delivery, why);
    }
    for (size_t i = 0; i < callbacks->allowed.count; i++)
        while ((delivery = TAILQ_FIRST(&callbacks->hosts[i].queue)) != NULL) {
            TAILQ_REMOVE(&callbacks->hosts[i].queue, delivery, next);
            give_up(callbacks, delivery, why);
        }
}

void callbacks_close(struct callbacks *callbacks)
{
    if (callbacks == NULL)
        return;
    if (callbacks->hosts != NULL)
        drop_all(callbacks);
    heap_free(&callbacks->waiting);
    if (callbacks->multi != NULL) {
        curl_multi_cleanup(callbacks->multi);
        curl_global_cleanup();
    }
    timer_close(&callbacks->curl_timer, callbacks->setup.loop);
    timer_close(&callbacks->retry_timer, callbacks->setup.loop);
    callback_hosts_free(&callbacks->allowed);
    free(callbacks->hosts);
    free(callbacks);
}
