/* Capabilities: none, in any set, for ever. */
#include <sys/capability.h>
#include <sys/prctl.h>

#include "inside.h"

/* CAP_MODE_NOPRIV: empties effective, permitted, inheritable, ambient and bounding set and locks
 * the securebits (libcap's cap_set_mode(3)). no_new_privs then makes execve give nothing back. */
int capabilities_drop(struct inside *in)
{
    (void)in;
    if (cap_set_mode(CAP_MODE_NOPRIV) < 0)
        return -1;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}
