/* What tests/bench/bench hands to the programs that start contestants, and how one becomes the
 * contestant.
 *
 * Standard input holds the contestants, every field ended by NUL: name, directory to chroot into or
 * "", mount namespace to enter or "", file to hand over as descriptor 9 or "", port of the service
 * that is asked instead or "", number of environment strings, these, number of arguments, these.
 * "@N@" in an argument becomes a number that is new at each start. */
#ifndef BENCH_CONTESTANT_H
#define BENCH_CONTESTANT_H

#include <stddef.h>

enum { CONTESTANTS_MAX = 64, STRINGS_MAX = 96, LIMIT_MS = 60000, FILE_FD = 9 };

struct contestant {
    const char *chroot;   /* "": none */
    const char *mount_ns; /* "": ours */
    const char *file;     /* to be descriptor 9; "": none */
    const char *port;     /* nothing is started: argv[0] is the JSON of a request; "": a program */
    char *env[STRINGS_MAX];
    char *argv[STRINGS_MAX];
};

/* Reads standard input to its end, once. The strings stay until the program ends. Returns how many.
 */
int contestants_read(struct contestant contestants[CONTESTANTS_MAX]);
/* Replaces "@N@" by the number; the texts stay until the next call. */
char **contestant_arguments(const struct contestant *contestant, unsigned long number);
/* In a child of vfork, whose memory is its parent's: calls nothing but the kernel. */
_Noreturn void contestant_become(const struct contestant *contestant, char *const argv[], int out,
                                 int err, int null);

#endif
