/* The root file system on the host: its place, and what its record says (sandbox-rootfs(1)). */
#ifndef SB_ROOTFS_H
#define SB_ROOTFS_H

#include "policy/policy.h"

/* Where sandbox-rootfs puts the record and the runner. */
#define ROOTFS_RECORD "usr/lib/sandbox-run/rootfs.json"
#define ROOTFS_RUNNER "/usr/lib/sandbox-run/runner.pyc"
/* The record's format, and the protocol between the runner and verdict.c: rootfs/runner.py,
 * PROTOCOL. */
#define ROOTFS_FORMAT 1
#define RUNNER_PROTOCOL 5

struct rootfs {
    char *path;    /* absolute */
    char *python;  /* path in the root file system */
    char *version; /* of python: "3.11.2" */
};

/* Opens a root file system. `path` NULL: the configured place; `python` NULL: the record's. Free it
 * with rootfs_close, also after an error. */
int rootfs_open(struct rootfs *rootfs, const char *path, const char *python, struct sb_error *err);
/* Checks that jobs with uids other than its owner's may read it: by the modes of its top directory
 * and of the runner, which tell how it was made. */
int rootfs_check_modes(const struct rootfs *rootfs, struct sb_error *err);
/* Checks that the mounts of a policy have their sources on the host and their targets in the root
 * file system. */
int rootfs_check_mounts(const struct rootfs *rootfs, const struct sb_policy *policy,
                        struct sb_error *err);
void rootfs_close(struct rootfs *rootfs);

#endif
