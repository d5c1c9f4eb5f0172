/* The room of bodies that come in: small ones are in memory, large ones in files (spool.h). Each
 * kind has one bound for all of them: many clients that each send an allowed body must not take the
 * memory that jobs need, or fill the disk. When a client needs room, the client that holds the most
 * loses a body, so that bodies which others leave unfinished shut no client out. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/util.h"
#include "serve/http/bodies.h"
#include "serve/http/connection.h"
#include "serve/http/error_json.h"
#include "serve/http/http_state.h"
#include "serve/http/incoming.h"

/* A body above this goes to a file. */
#define MEMORY_MAX (256 * 1024)
/* Files grow by this, as they are counted. */
#define FILE_STEP (128 * 1024)
/* On a disk, bodies may take so many times what they may in memory. */
#define DISK_FACTOR 16

const char body_refusal[] =
    "the service is short of memory for requests: send fewer at once, or try again later";

/* Whether a body counts as one on a disk; otherwise it takes memory. */
static bool on_disk(const struct incoming *incoming)
{
    return incoming->body.in_file && !incoming->connection->http->spool.in_memory;
}

static int64_t *account_of(struct http *http, bool disk)
{
    return disk ? &http->file_bytes : &http->body_bytes;
}

static int64_t bound_of(const struct http *http, bool disk)
{
    return http->config->upload_bytes * (disk ? DISK_FACTOR : 1);
}

static void forget(struct incoming *incoming)
{
    incoming->body.data = NULL;
    incoming->body.room = 0;
    incoming->body.in_file = false;
    incoming->body.file = -1;
    incoming->exchange.body = "";
    incoming->exchange.body_in_file = false;
}

static void close_file(struct incoming *incoming)
{
    if (incoming->body.file < 0)
        return;
    close(incoming->body.file);
    incoming->body.file = -1;
    incoming->connection->http->files--;
}

void body_free(struct incoming *incoming)
{
    struct http *http = incoming->connection->http;
    *account_of(http, on_disk(incoming)) -= (int64_t)incoming->body.room;
    if (!incoming->body.in_file)
        free(incoming->body.data);
    else if (incoming->body.data != NULL)
        munmap(incoming->body.data, incoming->exchange.body_size);
    close_file(incoming);
    forget(incoming);
}

/* Sorts by client, then the largest first. */
static int by_holder(const void *left, const void *right)
{
    const struct incoming *a = *(struct incoming *const *)left;
    const struct incoming *b = *(struct incoming *const *)right;
    int order = strcmp(a->client.key, b->client.key);
    return order != 0 ? order : (b->body.room > a->body.room) - (b->body.room < a->body.room);
}

/* The bodies that arrive, of one kind; NULL: no memory. The caller frees them. */
static struct incoming **list_bodies(const struct http *http, bool disk, size_t *count)
{
    struct incoming **bodies = calloc(http->connections + 1, sizeof(struct incoming *));
    struct connection *connection;
    *count = 0;
    if (bodies == NULL)
        return NULL;
    TAILQ_FOREACH(connection, &http->phases[PHASE_BODY], link)
    if (connection->incoming != NULL && connection->incoming->body.room > 0 &&
        on_disk(connection->incoming) == disk)
        bodies[(*count)++] = connection->incoming;
    qsort(bodies, *count, sizeof(struct incoming *), by_holder);
    return bodies;
}

/* The largest body of the client that holds the most. NULL: `incoming`'s client would itself hold
 * the most, with `more` bytes added. */
static struct incoming *find_victim(const struct incoming *incoming, size_t more)
{
    size_t count, most = 0, held;
    _cleanup_free_ struct incoming **bodies =
        list_bodies(incoming->connection->http, on_disk(incoming), &count);
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

/* Counts room for `size` bytes. The body grows by what has arrived, not by what is announced: an
 * announcement costs the client nothing. */
static bool reserve(struct incoming *incoming, size_t room)
{
    struct http *http = incoming->connection->http;
    bool disk = on_disk(incoming);
    size_t more = room - incoming->body.room;
    while (*account_of(http, disk) + (int64_t)more > bound_of(http, disk)) {
        struct incoming *victim = find_victim(incoming, more);
        if (victim == NULL)
            return false;
        evict(victim);
    }
    *account_of(http, disk) += (int64_t)more;
    incoming->body.room = room;
    return true;
}

static bool grow_memory(struct incoming *incoming, size_t size)
{
    size_t old = incoming->body.room, room = old == 0 ? 4096 : old;
    if (size <= old)
        return true;
    while (room < size)
        room *= 2;
    if (!reserve(incoming, room))
        return false;
    char *body = realloc(incoming->body.data, room);
    if (body == NULL) {
        incoming->connection->http->body_bytes -= (int64_t)(room - old);
        incoming->body.room = old;
        return false;
    }
    incoming->body.data = body;
    incoming->exchange.body = body;
    return true;
}

static bool grow_file(struct incoming *incoming, size_t size)
{
    size_t room = (size + FILE_STEP - 1) / FILE_STEP * FILE_STEP;
    return room <= incoming->body.room || reserve(incoming, room);
}

/* Moves a body of `size` bytes from memory into a file. If that can't be done, it stays where it
 * is, and its bound is that of memory. */
static void move_to_file(struct incoming *incoming, size_t size)
{
    struct http *http = incoming->connection->http;
    int file = http->files < SPOOL_FILES_MAX ? spool_open(&http->spool) : -1;
    if (file < 0 || !spool_write(file, incoming->body.data, size)) {
        if (file >= 0)
            close(file);
        return;
    }
    free(incoming->body.data);
    http->body_bytes -= (int64_t)incoming->body.room;
    forget(incoming);
    incoming->body.in_file = true;
    incoming->body.file = file;
    http->files++;
}

/* Whether a body that grows goes to a file: it becomes large, or memory is short and a disk is not.
 */
static bool belongs_in_file(const struct incoming *incoming, size_t before, size_t whole)
{
    const struct http *http = incoming->connection->http;
    if (whole > MEMORY_MAX)
        return before <= MEMORY_MAX;
    return !http->spool.in_memory && whole > incoming->body.room &&
           http->body_bytes + 2 * (int64_t)whole > bound_of(http, false);
}

bool body_add(struct incoming *incoming, const char *data, size_t size)
{
    size_t whole = incoming->exchange.body_size, before = whole - size;
    if (!incoming->body.in_file && belongs_in_file(incoming, before, whole))
        move_to_file(incoming, before);
    if (incoming->body.in_file)
        return grow_file(incoming, whole) && spool_write(incoming->body.file, data, size);
    if (!grow_memory(incoming, whole))
        return false;
    memcpy(incoming->body.data + before, data, size);
    return true;
}

/* The mapping is private, since requests are changed where they are read: only pages that are
 * written take memory. */
bool body_finish(struct incoming *incoming)
{
    struct exchange *exchange = &incoming->exchange;
    if (!incoming->body.in_file)
        return true;
    void *data = mmap(NULL, exchange->body_size, PROT_READ | PROT_WRITE, MAP_PRIVATE,
                      incoming->body.file, 0);
    if (data == MAP_FAILED)
        return false;
    close_file(incoming);
    incoming->body.data = data;
    exchange->body = data;
    exchange->body_in_file = true;
    return true;
}

/* ── Bodies that are kept ───────────────────────────────────────────────────────────────────── */

struct kept_body {
    struct http *http;
    char *data;
    size_t size, room;
    bool disk;
};

struct kept_body *exchange_keep_body(struct exchange *exchange)
{
    struct incoming *incoming = incoming_of(exchange);
    struct kept_body *kept = malloc(sizeof(*kept));
    if (kept == NULL)
        return NULL;
    *kept = (struct kept_body){incoming->connection->http, incoming->body.data, exchange->body_size,
                               incoming->body.room, on_disk(incoming)};
    forget(incoming);
    return kept;
}

int64_t kept_body_bound(const struct kept_body *kept)
{
    return bound_of(kept->http, kept->disk);
}

char *kept_body_text(const struct kept_body *kept, size_t *size)
{
    *size = kept->size;
    return kept->data;
}

bool kept_body_restore(const struct kept_body *kept)
{
    return madvise(kept->data, kept->size, MADV_DONTNEED) == 0;
}

void kept_body_free(struct kept_body *kept)
{
    if (kept == NULL)
        return;
    munmap(kept->data, kept->size);
    *account_of(kept->http, kept->disk) -= (int64_t)kept->room;
    free(kept);
}
