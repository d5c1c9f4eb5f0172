/* Graded runs: one program, run once for each case, every one a job of its own. What the service
 * does with all of them; see graded_run.h for one of them. */
#ifndef SERVE_GRADED_H
#define SERVE_GRADED_H

#include <stdbool.h>

struct service;

/* Cases that were refused while others waited, too, enter again: the service's graded_timer. */
void graded_retry(void *service);

/* As streams_look: tells positions in the queue. Whether there are streams. */
bool graded_look(struct service *service);

/* The service stops: no further case enters. Call it when running jobs have been killed. */
void graded_stop(struct service *service);

/* Frees them, after all jobs have been freed. */
void graded_free(struct service *service);

#endif
