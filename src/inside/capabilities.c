/* Capabilities: none, in any set, for ever. */
#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>

#include "inside/calls.h"
#include "inside/inside.h"

/* Uid 0 gets no capabilities, a change of uid takes none, and these bits are locked
 * (capabilities(7)). */
#define SECUREBITS                                                                                 \
    (SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |                               \
     SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |       \
     SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

/* EINVAL: that was the last one. */
static int empty_bounding_set(void)
{
    for (unsigned long capability = 0; capability < 64; capability++)
        if (sys_prctl(PR_CAPBSET_DROP, capability, 0, 0) < 0)
            return errno == EINVAL && capability > CAP_SETFCAP ? 0 : -1;
    return 0;
}

/* Effective, permitted and inheritable. */
static int empty_sets(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
    return (int)syscall(SYS_capset, &header, none);
}

/* As libcap's cap_set_mode(CAP_MODE_NOPRIV), which asks twice about each capability and makes three
 * times as many system calls. Besides, libzygote has this file inside a python, without libcap.
 * The bounding set and the securebits must change while we still have CAP_SETPCAP; no_new_privs
 * then prevents execve from giving capabilities back. */
int capabilities_drop(struct inside *in)
{
    (void)in;
    if (sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0) < 0 || empty_bounding_set() < 0 ||
        sys_prctl(PR_SET_SECUREBITS, SECUREBITS, 0, 0) < 0 || empty_sets() < 0)
        return -1;
    return sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0);
}
