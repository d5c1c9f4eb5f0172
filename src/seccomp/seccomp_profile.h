/* A seccomp profile between its two forms: read from JSON (seccomp_profile.c), written as BPF
 * (seccomp_program.c). For one architecture; nothing outside these files needs it. */
#ifndef SB_SECCOMP_PROFILE_H
#define SB_SECCOMP_PROFILE_H

#include <linux/filter.h>
#include <linux/seccomp.h>

#include "sandbox.h"

enum {
    SECCOMP_MAX_GROUPS = 100,
    SECCOMP_MAX_CONDITIONS = 6, /* a system call has six arguments */
    SECCOMP_MAX_VALUES = 48,
    SECCOMP_NAME_SIZE = 32,
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

struct seccomp_name {
    char text[SECCOMP_NAME_SIZE];
    uint32_t value;
};

/* How refused calls of a group are reported to an operator, if a policy says "report_denied". */
struct seccomp_report {
    bool on;
    bool flags;                 /* the names are of bits, of which several may be set */
    uint32_t arg;               /* whose value is reported, */
    struct seccomp_name *names; /* by one of these names; NULL: the call's name tells enough */
    size_t names_count;
};

/* The action for a call when all conditions hold. */
struct seccomp_group {
    uint32_t action; /* SECCOMP_RET_… with its data */
    struct seccomp_condition when[SECCOMP_MAX_CONDITIONS];
    size_t when_count;
    struct seccomp_report report; /* off, unless the action is an errno */
};

struct seccomp_rule {
    uint32_t nr;
    size_t group;
    char name[SECCOMP_NAME_SIZE]; /* of the call; a longer one is cut */
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

/* Writes the program; with `report` the one described at filter_load. The caller frees
 * program->filter. */
int seccomp_program_build(struct sock_fprog *program, const struct seccomp_profile *profile,
                          bool report, const char *file, struct sb_error *err);

/* The rule that decides a call, of this profile's architecture; NULL when none does. */
const struct seccomp_rule *seccomp_profile_decides(const struct seccomp_profile *profile,
                                                   const struct seccomp_data *data);

#endif
