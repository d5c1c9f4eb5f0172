/* The record of a job in the log. */
#ifndef SERVE_JOB_LOG_H
#define SERVE_JOB_LOG_H

#include "sandbox.h"

struct service_job;

/* Logs a job that has ended. `status`: of the answer; 0: the client had left. */
void job_log(const struct service_job *job, const struct sb_verdict *verdict, unsigned status);

#endif
