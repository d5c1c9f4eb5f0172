/* See redis_link.h. */
#include "serve/store/redis_link.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>

#include "common/util.h"
#include "serve/store/redis_tls.h"

enum { BACKOFF_MIN_MS = 50, BACKOFF_MAX_MS = 2000, PATIENCE_MS = 5000, PART = 64 * 1024 };

static const uint32_t edges = EPOLLIN | EPOLLOUT | EPOLLET;

enum state { DOWN, CONNECTING, SHAKING_HANDS, GREETING, UP };

struct request {
    STAILQ_ENTRY(request) next;
    redis_replied *replied;
    void *user;
};

struct redis_link {
    struct redis_link_setup setup;
    enum state state;
    struct watch watch;
    struct timer timer; /* to connect again, or to give up waiting for the server */
    int64_t backoff_ms;
    size_t next_socket;
    struct redis_tls tls; /* of an address with TLS */
    redisReader *reader;
    char *out; /* what has not been sent: out_size bytes from out_at on */
    size_t out_at, out_size, out_room;
    size_t greetings; /* replies to AUTH, SELECT, … that are still to come */
    STAILQ_HEAD(requests, request) requests;
    char lost[192];
    const char *remedy; /* where trying again does not help; else NULL */
    bool told;          /* the log knows that it is down */
    bool reading;       /* in read_all: a link that is lost meanwhile is taken down afterwards */
    bool broken;        /* it is to be taken down */
};

/* ── Down ────────────────────────────────────────────────────────────────────────────────────── */

static void drop_socket(struct redis_link *link)
{
    if (link->watch.fd >= 0)
        loop_remove(link->setup.loop, &link->watch);
    close_fd(&link->watch.fd);
    redis_tls_end(&link->tls);
    redisReaderFree(link->reader);
    link->reader = NULL;
    link->out_at = link->out_size = link->greetings = 0;
    link->state = DOWN;
}

static void take_down(struct redis_link *link)
{
    struct requests lost = STAILQ_HEAD_INITIALIZER(lost);
    struct request *request;
    link->broken = false;
    drop_socket(link);
    if (!link->told)
        log_say(link->setup.log, LOG_WARNING, "the job store %s: %s; it is tried again",
                link->setup.address->shown, link->lost);
    link->told = true;
    link->backoff_ms = MIN(MAX(2 * link->backoff_ms, BACKOFF_MIN_MS), BACKOFF_MAX_MS);
    timer_set(&link->timer, link->backoff_ms);
    STAILQ_CONCAT(&lost, &link->requests);
    while ((request = STAILQ_FIRST(&lost)) != NULL) {
        STAILQ_REMOVE_HEAD(&lost, next);
        if (request->replied != NULL)
            request->replied(request->user, NULL, link->lost);
        free(request);
    }
}

__attribute__((format(printf, 2, 3))) static void lose(struct redis_link *link, const char *format,
                                                       ...)
{
    va_list arguments;
    if (link->broken)
        return;
    va_start(arguments, format);
    vsnprintf(link->lost, sizeof(link->lost), format, arguments);
    va_end(arguments);
    link->broken = true;
    if (!link->reading)
        take_down(link);
}

/* ── Bytes ───────────────────────────────────────────────────────────────────────────────────── */

static void lose_tls(struct redis_link *link)
{
    link->remedy = link->tls.remedy;
    lose(link, "%s", link->tls.lost);
}

/* As send(2). */
static ssize_t put(struct redis_link *link, const char *data, size_t size)
{
    if (link->tls.session == NULL)
        return send(link->watch.fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    return redis_tls_send(&link->tls, data, size);
}

/* As recv(2). */
static ssize_t take(struct redis_link *link, char *data, size_t size)
{
    if (link->tls.session == NULL)
        return recv(link->watch.fd, data, size, MSG_DONTWAIT);
    ssize_t result = redis_tls_receive(&link->tls, data, size);
    if (result < 0 && errno == EPROTO) {
        lose_tls(link);
        errno = EPROTO;
    }
    return result;
}

static void flush(struct redis_link *link)
{
    while (link->out_size > 0 && link->state >= GREETING && !link->broken) {
        ssize_t sent = put(link, link->out + link->out_at, MIN(link->out_size, 16 * (size_t)PART));
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0) {
            if (errno != EAGAIN)
                lose(link, "can't send to it: %s", strerror(errno));
            return;
        }
        link->out_at += (size_t)sent;
        link->out_size -= (size_t)sent;
    }
    if (link->out_size > 0)
        return;
    link->out_at = 0;
    if (link->out_room > 16 * (size_t)PART) { /* a large request was sent */
        free(link->out);
        link->out = NULL;
        link->out_room = 0;
    }
}

static int keep(struct redis_link *link, const char *data, size_t size)
{
    if (link->out_at > 0 && link->out_at + link->out_size + size > link->out_room) {
        memmove(link->out, link->out + link->out_at, link->out_size);
        link->out_at = 0;
    }
    if (link->out_size + size > link->out_room) {
        size_t room = MAX(link->out_size + size, MAX(2 * link->out_room, (size_t)4096));
        char *out = realloc(link->out, room);
        if (out == NULL)
            return -1;
        link->out = out;
        link->out_room = room;
    }
    memcpy(link->out + link->out_at + link->out_size, data, size);
    link->out_size += size;
    return 0;
}

/* ── Replies ─────────────────────────────────────────────────────────────────────────────────── */

static const char *text_of(const redisReply *reply, size_t index)
{
    const redisReply *element = index < reply->elements ? reply->element[index] : NULL;
    return element != NULL && element->type == REDIS_REPLY_STRING ? element->str : "";
}

/* "message", channel, text; or "subscribe", channel, a number. */
static void take_message(struct redis_link *link, const redisReply *reply)
{
    if (reply->type == REDIS_REPLY_ARRAY)
        link->setup.message(link->setup.user, text_of(reply, 0), text_of(reply, 1),
                            text_of(reply, 2));
    else if (reply->type == REDIS_REPLY_ERROR)
        lose(link, "it refuses to tell of events: %.120s", reply->str);
}

static void take_greeting(struct redis_link *link, const redisReply *reply)
{
    if (reply->type == REDIS_REPLY_ERROR) {
        link->remedy =
            "give the right user and password (password-file, or SANDBOX_REDIS_PASSWORD)";
        lose(link, "it refuses us: %.120s", reply->str);
        return;
    }
    if (--link->greetings > 0)
        return;
    link->state = UP;
    link->backoff_ms = 0;
    timer_set(&link->timer, -1);
    if (link->told)
        log_say(link->setup.log, LOG_INFO, "the job store %s can be reached again",
                link->setup.address->shown);
    link->told = false;
    link->remedy = NULL;
    link->lost[0] = '\0';
    link->setup.up(link->setup.user);
}

static void take_reply(struct redis_link *link, const redisReply *reply)
{
    if (link->state == GREETING) {
        take_greeting(link, reply);
        return;
    }
    if (link->setup.message != NULL) {
        take_message(link, reply);
        return;
    }
    struct request *request = STAILQ_FIRST(&link->requests);
    if (request == NULL) {
        lose(link, "it answers what was not asked");
        return;
    }
    STAILQ_REMOVE_HEAD(&link->requests, next);
    timer_set(&link->timer, STAILQ_EMPTY(&link->requests) ? -1 : PATIENCE_MS);
    if (request->replied != NULL)
        request->replied(request->user, reply, NULL);
    free(request);
}

static void take_replies(struct redis_link *link)
{
    void *reply = NULL;
    while (!link->broken && redisReaderGetReply(link->reader, &reply) == REDIS_OK &&
           reply != NULL) {
        take_reply(link, reply);
        freeReplyObject(reply);
        reply = NULL;
    }
    if (!link->broken && link->reader->err != 0)
        lose(link, "it does not speak Redis' protocol: %s", link->reader->errstr);
}

static void read_all(struct redis_link *link)
{
    char part[PART];
    link->reading = true;
    while (!link->broken) {
        ssize_t size = take(link, part, sizeof(part));
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0 && errno == EAGAIN)
            break;
        if (size <= 0)
            lose(link, "%s", size == 0 ? "it closes the connection" : strerror(errno));
        else if (redisReaderFeed(link->reader, part, (size_t)size) != REDIS_OK)
            lose(link, "out of memory for its reply");
        else
            take_replies(link);
    }
    link->reading = false;
    if (link->broken)
        take_down(link);
}

/* ── Up ──────────────────────────────────────────────────────────────────────────────────────── */

static void send_words(struct redis_link *link, size_t count, const char *const *words,
                       const size_t *sizes)
{
    char *text = NULL;
    /* hiredis does not change the words. */
    int size = redisFormatCommandArgv(&text, (int)count, (const char **)(intptr_t)words, sizes);
    if (size < 0 || keep(link, text, (size_t)size) < 0)
        lose(link, "out of memory for a command");
    free(text);
}

static void greet_with(struct redis_link *link, size_t count, const char *const *words)
{
    link->greetings++;
    send_words(link, count, words, NULL);
}

static void greet(struct redis_link *link)
{
    struct redis_address *address = link->setup.address;
    char database[12];
    redis_address_renew(address);
    link->state = GREETING;
    if (address->password != NULL && address->user != NULL)
        greet_with(link, 3, (const char *[]){"AUTH", address->user, address->password});
    else if (address->password != NULL)
        greet_with(link, 2, (const char *[]){"AUTH", address->password});
    if (address->database != 0) {
        snprintf(database, sizeof(database), "%d", address->database);
        greet_with(link, 2, (const char *[]){"SELECT", database});
    }
    greet_with(link, 3, (const char *[]){"CLIENT", "SETNAME", link->setup.name});
    flush(link);
}

static void shake_hands(struct redis_link *link)
{
    int result = redis_tls_shake_hands(&link->tls);
    if (result > 0)
        greet(link);
    else if (result < 0)
        lose_tls(link);
}

static void begin_tls(struct redis_link *link)
{
    if (redis_tls_begin(&link->tls, link->watch.fd, link->setup.address->host) < 0) {
        lose_tls(link);
        return;
    }
    link->state = SHAKING_HANDS;
    shake_hands(link);
}

static void connected(struct redis_link *link)
{
    int error = 0;
    socklen_t size = sizeof(error);
    if (getsockopt(link->watch.fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        error = errno;
    if (error != 0)
        lose(link, "can't connect: %s", strerror(error));
    else if (link->setup.address->tls)
        begin_tls(link);
    else
        greet(link);
}

/* The events are edges: what is there is taken until there is no more. */
static void ready(void *user, uint32_t events)
{
    struct redis_link *link = user;
    if (link->state == CONNECTING && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0)
        connected(link);
    else if (link->state == SHAKING_HANDS)
        shake_hands(link);
    if (link->state >= GREETING)
        flush(link);
    if (link->state >= GREETING)
        read_all(link);
}

/* A server that is gone without a word is noticed, by a connection that only listens, too. */
static void probe(int fd)
{
    static const struct {
        int level, name, value;
    } options[] = {
        {SOL_SOCKET, SO_KEEPALIVE, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, 5},
        {IPPROTO_TCP, TCP_KEEPINTVL, 2},
        {IPPROTO_TCP, TCP_KEEPCNT, 3},
        {IPPROTO_TCP, TCP_USER_TIMEOUT, 2 * PATIENCE_MS},
    };
    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        setsockopt(fd, options[i].level, options[i].name, &options[i].value,
                   sizeof(options[i].value));
}

static void connect_now(struct redis_link *link)
{
    const struct redis_address *address = link->setup.address;
    size_t index = link->next_socket++ % address->count;
    const struct sockaddr *socket_address = (const struct sockaddr *)&address->sockets[index];
    int fd = socket(socket_address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    link->watch.fd = fd;
    link->reader = redisReaderCreate();
    link->state = CONNECTING;
    if (fd < 0 || link->reader == NULL || loop_add(link->setup.loop, &link->watch, edges) < 0) {
        close_fd(&link->watch.fd);
        lose(link, "can't make a socket: %s", strerror(errno));
        return;
    }
    if (socket_address->sa_family != AF_UNIX)
        probe(fd);
    timer_set(&link->timer, PATIENCE_MS);
    if (connect(fd, socket_address, address->sizes[index]) < 0 && errno != EINPROGRESS)
        lose(link, "can't connect: %s", strerror(errno));
    else if (socket_address->sa_family == AF_UNIX)
        connected(link);
}

static void expired(void *user)
{
    struct redis_link *link = user;
    if (link->state == DOWN)
        connect_now(link);
    else
        lose(link, "it does not answer");
}

struct redis_link *redis_link_open(const struct redis_link_setup *setup)
{
    struct redis_link *link = calloc(1, sizeof(*link));
    if (link == NULL)
        return NULL;
    link->setup = *setup;
    link->watch = (struct watch){-1, ready, link};
    link->timer.watch.fd = -1;
    STAILQ_INIT(&link->requests);
    bool tls = setup->address->tls;
    if ((tls && redis_tls_open(&link->tls, setup->address->ca) < 0) ||
        timer_open(&link->timer, setup->loop, expired, link) < 0) {
        redis_link_close(link);
        return NULL;
    }
    connect_now(link);
    return link;
}

int redis_link_move(struct redis_link *link, struct loop *loop)
{
    struct loop *from = link->setup.loop;
    link->setup.loop = loop;
    if (timer_move(&link->timer, from, loop) < 0)
        return -1;
    if (link->watch.fd < 0)
        return 0; /* its timer connects it again */
    loop_remove(from, &link->watch);
    return loop_add(loop, &link->watch, edges);
}

void redis_link_close(struct redis_link *link)
{
    struct request *request;
    if (link == NULL)
        return;
    drop_socket(link);
    while ((request = STAILQ_FIRST(&link->requests)) != NULL) {
        STAILQ_REMOVE_HEAD(&link->requests, next);
        free(request);
    }
    if (link->timer.watch.fd >= 0)
        timer_close(&link->timer, link->setup.loop);
    redis_tls_close(&link->tls);
    free(link->out);
    free(link);
}

bool redis_link_is_up(const struct redis_link *link)
{
    return link->state == UP && !link->broken;
}

bool redis_link_is_coming(const struct redis_link *link)
{
    return !redis_link_is_up(link) && link->lost[0] == '\0';
}

const char *redis_link_remedy(const struct redis_link *link)
{
    return link->remedy;
}

const char *redis_link_lost(const struct redis_link *link)
{
    return link->lost[0] != '\0' ? link->lost : "it has not been reached yet";
}

void redis_send(struct redis_link *link, redis_replied *replied, void *user, size_t count,
                const char *const *words, const size_t *sizes)
{
    struct request *request = NULL;
    const char *lost = redis_link_is_up(link) ? NULL : redis_link_lost(link);
    if (lost == NULL && link->setup.message == NULL) {
        request = malloc(sizeof(*request));
        lost = request == NULL ? "out of memory for a command" : NULL;
    }
    if (lost != NULL) {
        if (replied != NULL)
            replied(user, NULL, lost);
        return;
    }
    if (request != NULL) {
        if (STAILQ_EMPTY(&link->requests))
            timer_set(&link->timer, PATIENCE_MS);
        *request = (struct request){.replied = replied, .user = user};
        STAILQ_INSERT_TAIL(&link->requests, request, next);
    }
    send_words(link, count, words, sizes);
    if (!link->broken)
        flush(link);
}
