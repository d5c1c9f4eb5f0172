/* A stored job, as clients see it. */
#ifndef SERVE_STORED_JOB_H
#define SERVE_STORED_JOB_H

#include "common/json_writer.h"
#include "serve/jobs/job_stream.h"
#include "serve/store/store.h"

/* {"id", "state", "policy", "created", "started", "ended", "tries", "reason"}, and with `whole`
 * "position", "status" and "answer". */
void stored_job_write(struct json_writer *writer, const struct store_job *job, bool whole);

/* The events of a job: "start"; then, for one that has ended, `with_output` what its answer holds,
 * and "verdict". The exchange has begun an answer of that form. */
void stored_job_send_start(const struct store_job *job, const struct stream_form *form,
                           struct exchange *exchange);
void stored_job_send_end(const struct store_job *job, const struct stream_form *form,
                         struct exchange *exchange, bool with_output);

#endif
