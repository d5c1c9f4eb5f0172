/* What this host has for jobs. */
#ifndef SERVE_CAPACITY_H
#define SERVE_CAPACITY_H

#include <stddef.h>
#include <stdint.h>

/* CPUs that jobs may want together, in thousandths: twice those that there are, so that a short job
 * need not wait for one that computes. */
int64_t capacity_millicpus(void);

/* As many jobs at once as want one CPU each, unless told otherwise; a part of a CPU counts as one.
 */
int64_t capacity_jobs(void);

/* Memory that may be promised to jobs: the host's, or what our own cgroup is allowed where that is
 * less, without what the rest of the host needs: a tenth, at least 256 MiB. */
int64_t capacity_memory(void);

/* The share that the worker of this number has of a total: at least 1, as a worker with none could
 * not work. */
int64_t capacity_share(int64_t total, int64_t workers, size_t worker);

#endif
