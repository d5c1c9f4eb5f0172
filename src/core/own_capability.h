/* Capabilities of this process. */
#ifndef CORE_OWN_CAPABILITY_H
#define CORE_OWN_CAPABILITY_H

#include <stdbool.h>

/* Whether this thread has a capability (CAP_SETUID, …) in effect. */
bool own_capability(unsigned capability);

#endif
