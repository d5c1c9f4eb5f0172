/* A seccomp profile between its two forms: read from JSON (seccomp_profile.c), written as BPF
 * (seccomp_program.c). For one architecture; nothing outside these files needs it. */
#ifndef SB_SECCOMP_PROFILE_H
#define SB_SECCOMP_PROFILE_H

#include <linux/filter.h>

#include "sandbox.h"

enum {
    SECCOMP_MAX_GROUPS = 100,
    SECCOMP_MAX_CONDITIONS = 6, /* a system call has six arguments */
    SECCOMP_MAX_VALUES = 48,
};

/* Holds when the low 32 bits of the argument (or the high ones), masked, equal one of the values.
 */
struct seccomp_condition {
    uint32_t arg;
    bool high;
    uint32_t mask;
    uint32_t equals[SECCOMP_MAX_VALUES];
    size_t equals_count;
};

/* The call returns 0, and nothing is done. */
#define SECCOMP_IGNORE SECCOMP_RET_ERRNO

/* What is done with a call when all conditions hold. */
struct seccomp_group {
    uint32_t action; /* SECCOMP_RET_… with its data */
    struct seccomp_condition when[SECCOMP_MAX_CONDITIONS];
    size_t when_count;
};

struct seccomp_rule {
    uint32_t nr;
    size_t group;
};

/* For each call number the rules are tried in their order; the first group that holds decides, and
 * default_action when none does. */
struct seccomp_profile {
    uint32_t arch;           /* AUDIT_ARCH_… */
    uint32_t default_action; /* never allow or ignore */
    struct seccomp_group *groups;
    size_t groups_count;
    struct seccomp_rule *rules; /* in the order of numbers, and of groups for the same number */
    size_t rules_count;
};

/* "x86_64" or "aarch64", NULL for this machine's, to AUDIT_ARCH_…; 0 for any other. */
uint32_t seccomp_arch(const char *name);

/* Reads a profile for `arch`. `file` is for messages. The caller calls seccomp_profile_free. */
int seccomp_profile_read(struct seccomp_profile *profile, const char *text, size_t size,
                         const char *file, uint32_t arch, struct sb_error *err);
void seccomp_profile_free(struct seccomp_profile *profile);

/* Writes the program. The caller frees program->filter. */
int seccomp_program_build(struct sock_fprog *program, const struct seccomp_profile *profile,
                          const char *file, struct sb_error *err);

#endif
