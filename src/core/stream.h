/* What is kept of an output stream: the first part and the last, with the bytes between counted.
 * How much a script writes never decides how long it lives, nor how much memory the supervisor
 * needs. */
#ifndef SB_STREAM_H
#define SB_STREAM_H

#include <stddef.h>
#include <stdint.h>

/* The last part is at most this, and at most half of the limit. */
#define STREAM_TAIL_MAX (64 * 1024)

struct stream {
    size_t head_max, tail_max; /* what may be kept of each */
    char *head;                /* NULL while nothing is kept (live, or nothing came) */
    size_t head_size, head_room;
    char *tail;      /* a ring of tail_max bytes */
    int64_t written; /* all that came */
};

void stream_init(struct stream *stream, int64_t limit);
void stream_free(struct stream *stream);

/* How many of the next `size` bytes belong to the first part. The caller that passes output on live
 * hands these on itself, and the rest to stream_keep. */
size_t stream_head_part(const struct stream *stream, size_t size);

/* Counts and keeps bytes; the first `live` of them are only counted: they were handed on. −1: no
 * memory. */
int stream_keep(struct stream *stream, const char *data, size_t size, size_t live);

/* Bytes that came and were not kept. */
int64_t stream_dropped(const struct stream *stream);

/* The last part, in order: two pieces of the ring. */
struct stream_piece {
    const char *data;
    size_t size;
};
void stream_tail(const struct stream *stream, struct stream_piece pieces[2]);

/* First and last part as one NUL-terminated text, owned by the stream. NULL: no memory. */
const char *stream_text(struct stream *stream, size_t *size);

#endif
