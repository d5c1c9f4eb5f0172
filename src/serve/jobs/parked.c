/* See parked.h. */
#include "serve/jobs/parked.h"

int parked_keep(struct service_job *job)
{
    if (!job->exchange->body_in_file)
        return 0;
    job->kept = exchange_keep_body(job->exchange);
    return job->kept != NULL ? 0 : -1;
}

void parked_enter(struct service_job *job)
{
    if (job->kept == NULL || job->request.from_form)
        return; /* the parts of a form are read where they are */
    job->read_as = job->request.endpoint;
    request_free(&job->request);
    job->parked = true;
}

int parked_leave(struct service_job *job, struct sb_error *err)
{
    size_t size;
    if (!job->parked)
        return 0;
    job->parked = false;
    const char *body = kept_body_text(job->kept, &size);
    if (request_read(&job->request, job->read_as, body, size, err) < 0)
        return -1;
    return request_check(&job->request, job->policy, err);
}

void parked_free(struct service_job *job)
{
    request_free(&job->request);
    kept_body_free(job->kept);
    job->kept = NULL;
}
