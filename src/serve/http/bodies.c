/* The memory of bodies that come in. It has one bound for all of them: many clients that each send
 * an allowed body must not take the memory that jobs need. When a client needs room, the client
 * that holds the most loses a body, so that bodies which others leave unfinished shut no client
 * out. */
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "serve/http/bodies.h"
#include "serve/http/connection.h"
#include "serve/http/error_json.h"
#include "serve/http/http_state.h"
#include "serve/http/incoming.h"

#define BODIES_BYTES (INT64_C(256) * 1024 * 1024)

const char body_refusal[] =
    "the service is short of memory for requests: send fewer at once, or try again later";

void body_free(struct incoming *incoming)
{
    incoming->connection->http->body_bytes -= (int64_t)incoming->body.room;
    free(incoming->body.data);
    incoming->body.data = NULL;
    incoming->body.room = 0;
    incoming->exchange.body = "";
}

/* Sorts by client, then the largest first. */
static int by_holder(const void *left, const void *right)
{
    const struct incoming *a = *(struct incoming *const *)left;
    const struct incoming *b = *(struct incoming *const *)right;
    int order = strcmp(a->client.key, b->client.key);
    return order != 0 ? order : (b->body.room > a->body.room) - (b->body.room < a->body.room);
}

/* The bodies that are held; NULL: no memory. The caller frees them. */
static struct incoming **list_bodies(const struct http *http, size_t *count)
{
    struct incoming **bodies = calloc(http->connections + 1, sizeof(struct incoming *));
    struct connection *connection;
    *count = 0;
    if (bodies == NULL)
        return NULL;
    TAILQ_FOREACH(connection, &http->phases[PHASE_BODY], link)
    if (connection->incoming != NULL && connection->incoming->body.room > 0)
        bodies[(*count)++] = connection->incoming;
    qsort(bodies, *count, sizeof(struct incoming *), by_holder);
    return bodies;
}

/* The largest body of the client that holds the most. NULL: `incoming`'s client would itself hold
 * the most, with `more` bytes added. */
static struct incoming *find_victim(const struct incoming *incoming, size_t more)
{
    size_t count, most = 0, held;
    _cleanup_free_ struct incoming **bodies = list_bodies(incoming->connection->http, &count);
    struct incoming *victim = NULL;
    size_t own = more;
    for (size_t first = 0, end; bodies != NULL && first < count; first = end) {
        held = 0;
        for (end = first;
             end < count && strcmp(bodies[end]->client.key, bodies[first]->client.key) == 0; end++)
            held += bodies[end]->body.room;
        if (strcmp(bodies[first]->client.key, incoming->client.key) == 0) {
            own += held;
        } else if (held > most) {
            most = held;
            victim = bodies[first];
        }
    }
    return own < most ? victim : NULL;
}

static void evict(struct incoming *incoming)
{
    struct connection *connection = incoming->connection;
    size_t size = 0;
    _cleanup_free_ char *body = error_json("body", body_refusal, &size);
    body_free(incoming);
    incoming->phase = INCOMING_LEFT;
    connection_say(connection, MHD_HTTP_SERVICE_UNAVAILABLE, incoming->exchange.id, body, size);
    connection->linger = true;
    connection_shut(connection);
}

/* The body grows by what has arrived, not by what is announced: an announcement costs the client
 * nothing. */
bool body_grow(struct incoming *incoming, size_t size)
{
    struct http *http = incoming->connection->http;
    if (size <= incoming->body.room)
        return true;
    size_t room = incoming->body.room == 0 ? 4096 : incoming->body.room * 2;
    while (room < size)
        room *= 2;
    size_t more = room - incoming->body.room;
    while (http->body_bytes + (int64_t)more > BODIES_BYTES) {
        struct incoming *victim = find_victim(incoming, more);
        if (victim == NULL)
            return false;
        evict(victim);
    }
    char *body = realloc(incoming->body.data, room);
    if (body == NULL)
        return false;
    http->body_bytes += (int64_t)more;
    incoming->body.data = body;
    incoming->body.room = room;
    return true;
}
