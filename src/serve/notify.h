/* What the service manager is told: sd_notify(3). Nothing where there is none. */
#ifndef SERVE_NOTIFY_H
#define SERVE_NOTIFY_H

#include <stdint.h>

enum notice { NOTICE_READY, NOTICE_RELOADING, NOTICE_STOPPING, NOTICE_ALIVE };

void notify_manager(enum notice notice);

/* How often NOTICE_ALIVE must be given, in milliseconds: half of what the manager waits. 0: never.
 */
int64_t notify_interval_ms(void);

#endif
