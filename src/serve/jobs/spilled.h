/* Requests of large bodies that wait: the body stays in its file, and the objects that were made of
 * it are freed, and made again when the job starts. So waiting takes no memory. */
#ifndef SERVE_SPILLED_H
#define SERVE_SPILLED_H

#include "serve/jobs/service_job.h"

/* Takes over the body of a new job's exchange, if it is in a file, and weighs the job's ticket by
 * it. −1: out of memory. */
int spilled_keep(struct service_job *job);

/* The job waits (said once or more): frees its request, unless it is small or is in the body
 * itself. */
void spilled_enter(struct service_job *job);

/* The job starts: makes its request again. 0, or −1 when there is no memory. */
int spilled_leave(struct service_job *job, struct sb_error *err);

/* Frees the request and the body. */
void spilled_free(struct service_job *job);

#endif
