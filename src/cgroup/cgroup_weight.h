/* A cgroup's share of the CPUs in competition with others. */
#ifndef CGROUP_WEIGHT_H
#define CGROUP_WEIGHT_H

#include <stdint.h>

/* The kernel's default for cpu.weight. */
#define CGROUP2_WEIGHT 100

/* The part of a weight that the caller's nice value leaves. */
int64_t cgroup_weight(int64_t whole);

#endif
