/* A policy as the core sees it: read from JSON once, checked, then constant. */
#ifndef SB_POLICY_H
#define SB_POLICY_H

#include "sandbox.h"

struct policy_mount {
    char *source; /* absolute path on the host */
    char *target; /* absolute path in the root file system, without ".." */
};

/* When python writes out what a script has printed. */
enum output_buffering { BUFFER_LINE, BUFFER_BLOCK, BUFFER_NONE };
/* Their names in policies, and for runner.py. */
extern const char *const output_buffering_names[BUFFER_NONE + 1];

/* Formats of a cell's figures, and their names in policies and for runner.py. */
enum figures { FIGURES_PNG, FIGURES_SVG };
extern const char *const figures_names[FIGURES_SVG + 1];

struct sb_policy {
    char *name;
    char *description;
    struct sb_limits limits;
    struct sb_limits caps;
    char **environment; /* "NAME=value", NULL-terminated */
    struct policy_mount *mounts;
    size_t mounts_count;
    char *seccomp;     /* path of the profile's JSON file, absolute or relative to the cwd */
    bool writable;     /* /tmp, /work and /dev/shm can be written */
    bool loopback;     /* lo is up in the job's network namespace */
    bool proc_masked;  /* full /proc with masks instead of subset=pid */
    bool output_kills; /* past output_bytes the job ends */
    unsigned char output_buffering; /* enum output_buffering */
    unsigned char figures;          /* enum figures */
    bool report_denied;             /* verdicts name refused calls that the profile marks */
    bool best_effort;               /* "enforcement": "best-effort" */
    unsigned allow_missing;         /* of enum sb_missing */
    bool warm;      /* "start": "warm": from a zygote, where the program keeps one */
    char **preload; /* modules that the zygote imports, NULL-terminated, never NULL; empty unless
                       warm */
};

/* The limits in force for a job: the policy's, changed by the request, within the caps.
 * An error names the limit and its cap. */
int policy_admit(struct sb_limits *effective, const struct sb_policy *policy,
                 const struct sb_limits *asked, struct sb_error *err);

#endif
