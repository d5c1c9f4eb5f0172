/* Keeps the head and the tail of a stream. See stream.h.
 *
 * Where bytes are missing, head and tail are cut to whole lines, or, where lines are very long, to
 * whole characters. Otherwise a reader could take two joined fragments for a line that the script
 * wrote. */
#include "core/stream.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"
#include "common/util.h"

/* The size of the head's last part that is handed on in whole lines only. */
#define WHOLE_LINES_MAX 4096
/* A head with a lower limit is not handed on before the end: to know where its last character ends
 * takes its last three bytes. */
#define HANDED_MIN 8

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

/* ── Keeping ───────────────────────────────────────────────────────────────────────────────── */

/* Makes room for `more` bytes and a NUL. Doubles it each time, but never beyond what may be
 * kept. */
static int grow(struct stream *stream, size_t more)
{
    size_t needed = stream->head_size + more + 1;
    if (needed <= stream->head_room)
        return 0;
    size_t room = stream->head_room ? stream->head_room : 4096;
    while (room < needed)
        room *= 2;
    room = MIN(room, stream->head_max + STREAM_MARK_MAX + stream->tail_max + 1);
    char *head = realloc(stream->head, room);
    if (head == NULL)
        return -1;
    stream->head = head;
    stream->head_room = room;
    return 0;
}

static int keep_head(struct stream *stream, const char *data, size_t size)
{
    if (size == 0)
        return 0;
    if (grow(stream, size) < 0)
        return -1;
    memcpy(stream->head + stream->head_size, data, size);
    stream->head_size += size;
    return 0;
}

/* `position`: the place of the first byte, counted from the end of the head. */
static int keep_tail(struct stream *stream, uint64_t position, const char *data, size_t size)
{
    if (size == 0 || stream->tail_max == 0)
        return 0;
    if (stream->tail == NULL && (stream->tail = malloc(stream->tail_max)) == NULL)
        return -1;
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

int stream_keep(struct stream *stream, const char *data, size_t size)
{
    uint64_t position = (uint64_t)stream->written, end = stream->head_max;
    size_t head = position < end ? MIN(size, (size_t)(end - position)) : 0;
    stream->written += (int64_t)size;
    if (keep_head(stream, data, head) < 0)
        return -1;
    return keep_tail(stream, position + head - end, data + head, size - head);
}

/* ── Cutting ───────────────────────────────────────────────────────────────────────────────── */

/* How much of the kept head is shown when bytes after it are missing. Halves are those of the whole
 * head, kept or handed on: to cut at a newline in the first half would lose too much. */
static size_t cut_head(const struct stream *stream)
{
    size_t half = stream->head_max / 2;
    size_t skipped = half > stream->handed ? MIN(half - stream->handed, stream->head_size) : 0;
    const char *newline = stream->head_size > skipped
                              ? memrchr(stream->head + skipped, '\n', stream->head_size - skipped)
                              : NULL;
    if (newline != NULL)
        return (size_t)(newline - stream->head) + 1;
    if (stream->handed > half && stream->last == '\n')
        return 0;
    return utf8_whole(stream->head, stream->head_size);
}

/* How much is left out at the beginning of the tail. The bytes before it are lost, so up to three
 * bytes that continue a character count as the end of one. */
static size_t cut_tail(const char *tail, size_t size)
{
    const char *newline = size > 0 ? memchr(tail, '\n', (size + 1) / 2) : NULL;
    if (newline != NULL)
        return (size_t)(newline - tail) + 1;
    size_t skip = 0;
    while (skip < MIN(size, 3) && utf8_continues(tail[skip]))
        skip++;
    return skip;
}

/* ── Handing on ────────────────────────────────────────────────────────────────────────────── */

/* The part of the head that is handed on as it comes. */
static size_t free_end(const struct stream *stream)
{
    return stream->head_max < HANDED_MIN
               ? 0
               : stream->head_max - MIN(stream->head_max / 2, (size_t)WHOLE_LINES_MAX);
}

size_t stream_ready(const struct stream *stream)
{
    size_t end = stream->handed + stream->head_size, whole = free_end(stream);
    if (end <= whole || stream->head_size == 0)
        return stream->head_size;
    if (end == stream->head_max)
        return cut_head(stream);
    size_t from = MAX(whole, stream->handed) - stream->handed;
    const char *newline = memrchr(stream->head + from, '\n', stream->head_size - from);
    return newline != NULL ? (size_t)(newline - stream->head) + 1 : from;
}

void stream_handed(struct stream *stream, size_t size)
{
    if (size == 0)
        return;
    stream->last = stream->head[size - 1];
    stream->handed += size;
    stream->head_size -= size;
    memmove(stream->head, stream->head + size, stream->head_size);
}

/* ── Showing ───────────────────────────────────────────────────────────────────────────────── */

/* Copies the last `size` bytes of the tail, in order. */
static void put_tail(struct stream *stream, char *to, size_t size)
{
    if (size == 0)
        return;
    uint64_t past = (uint64_t)stream->written - stream->head_max;
    size_t at = (past - size) % stream->tail_max;
    size_t first = MIN(size, stream->tail_max - at);
    memcpy(to, stream->tail + at, first);
    memcpy(to + first, stream->tail, size - first);
}

/* Writes the line that stands for missing bytes. */
static size_t put_mark(const struct stream *stream, char *to)
{
    bool any = stream->head_size > 0 || stream->handed > 0;
    char last = stream->head_size > 0 ? stream->head[stream->head_size - 1] : stream->last;
    char mark[STREAM_MARK_MAX];
    int size = snprintf(mark, sizeof(mark), "%s… %" PRId64 " bytes left out …\n",
                        any && last != '\n' ? "\n" : "", stream->dropped);
    memcpy(to, mark, (size_t)size);
    return (size_t)size;
}

/* Puts head, mark and tail together. The caller has made room. */
static void put_parts(struct stream *stream)
{
    size_t cut = cut_head(stream), left_out = stream->head_size - cut;
    char *tail = stream->head + stream->head_size + STREAM_MARK_MAX;
    put_tail(stream, tail, stream->tail_max);
    size_t skip = cut_tail(tail, stream->tail_max);
    stream->dropped = stream->written - (int64_t)(stream->head_max + stream->tail_max) +
                      (int64_t)(left_out + skip);
    stream->head_size = cut;
    stream->head_size += put_mark(stream, stream->head + cut);
    memmove(stream->head + stream->head_size, tail + skip, stream->tail_max - skip);
    stream->head_size += stream->tail_max - skip;
}

const char *stream_text(struct stream *stream, size_t *size)
{
    uint64_t written = (uint64_t)stream->written, head_max = stream->head_max;
    if (grow(stream, STREAM_MARK_MAX + stream->tail_max) < 0)
        return NULL;
    if (written > head_max + stream->tail_max) {
        put_parts(stream);
    } else if (written > head_max) {
        size_t past = (size_t)(written - head_max);
        put_tail(stream, stream->head + stream->head_size, past);
        stream->head_size += past;
    }
    stream->head[stream->head_size] = '\0';
    *size = stream->head_size;
    return stream->head;
}
