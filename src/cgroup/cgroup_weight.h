/* The share of the CPUs that a cgroup gets beside others. */
#ifndef CGROUP_WEIGHT_H
#define CGROUP_WEIGHT_H

#include <stdint.h>

/* cpu.weight of each cgroup, unless something is said. */
#define CGROUP2_WEIGHT 100

/* What the caller's nice value leaves of a weight. */
int64_t cgroup_weight(int64_t whole);

#endif
