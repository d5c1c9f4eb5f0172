/* Head and tail of a stream. See stream.h. */
#include "stream.h"

#include <stdlib.h>
#include <string.h>

#define MIN(a, b) ((a) < (b) ? (a) : (b))

void stream_init(struct stream *stream, int64_t limit)
{
    size_t tail = MIN((size_t)limit / 2, (size_t)STREAM_TAIL_MAX);
    *stream = (struct stream){.head_max = (size_t)limit - tail, .tail_max = tail};
}

void stream_free(struct stream *stream)
{
    free(stream->head);
    free(stream->tail);
    *stream = (struct stream){0};
}

size_t stream_head_part(const struct stream *stream, size_t size)
{
    if ((uint64_t)stream->written >= stream->head_max)
        return 0;
    return MIN(size, stream->head_max - (size_t)stream->written);
}

/* Room for `more` bytes and a NUL, doubling, but never beyond what may be kept. */
static int grow(struct stream *stream, size_t more)
{
    size_t needed = stream->head_size + more + 1;
    if (needed <= stream->head_room)
        return 0;
    size_t room = stream->head_room ? stream->head_room : 4096;
    while (room < needed)
        room *= 2;
    room = MIN(room, stream->head_max + stream->tail_max + 1);
    char *head = realloc(stream->head, room);
    if (head == NULL)
        return -1;
    stream->head = head;
    stream->head_room = room;
    return 0;
}

static int append(struct stream *stream, const char *data, size_t size)
{
    if (size == 0)
        return 0;
    if (grow(stream, size) < 0)
        return -1;
    memcpy(stream->head + stream->head_size, data, size);
    stream->head_size += size;
    return 0;
}

static int keep_tail(struct stream *stream, const char *data, size_t size)
{
    if (size == 0 || stream->tail_max == 0)
        return 0;
    if (stream->tail == NULL && (stream->tail = malloc(stream->tail_max)) == NULL)
        return -1;
    /* `written` already counts these bytes; their place in the ring follows from their place in the
     * stream. */
    uint64_t position = (uint64_t)stream->written - size - stream->head_max;
    if (size > stream->tail_max) {
        position += size - stream->tail_max;
        data += size - stream->tail_max;
        size = stream->tail_max;
    }
    size_t at = position % stream->tail_max;
    size_t first = MIN(size, stream->tail_max - at);
    memcpy(stream->tail + at, data, first);
    memcpy(stream->tail, data + first, size - first);
    return 0;
}

int stream_keep(struct stream *stream, const char *data, size_t size, size_t live)
{
    size_t head = stream_head_part(stream, size);
    stream->written += (int64_t)size;
    if (head > live && append(stream, data + live, head - live) < 0)
        return -1;
    return keep_tail(stream, data + head, size - head);
}

static uint64_t past_head(const struct stream *stream)
{
    return (uint64_t)stream->written > stream->head_max
               ? (uint64_t)stream->written - stream->head_max
               : 0;
}

int64_t stream_dropped(const struct stream *stream)
{
    uint64_t past = past_head(stream);
    return past > stream->tail_max ? (int64_t)(past - stream->tail_max) : 0;
}

void stream_tail(const struct stream *stream, struct stream_piece pieces[2])
{
    uint64_t past = past_head(stream);
    pieces[0] = pieces[1] = (struct stream_piece){stream->tail, 0};
    if (past == 0 || stream->tail_max == 0)
        return;
    if (past <= stream->tail_max) {
        pieces[0].size = (size_t)past;
        return;
    }
    size_t at = past % stream->tail_max;
    pieces[0] = (struct stream_piece){stream->tail + at, stream->tail_max - at};
    pieces[1] = (struct stream_piece){stream->tail, at};
}

const char *stream_text(struct stream *stream, size_t *size)
{
    struct stream_piece pieces[2];
    stream_tail(stream, pieces);
    for (int i = 0; i < 2; i++)
        if (append(stream, pieces[i].data, pieces[i].size) < 0)
            return NULL;
    *size = stream->head_size;
    if (grow(stream, 0) < 0)
        return NULL;
    stream->head[stream->head_size] = '\0';
    return stream->head;
}
