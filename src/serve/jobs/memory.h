/* Whether the host has memory left for a further job. */
#ifndef SERVE_MEMORY_H
#define SERVE_MEMORY_H

#include <stdbool.h>

struct service;

/* Why no job is started for want of the host's memory, until it is asked again; NULL: it has some.
 * `look`: now, else as last seen. */
const char *memory_lack(struct service *service, bool look);

#endif
