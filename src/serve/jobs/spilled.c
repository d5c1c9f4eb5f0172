/* See spilled.h. */
#include "serve/jobs/spilled.h"

#include "serve/jobs/service_state.h"

int spilled_keep(struct service_job *job)
{
    if (!job->exchange->body_in_file)
        return 0;
    int64_t size = (int64_t)job->exchange->body_size;
    job->kept = exchange_keep_body(job->exchange);
    if (job->kept == NULL)
        return -1;
    /* When the queue is full of such bodies, a quarter of their room is left for those that arrive.
     * The client that holds the most loses one then, as with requests in memory. */
    double full = (double)kept_body_bound(job->kept) * 0.75;
    job->ticket.size = (int64_t)((double)size / full * (double)job->service->bounds.queue_bytes);
    return 0;
}

void spilled_enter(struct service_job *job)
{
    if (job->spilled || job->kept == NULL || job->request.from_form)
        return; /* the parts of a form are read where they are */
    if (!kept_body_restore(job->kept))
        return;
    job->read_as = job->request.endpoint;
    request_free(&job->request);
    job->spilled = true;
}

int spilled_leave(struct service_job *job, struct sb_error *err)
{
    size_t size;
    if (!job->spilled)
        return 0;
    job->spilled = false;
    char *body = kept_body_text(job->kept, &size);
    if (request_read_in_place(&job->request, job->read_as, body, size, err) < 0)
        return -1;
    return request_check(&job->request, job->policy, err);
}

void spilled_free(struct service_job *job)
{
    request_free(&job->request);
    kept_body_free(job->kept);
    job->kept = NULL;
}
