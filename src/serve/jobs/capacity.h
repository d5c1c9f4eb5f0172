/* The host's CPUs and memory for jobs. */
#ifndef SERVE_CAPACITY_H
#define SERVE_CAPACITY_H

#include <stdint.h>

/* CPUs that jobs may want together, in thousandths: twice the number of CPUs, so that a short job
 * need not wait for one that computes. */
int64_t capacity_millicpus(void);

/* The default number of jobs at once: as many as fit if each wants one CPU; at least 2. */
int64_t capacity_jobs(void);

/* Memory that may be promised to jobs: the host's, or our own cgroup's limit if that is less,
 * without what the rest of the host needs: a tenth, at least 256 MiB. */
int64_t capacity_memory(void);

#endif
