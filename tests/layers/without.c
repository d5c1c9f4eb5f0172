/* sandbox-run with one of its layers switched off, for the tests alone: what a hostile script
 * reaches then shows which layer stopped it.
 *
 * The programs that are installed have no such switch, and no line of theirs knows of one: the
 * linker puts these functions in the places of the sandbox's own (--wrap), in this program only,
 * which is never installed. SANDBOX_WITHOUT names the layer; all others stay as they are. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "inside/inside.h"
#include "inside/mount.h"
#include "seccomp/seccomp.h"

static bool without(const char *layer)
{
    const char *name = getenv("SANDBOX_WITHOUT");
    return name != NULL && strcmp(name, layer) == 0;
}

/* The steps, and what else is replaced: __real_NAME is the sandbox's own. */
#define STEP(name)                                                                                 \
    int __real_##name(struct inside *in);                                                          \
    int __wrap_##name(struct inside *in);                                                          \
    int __wrap_##name(struct inside *in)
#define SKIPPED(name, layer)                                                                       \
    STEP(name)                                                                                     \
    {                                                                                              \
        return without(layer) ? 0 : __real_##name(in);                                             \
    }

SKIPPED(network_unshare, "network")
SKIPPED(cgroup_namespace, "cgroup_namespace")
SKIPPED(session_keyring, "keyring")

/* ── The filter, and Landlock ──────────────────────────────────────────────────────────────── */

int __real_filter_load(struct sock_fprog *program, const char *profile, struct sb_error *err);
int __wrap_filter_load(struct sock_fprog *program, const char *profile, struct sb_error *err);

/* One that allows everything. */
int __wrap_filter_load(struct sock_fprog *program, const char *profile, struct sb_error *err)
{
    int result = __real_filter_load(program, profile, err);
    if (result == 0 && without("seccomp")) {
        program->len = 1;
        program->filter[0] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    }
    return result;
}

STEP(landlock_prepare)
{
    if (!without("landlock"))
        return __real_landlock_prepare(in);
    in->ruleset = NO_LANDLOCK;
    return 0;
}

/* ── Privileges ────────────────────────────────────────────────────────────────────────────── */

static int set_capabilities(uint64_t permitted, uint64_t inheritable)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
    for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
        sets[i].effective = sets[i].permitted = (uint32_t)(permitted >> (32 * i));
        sets[i].inheritable = (uint32_t)(inheritable >> (32 * i));
    }
    return (int)syscall(SYS_capset, &header, sets);
}

static uint64_t all_capabilities(void)
{
    uint64_t all = 0;
    for (unsigned long i = 0; i < 64 && prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
        all |= UINT64_C(1) << i;
    return all;
}

/* All that the job's own user namespace has, across execve: ambient. */
static int keep_capabilities(void)
{
    uint64_t all = all_capabilities();
    if (set_capabilities(all, all) < 0)
        return -1;
    for (unsigned long i = 0; i < 64; i++)
        if ((all >> i & 1) != 0 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) < 0)
            return -1;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* A filter takes no_new_privs or CAP_SYS_ADMIN, which is kept until execve takes it. */
static int keep_new_privileges(void)
{
    for (unsigned long i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
        if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0)
            return -1;
    if (prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED, 0, 0, 0) < 0)
        return -1;
    return set_capabilities(UINT64_C(1) << CAP_SYS_ADMIN, 0);
}

STEP(capabilities_drop)
{
    if (without("capabilities"))
        return keep_capabilities();
    return without("no_new_privs") ? keep_new_privileges() : __real_capabilities_drop(in);
}

/* Process 1 may be looked into by those who have its user: by the script. */
STEP(ids_become_job)
{
    int result = __real_ids_become_job(in);
    return result == 0 && without("dumpable") ? prctl(PR_SET_DUMPABLE, 1) : result;
}

/* ── Files ─────────────────────────────────────────────────────────────────────────────────── */

int __real_mount_restrict(const char *path, uint64_t attributes);
int __wrap_mount_restrict(const char *path, uint64_t attributes);

int __wrap_mount_restrict(const char *path, uint64_t attributes)
{
    if (without("read_only"))
        attributes &= ~MOUNT_READ_ONLY;
    if (without("nosuid_nodev"))
        attributes &= ~(MOUNT_NOSUID | MOUNT_NODEV);
    return __real_mount_restrict(path, attributes);
}

/* The host's tree stays where it was, and the job's root becomes one by chroot. */
STEP(root_pivot)
{
    if (!without("pivot_root"))
        return __real_root_pivot(in);
    return chroot(".") < 0 ? -1 : chdir("/work");
}

/* All of it, to write. */
STEP(proc_mount)
{
    if (!without("proc"))
        return __real_proc_mount(in);
    return mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

/* ── What is inherited ─────────────────────────────────────────────────────────────────────── */

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

/* All but the C library's own calls come by here: those that close what others opened, and those
 * that make the job's namespaces. */
long __wrap_syscall(long number, ...)
{
    va_list list;
    long a[6];
    va_start(list, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(list, long);
    va_end(list);
    if (number == SYS_close_range && without("descriptors"))
        return 0;
    if (number == SYS_clone3 && without("ipc"))
        ((struct clone_args *)a[0])->flags &= ~(uint64_t)CLONE_NEWIPC;
    return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* None but that on core dumps: those would be the host's. */
STEP(rlimits_set)
{
    if (!without("rlimits"))
        return __real_rlimits_set(in);
    if (setrlimit(RLIMIT_CORE, &(struct rlimit){1, 1}) < 0)
        return -1;
    return setrlimit(RLIMIT_STACK, &(struct rlimit){STACK_BYTES, RLIM_INFINITY});
}
