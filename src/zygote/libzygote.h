/* What libzygote does for zygote.py (zygote_module.c), in the order in which that asks for it. */
#ifndef SB_LIBZYGOTE_H
#define SB_LIBZYGOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

struct libzygote;

/* What a child is given. */
struct job {
    const char *strings; /* arguments, then the environment */
    size_t strings_size, arguments;
    const char *code;
    size_t code_size;
    bool more_files; /* than the script's own */
};

/* Of memory. */
struct spans {
    const struct iovec *at;
    size_t count;
};

/* Receives the configuration. NULL: none came. It lives as long as the process. */
struct libzygote *zygote_open(void);

/* These make clones cheap: they change what clones cost, and nothing else. Where the host does not
 * let us, they cost more. zygote_memory.py has the reasons. */
void zygote_join(uintptr_t start, uintptr_t end);
void zygote_make_huge(uintptr_t start, uintptr_t end);
void zygote_arrange(int plan); /* a file of zygote_memory.py's; closes it */
void zygote_settle(void);      /* in a child, while it waits */
void zygote_put_away_apart(struct spans away, struct spans constant);

/* As fork(2): −1 when it fails. The child dies with its zygote. Its memory, as much as is named, is
 * put away apart, and so will show what it touches. */
pid_t zygote_fork(struct spans away, struct spans constant);

/* In a child of fork(2): the job that zygote_take takes is this one (see struct job_head); what it
 * prints is for nobody. */
void zygote_pretend(struct libzygote *zygote, const struct job *job);

/* Tells the supervisor that children can be asked for, and clones them until it closes the socket.
 * Returns in a child, isolated. */
void zygote_serve(struct libzygote *zygote);

/* In the child: waits for the job and unpacks it. */
struct job zygote_take(struct libzygote *zygote);

/* Writes out what C code has printed. */
void zygote_flush(void);

#endif
