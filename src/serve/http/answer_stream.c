/* Answers in parts. libmicrohttpd asks for the next part whenever it has sent the one before. When
 * there is none, the connection is suspended until there is. So the phases of the connection are
 * those of other answers: PHASE_ANSWER while the client has something to take, with a deadline that
 * each step of progress renews, and PHASE_WAIT while it waits for the job.
 *
 * What a client has not taken is kept here, and counted together with all other answers. The sender
 * is told when that is too much. */
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "serve/http/answer_stream.h"
#include "serve/http/answers.h"
#include "serve/http/connection.h"
#include "serve/http/http_state.h"
#include "serve/http/incoming.h"

enum {
    STREAM_FULL = 256 * 1024,   /* the sender shall stop */
    STREAM_ENOUGH = 128 * 1024, /* it may go on */
    STREAM_KEPT = 16 * 1024,    /* an empty buffer of at most this size is kept */
    BLOCK = 16 * 1024,          /* how much libmicrohttpd asks for at once */
};

struct stream {
    char *data;
    size_t from, to, room; /* data[from, to) is still to be sent */
    bool rests;            /* the connection is suspended */
    bool full;             /* the sender has been told so */
    bool ended;
    bool failed; /* there was no memory: the connection is closed */
    int64_t sent_ms;
    const char *pulse;
    void (*drained)(struct exchange *exchange);
};

bool stream_is_open(const struct incoming *incoming)
{
    return incoming->stream != NULL && !incoming->stream->ended;
}

bool stream_is_silent(const struct incoming *incoming)
{
    return monotonic_us() / 1000 - incoming->stream->sent_ms >= STREAM_SILENCE_MS;
}

/* ── What is kept ───────────────────────────────────────────────────────────────────────────── */

static bool make_room(struct stream *stream, size_t more)
{
    if (stream->from > 0 && stream->to + more > stream->room) {
        memmove(stream->data, stream->data + stream->from, stream->to - stream->from);
        stream->to -= stream->from;
        stream->from = 0;
    }
    if (stream->to + more <= stream->room)
        return true;
    size_t room = MAX(2 * stream->room, (size_t)1024);
    while (room < stream->to + more)
        room *= 2;
    char *data = realloc(stream->data, room);
    if (data == NULL)
        return false;
    stream->data = data;
    stream->room = room;
    return true;
}

static void take_away(struct incoming *incoming, size_t size)
{
    struct stream *stream = incoming->stream;
    stream->from += size;
    answer_release(incoming, size);
    if (stream->from < stream->to)
        return;
    stream->from = stream->to = 0;
    if (stream->room <= STREAM_KEPT)
        return;
    free(stream->data);
    stream->data = NULL;
    stream->room = 0;
}

/* ── To libmicrohttpd ───────────────────────────────────────────────────────────────────────── */

static void wake(struct incoming *incoming)
{
    struct stream *stream = incoming->stream;
    stream->sent_ms = monotonic_us() / 1000;
    if (!stream->rests)
        return;
    stream->rests = false;
    connection_enter(incoming->connection, PHASE_ANSWER, 0);
    MHD_resume_connection(incoming->connection->mhd);
    daemon_wake(incoming->connection->daemon);
}

/* MHD_ContentReaderCallback. It is called only when all that came before is in the kernel. */
static ssize_t read_part(void *user, uint64_t position, char *to, size_t most)
{
    struct incoming *incoming = user;
    struct stream *stream = incoming->stream;
    struct connection *connection = incoming->connection;
    (void)position;
    if (incoming->phase == INCOMING_LEFT || connection->phase == PHASE_CLOSING || stream->failed)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    size_t size = MIN(most, stream->to - stream->from);
    if (size > 0) {
        memcpy(to, stream->data + stream->from, size);
        take_away(incoming, size);
        connection_enter(connection, PHASE_ANSWER, 0);
        if (stream->full && !stream->ended && stream->to - stream->from <= STREAM_ENOUGH) {
            stream->full = false;
            stream->drained(&incoming->exchange);
        }
        return (ssize_t)size;
    }
    if (stream->ended)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (connection_is_gone(connection))
        return MHD_CONTENT_READER_END_WITH_ERROR;
    stream->rests = true;
    connection_enter(connection, PHASE_WAIT, 0);
    MHD_suspend_connection(connection->mhd);
    return 0;
}

/* ── From routes ────────────────────────────────────────────────────────────────────────────── */

int exchange_begin(struct exchange *exchange, const char *type, const char *pulse,
                   void (*drained)(struct exchange *exchange))
{
    struct incoming *incoming = incoming_of(exchange);
    void (*gone)(struct exchange * exchange) = exchange->gone;
    struct stream *stream = calloc(1, sizeof(*stream));
    struct MHD_Response *response =
        stream == NULL
            ? NULL
            : MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, read_part, incoming, NULL);
    if (response == NULL) {
        free(stream);
        return -1;
    }
    *stream = (struct stream){.pulse = pulse, .drained = drained, .sent_ms = monotonic_us() / 1000};
    incoming->stream = stream;
    metrics_add(&incoming->connection->http->metrics->streams, 1);
    metrics_add(&incoming->connection->http->metrics->streams_open, 1);
    exchange_header(exchange, "X-Accel-Buffering", "no"); /* nginx: pass each part on at once */
    incoming_answer_parts(incoming, type, response);
    exchange->gone = gone;
    return 0;
}

bool exchange_send(struct exchange *exchange, const char *data, size_t size)
{
    struct incoming *incoming = incoming_of(exchange);
    struct stream *stream = incoming->stream;
    if (!stream->failed && make_room(stream, size)) {
        memcpy(stream->data + stream->to, data, size);
        stream->to += size;
        answer_hold(incoming, size);
    } else {
        stream->failed = true;
    }
    wake(incoming);
    stream->full = stream->full || stream->to - stream->from >= STREAM_FULL;
    return !stream->full;
}

void exchange_end(struct exchange *exchange, unsigned status)
{
    struct incoming *incoming = incoming_of(exchange);
    exchange->gone = NULL;
    incoming->stream->ended = true;
    refusal_tell(incoming->connection, status);
    wake(incoming);
}

/* ── From connections ───────────────────────────────────────────────────────────────────────── */

void stream_pulse(struct incoming *incoming)
{
    exchange_send(&incoming->exchange, incoming->stream->pulse, strlen(incoming->stream->pulse));
}

void stream_close(struct incoming *incoming)
{
    if (incoming->stream == NULL)
        return;
    metrics_add(&incoming->connection->http->metrics->streams_open, -1);
    free(incoming->stream->data);
    free(incoming->stream);
    incoming->stream = NULL;
}
