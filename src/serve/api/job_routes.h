/* The endpoints of jobs that outlast a connection. */
#ifndef SERVE_JOB_ROUTES_H
#define SERVE_JOB_ROUTES_H

struct exchange;

void jobs_submit(struct exchange *exchange);
void jobs_list(struct exchange *exchange);
void jobs_get(struct exchange *exchange);
void jobs_cancel(struct exchange *exchange);
void jobs_events(struct exchange *exchange);

#endif
