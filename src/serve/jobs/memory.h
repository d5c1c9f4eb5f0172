/* Whether the host has memory left for a further job. */
#ifndef SERVE_MEMORY_H
#define SERVE_MEMORY_H

#include <stdbool.h>

struct service;

/* Why no job is started for want of the host's memory; NULL: it has enough. The text is valid until
 * the next call. `look`: looks now; else the answer may be as last seen. */
const char *memory_lack(struct service *service, bool look);

#endif
