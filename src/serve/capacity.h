/* What this host has for jobs. */
#ifndef SERVE_CAPACITY_H
#define SERVE_CAPACITY_H

#include <stdint.h>

/* CPUs that this process may use. */
int64_t capacity_cpus(void);

/* Memory that may be promised to jobs: the host's, or what our own cgroup is allowed where that is
 * less, without what the rest of the host needs: a tenth, at least 256 MiB. */
int64_t capacity_memory(void);

#endif
