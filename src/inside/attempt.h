/* Processes that try one feature for --doctor, or only exist: a user namespace is made with such a
 * process. */
#ifndef SB_ATTEMPT_H
#define SB_ATTEMPT_H

#include <stdint.h>
#include <sys/types.h>

/* Starts a process with these flags of clone3(2) that makes one of the attempts below. It exits
 * with 0, or with the errno of the failure. −1 with errno. */
pid_t attempt_start(uint64_t flags, int (*attempt)(void));

/* The attempts: 0, or −1 with errno. */
int attempt_nothing(void);
int attempt_wait(void); /* until it is killed, or its parent dies */
int attempt_mount_proc(void);
int attempt_hostname(void);
int attempt_mount_setattr(void);
int attempt_listener(void); /* a filter with a listener for refused calls */

#endif
