/* An output stream of a script. What is kept is all of it, or its first and last part with a line
 * between them that says how many bytes are missing. So the amount that a script writes does not
 * decide how long it lives, nor how much memory the supervisor needs. */
#ifndef SB_STREAM_H
#define SB_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The last part has at most this size, and at most half of the limit. */
#define STREAM_TAIL_MAX (64 * 1024)

/* The longest line that stands for missing bytes, with its newlines. */
#define STREAM_MARK_MAX 64

struct stream {
    size_t head_max, tail_max; /* the most that is kept of the first and the last part */
    size_t handed;             /* bytes of the first part that were handed on, and are not kept */
    char last;                 /* the last byte handed on */
    char *head;                /* the rest of the first part; NULL while nothing is kept */
    size_t head_size, head_room;
    char *tail;      /* a ring of tail_max bytes */
    int64_t written; /* bytes that came */
    int64_t dropped; /* bytes that stream_text leaves out */
};

void stream_init(struct stream *stream, int64_t limit);
void stream_free(struct stream *stream);

/* Takes bytes from the script. −1: out of memory. */
int stream_keep(struct stream *stream, const char *data, size_t size);

/* For callers that pass output on live: how many bytes of stream->head can be passed on now. Until
 * shortly before the end of the first part this is all of them; after that only whole lines, as the
 * rest of a line may have to be left out. */
size_t stream_ready(const struct stream *stream);

/* Notes that the first `size` bytes were handed on, and drops them. */
void stream_handed(struct stream *stream, size_t size);

/* All that has not been handed on, as one NUL-terminated text that the stream owns; nothing may be
 * kept afterwards. Where bytes are missing, the line "… N bytes left out …" stands for them, with N
 * in stream->dropped. NULL: out of memory. */
const char *stream_text(struct stream *stream, size_t *size);

#endif
