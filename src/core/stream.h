/* What is shown of an output stream: all of it, or the first part and the last with a line between
 * them that tells how many bytes are missing. How much a script writes never decides how long it
 * lives, nor how much memory the supervisor needs. */
#ifndef SB_STREAM_H
#define SB_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The last part is at most this, and at most half of the limit. */
#define STREAM_TAIL_MAX (64 * 1024)

/* The longest line that stands for missing bytes, with the newlines around it. */
#define STREAM_MARK_MAX 64

struct stream {
    size_t head_max, tail_max; /* what may be kept of each */
    size_t handed;             /* how much of the first part was handed on, and is not kept */
    char last;                 /* of that, the last byte */
    char *head;                /* the first part from there on; NULL while nothing is kept */
    size_t head_size, head_room;
    char *tail;      /* a ring of tail_max bytes */
    int64_t written; /* all that came */
    int64_t dropped; /* of these, what stream_text does not show */
};

void stream_init(struct stream *stream, int64_t limit);
void stream_free(struct stream *stream);

/* Takes bytes in. −1: no memory. */
int stream_keep(struct stream *stream, const char *data, size_t size);

/* For a caller that passes output on live: how many bytes of stream->head it can have now. Up to
 * shortly before the end of the first part that is all of them; from there on only whole lines, as
 * the rest of a line may have to be left out. */
size_t stream_ready(const struct stream *stream);

/* They were handed on. */
void stream_handed(struct stream *stream, size_t size);

/* All that is left to show, as one NUL-terminated text, owned by the stream; nothing may be kept
 * afterwards. Where bytes are missing, the line "… N bytes left out …" stands for them. N is
 * stream->dropped. NULL: no memory. */
const char *stream_text(struct stream *stream, size_t *size);

#endif
