/* Notices to the service manager: sd_notify(3). Without a manager they go nowhere. Sending never
 * waits for a manager that is slow. */
#ifndef SERVE_NOTIFY_H
#define SERVE_NOTIFY_H

#include <stdint.h>

#include "serve/process/loop.h"

enum notice { NOTICE_READY, NOTICE_RELOADING, NOTICE_STOPPING, NOTICE_ALIVE };

struct manager;

/* `stop_ms`: how long stopping may take. The manager is told so with NOTICE_STOPPING, and then
 * waits for so long, even if its own bound (TimeoutStopSec=) is shorter. NULL: no memory. */
struct manager *manager_open(int64_t stop_ms);
void manager_close(struct manager *manager);

/* As for a log (log.h). */
int manager_attach(struct manager *manager, struct loop *loop);
void manager_detach(struct manager *manager);
void manager_forked(struct manager *manager);

/* `status`: one line for `systemctl status`; NULL: unchanged. */
void manager_tell(struct manager *manager, enum notice notice, const char *status);

/* How often NOTICE_ALIVE must be sent, in milliseconds: half the time that the manager waits. 0:
 * never. */
int64_t notify_interval_ms(void);

#endif
