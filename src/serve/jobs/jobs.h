/* Jobs on their way through the service: made, waiting, running, answered. */
#ifndef SERVE_JOBS_H
#define SERVE_JOBS_H

#include "serve/jobs/service_job.h"
#include "serve/jobs/service_state.h"

/* ── One job ─────────────────────────────────────────────────────────────────────────────────── */

/* What a job is made of. Texts are copied. */
struct job_origin {
    const struct requester *requester;
    void *owner;
    const struct client *client;
    const char *id, *endpoint;
    struct request *request; /* taken over, except for its contract; checked against … */
    const struct sb_policy *policy;
    struct policies *policies; /* the set that this one is from */
    size_t size;               /* of the body that it was read from */
};

/* Why no job is taken now, and the kind of refusal; NULL: jobs are taken. */
const char *jobs_lack(struct service *service, enum refusal *reason);

/* NULL: out of memory. */
struct service_job *job_make(struct service *service, const struct job_origin *origin);

/* Its answer is streamed or recorded; call it once, before the job enters. NULL is allowed. */
void job_give_stream(struct service_job *job, struct job_stream *stream);

/* Whether it asks for more than all jobs together get; `text` says so. */
bool job_never_fits(const struct service_job *job, char *text, size_t size);

/* Runs it, now or when its turn comes. */
enum job_entered job_enter(struct service_job *job);

/* Nobody waits for its answer any more: it is killed with that reason, or does not run at all. */
void job_abandon(struct service_job *job, const char *reason);

/* One that has not entered. */
void job_free(struct service_job *job);

/* ── All of them ─────────────────────────────────────────────────────────────────────────────── */

/* A job's request has to wait, or has another position in the queue. */
void job_waits(void *service, struct ticket *ticket);

/* Starts those whose turn it is, and refuses those that have waited too long or are too many. */
void jobs_pump(struct service *service);

/* Kills those that run, and refuses those that wait. */
void jobs_kill(struct service *service, const char *reason);

/* Frees them, after the sandbox has been closed. */
void jobs_free(struct service *service);

#endif
