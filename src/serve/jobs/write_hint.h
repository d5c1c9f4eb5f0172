/* What helps code that could write no file: another policy. */
#ifndef SERVE_WRITE_HINT_H
#define SERVE_WRITE_HINT_H

#include "serve/jobs/service_job.h"

/* The error of a job that was refused to write a file by its policy, and behind it a sentence that
 * names the policies which its client could use. NULL: the job was not, there are none, or memory
 * is short. The caller frees it. */
char *write_hint(const struct service_job *job, const struct sb_verdict *verdict);

#endif
