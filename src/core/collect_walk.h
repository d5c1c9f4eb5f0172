/* The search through the directories of a dead job. */
#ifndef SB_COLLECT_WALK_H
#define SB_COLLECT_WALK_H

#include "core/collect.h"

/* Enters the job's mount namespace and the user namespace that owns it, and reads there what
 * `collect` asks for, within SB_COLLECT_FILES and SB_COLLECT_BYTES. Blocks meanwhile. Errors become
 * entries of collect->left_out. */
void collect_walk(struct collect *collect, const struct sb_limits *limits, int mounts);

#endif
