/* The bounds of admission: what all jobs of the service, in all workers together, may take. */
#ifndef SERVE_BOUNDS_H
#define SERVE_BOUNDS_H

#include "sandbox.h"
#include "serve/config/config.h"
#include "serve/jobs/admit.h"
#include "serve/jobs/policies.h"

struct admit_bounds bounds_of(const struct config *config, const struct policies *policies);

/* The same, for a process that has no policies: reads them for it. */
int bounds_read(struct admit_bounds *bounds, const struct config *config, struct sb_error *err);

#endif
