/* The displays of a notebook cell, as they come on the result pipe before the runner's last
 * message. The script can write there, too: every byte is checked, and one that does not belong to
 * a display ends them. See rootfs/notebook.py. */
#ifndef SB_DISPLAYS_H
#define SB_DISPLAYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* "D" and the size of the bundle in hexadecimal. */
#define DISPLAY_HEAD 17

struct displays {
    char *text; /* "[" and the displays with commas between them, then the one that is coming */
    size_t size;
    size_t kept_size; /* of these, without the one that is coming */
    int64_t count, left_out;
    char head[DISPLAY_HEAD];
    size_t head_size;
    uint64_t rest; /* bytes of the bundle that are still to come */
    bool skipping; /* this bundle is past a limit: its bytes are dropped */
    bool over;     /* what comes now is not a display */
};

/* What is kept: 1 to `count` displays, `bytes` of JSON text in all. */
struct displays_limits {
    int64_t count, bytes;
};

/* Takes bytes. `each` is called for every display that is kept; NULL is allowed. Returns how many
 * bytes were taken: fewer than `size` when the displays are over. −1: out of memory. */
ssize_t displays_take(struct displays *displays, const struct displays_limits *limits,
                      const char *data, size_t size,
                      void (*each)(void *user, const char *json, size_t size), void *user);

/* Nothing more comes: counts a display that came in part, and completes the text, a JSON array. It
 * is owned by *displays. NULL: out of memory. */
const char *displays_end(struct displays *displays);

/* Leaves *displays empty. */
void displays_free(struct displays *displays);

/* Whether this is a display: a JSON object in valid UTF-8 whose keys are MIME types, each once, one
 * of them text/plain; types text/… and image/… have strings, and pictures other than SVG base64. */
bool display_valid(const char *json, size_t size);

#endif
