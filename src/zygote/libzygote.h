/* The functions of libzygote for zygote.py (zygote_module.c), in the order of their calls. */
#ifndef SB_LIBZYGOTE_H
#define SB_LIBZYGOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

struct libzygote;

/* The job of a child. */
struct job {
    const char *strings; /* arguments, then the environment */
    size_t strings_size, arguments;
    const char *code;
    size_t code_size;
    bool more_files; /* besides the script's own */
    void *mapping;   /* of a large job, with all of these; else NULL */
    size_t mapping_size;
};

/* Ranges of memory. */
struct spans {
    const struct iovec *at;
    size_t count;
};

/* Receives the configuration, which is never freed. NULL: none came. */
struct libzygote *zygote_open(void);

/* These make clones cheap, and have no other effect. Where the host does not allow them, clones
 * cost more. zygote_memory.py has the reasons. */
void zygote_join(uintptr_t start, uintptr_t end);
void zygote_make_huge(uintptr_t start, uintptr_t end);
void zygote_arrange(int plan); /* a file of zygote_memory.py's; closes it */
void zygote_settle(void);      /* in a child, while it waits */
void zygote_put_away_apart(struct spans away, struct spans constant);

/* As fork(2): −1 when it fails. The child dies with its zygote. The given ranges of its memory are
 * put away page by page, so that they show which pages it touches. */
pid_t zygote_fork(struct spans away, struct spans constant);

/* In a child of fork(2): zygote_take will take this job (see struct job_head); its output is
 * discarded. */
void zygote_pretend(struct libzygote *zygote, const struct job *job);

/* Tells the supervisor that the zygote is ready, and clones children on request until the
 * supervisor closes the socket. Returns in an isolated child. */
void zygote_serve(struct libzygote *zygote);

/* In the child: waits for the job and unpacks it. */
struct job zygote_take(struct libzygote *zygote);

/* The job has been copied: its mapping goes, if it has one. */
void zygote_release(const struct job *job);

/* Flushes the output of C code. */
void zygote_flush(void);

#endif
