/* What the service manager is told: sd_notify(3). Nothing where there is none. It may be slow to
 * listen: nobody waits for that. */
#ifndef SERVE_NOTIFY_H
#define SERVE_NOTIFY_H

#include <stdint.h>

#include "serve/process/loop.h"

enum notice { NOTICE_READY, NOTICE_RELOADING, NOTICE_STOPPING, NOTICE_ALIVE };

struct manager;

/* NULL: no memory. */
struct manager *manager_open(void);
void manager_close(struct manager *manager);

/* As of a log (log.h). */
int manager_attach(struct manager *manager, struct loop *loop);
void manager_detach(struct manager *manager);
void manager_forked(struct manager *manager);

/* `status`: one line for `systemctl status`; NULL: as it was. */
void manager_tell(struct manager *manager, enum notice notice, const char *status);

/* How often NOTICE_ALIVE must be given, in milliseconds: half of what the manager waits. 0: never.
 */
int64_t notify_interval_ms(void);

#endif
