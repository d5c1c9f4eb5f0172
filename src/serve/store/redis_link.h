/* One connection to a Redis server, in the loop: commands go out in order, replies come back in the
 * same order. It connects again by itself. hiredis formats commands and reads replies; the socket,
 * TLS and time are ours, since hiredis 0.14 has no TLS. */
#ifndef SERVE_REDIS_LINK_H
#define SERVE_REDIS_LINK_H

#include <hiredis/hiredis.h>

#include "serve/process/log.h"
#include "serve/process/loop.h"
#include "serve/store/redis_address.h"

struct redis_link;

struct redis_link_setup {
    struct redis_address *address; /* must live as long as the link */
    const char *name;              /* of the connection: CLIENT SETNAME */
    struct loop *loop;
    struct log *log;
    /* It can be used: again, or for the first time. Commands that were sent and not answered when
     * it was lost have been told so. */
    void (*up)(void *user);
    /* "message": one to a channel that the link has subscribed to; "subscribe": from now on they
     * come. NULL: it does not subscribe. */
    void (*message)(void *user, const char *verb, const char *channel, const char *text);
    void *user;
};

/* `reply` lives until it returns; NULL: the link is down, or was lost before the reply; `lost` says
 * why. Errors of the server are replies of the type REDIS_REPLY_ERROR. */
typedef void redis_replied(void *user, const redisReply *reply, const char *lost);

/* Begins to connect. NULL with errno. */
struct redis_link *redis_link_open(const struct redis_link_setup *setup);
/* The link goes on in another loop. −1 with errno: it is to be closed. */
int redis_link_move(struct redis_link *link, struct loop *loop);
/* NULL is allowed. No callback is called any more. */
void redis_link_close(struct redis_link *link);

bool redis_link_is_up(const struct redis_link *link);
/* Its first connection is under way: `up` will be called, or it will be lost. */
bool redis_link_is_coming(const struct redis_link *link);
/* Why it is down, "" when it never was up or is up; for messages. */
const char *redis_link_lost(const struct redis_link *link);

/* What to do where trying again does not help: the server refused us. NULL: it did not. */
const char *redis_link_remedy(const struct redis_link *link);

/* Sends a command; `words` may hold any bytes. `replied` may be NULL. It may be called before this
 * returns. */
void redis_send(struct redis_link *link, redis_replied *replied, void *user, size_t count,
                const char *const *words, const size_t *sizes);

#endif
