/* See cgroup_weight.h. */
#include "cgroup/cgroup_weight.h"

#include <sys/resource.h>

/* Each step of nice takes a fifth away, as for processes (sched_prio_to_weight in
 * kernel/sched/core.c). Nice values only count within a cgroup; between cgroups their weights
 * count. */
int64_t cgroup_weight(int64_t whole)
{
    int64_t weight = whole;
    for (int nice = getpriority(PRIO_PROCESS, 0); nice > 0; nice--)
        weight = (weight * 4 + 2) / 5;
    return weight;
}
