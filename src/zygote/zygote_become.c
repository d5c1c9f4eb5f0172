/* See zygote_become.h.
 *
 * A zygote's python and modules may be hostile. So it is nobody on the host before python starts:
 * it has only the two capabilities to map ids and the one to mount and to enter network namespaces,
 * and only over its own user namespace; its signals reach only its own children; and calls that
 * neither they nor it ever need are refused. */
#include "zygote/zygote_become.h"

#include <linux/capability.h>
#include <linux/io_uring.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#include "common/append.h"
#include "common/util.h"
#include "inside/calls.h"
#include "inside/mount.h"
#include "zygote/protocol.h"

/* ── Its /proc ─────────────────────────────────────────────────────────────────────────────── */

static bool configure(int context, const char *key, const char *value)
{
    return syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, key, value, 0) == 0;
}

/* Linux before 5.8 does not know the option; there, such options would apply to all of the host's
 * mounts of /proc. */
int zygote_open_proc(bool whole)
{
    if (syscall(SYS_geteuid) != 0)
        return -1;
    _cleanup_sys_close_ int context = (int)syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC);
    if (context < 0 || !configure(context, "hidepid", "invisible") ||
        (!whole && !configure(context, "subset", "pid")) ||
        syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return -1;
    return (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC,
                        MOUNT_NOSUID | MOUNT_NODEV | MOUNT_NOEXEC);
}

/* It must be visible and uncovered: otherwise the kernel does not let jobs mount one
 * (mount_too_revealing in fs/namespace.c). It must not be read-only, since id maps are written
 * there.
 */
static int mount_proc(const struct becoming *becoming)
{
    if (becoming->proc < 0)
        return sys_mount("/proc", "proc", NULL, MS_BIND | MS_REC, NULL);
    return (int)syscall(SYS_move_mount, becoming->proc, "", AT_FDCWD, "proc",
                        MOVE_MOUNT_F_EMPTY_PATH);
}

/* ── Steps ─────────────────────────────────────────────────────────────────────────────────── */

static int attach_root(struct inside *in)
{
    return root_attach(in) < 0 ? -1 : root_bind_mounts(in);
}

/* Root is not mapped, so that the capabilities in our namespace stay: see ids_become_job. */
static int become_nobody(struct inside *in)
{
    const struct becoming *becoming = (const struct becoming *)in;
    if (becoming->uid == 0)
        return 0;
    return sys_setresgid(becoming->gid) < 0 ? -1 : sys_setresuid(becoming->uid);
}

/* The root file system as the jobs' own steps make it, once for all of them. A job's mounts cover
 * the parts that only the zygote has: /proc, and during imports the directories that modules may
 * write to. */
static int make_tree(struct inside *in)
{
    if (dev_mount(in) < 0 ||
        sys_mount("tmpfs", "tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") < 0 ||
        sys_mount("tmpfs", "work", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") < 0)
        return -1;
    return mount_proc((const struct becoming *)in);
}

/* Ambient, so that they survive execve with any uid. No file grants capabilities here. */
static int keep_capabilities(struct inside *in)
{
    (void)in;
    static const unsigned kept[] = {CAP_SETUID, CAP_SETGID, CAP_SYS_ADMIN};
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};
    for (unsigned capability = 0; capability <= CAP_LAST_CAP; capability++)
        if (capability != CAP_SETUID && capability != CAP_SETGID && capability != CAP_SYS_ADMIN &&
            sys_prctl(PR_CAPBSET_DROP, capability, 0, 0) < 0 && errno != EINVAL)
            return -1;
    for (size_t i = 0; i < ARRAY_LEN(kept); i++)
        data[0].permitted = data[0].effective = data[0].inheritable |= 1U << kept[i];
    if (syscall(SYS_capset, &header, data) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(kept); i++)
        if (sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, kept[i], 0) < 0)
            return -1;
    return sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0);
}

/* For zygote_pin: a ring that can only pin buffers. It is made here because the filter forbids it
 * later. Without a ring, clones cost more. */
static int make_ring(struct inside *in)
{
    (void)in;
    struct io_uring_params params = {.flags = IORING_SETUP_R_DISABLED};
    struct io_uring_restriction pin_alone = {.opcode = IORING_RESTRICTION_REGISTER_OP,
                                             .register_op = IORING_REGISTER_BUFFERS};
    _cleanup_sys_close_ int made = (int)syscall(SYS_io_uring_setup, 1, &params);
    /* If it has this very number already, it would be closed on execve. */
    _cleanup_sys_close_ int ring = sys_fcntl(made, F_DUPFD_CLOEXEC, ZYGOTE_RING + 1);
    sys_close_fd(&made);
    if (ring >= 0 &&
        syscall(SYS_io_uring_register, ring, IORING_REGISTER_RESTRICTIONS, &pin_alone, 1) == 0 &&
        syscall(SYS_io_uring_register, ring, IORING_REGISTER_ENABLE_RINGS, NULL, 0) == 0)
        sys_dup_to(ring, ZYGOTE_RING);
    return 0;
}

static int install_filter(struct inside *in)
{
    const struct becoming *becoming = (const struct becoming *)in;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &becoming->filter);
}

/* The changes of ids and capabilities have cleared it. */
static int die_with_supervisor(struct inside *in)
{
    (void)in;
    return sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0);
}

/* "step 'NAME'", which the supervisor turns into a sentence. */
static NO_RETURN void fail(int errors, const char *step)
{
    char text[128];
    uint64_t failed = (uint64_t)errno;
    char *end = append_text(append_text(text, "step '"), step);
    end = append_number(append_text(append_text(end, "'"), ZYGOTE_ERRNO), failed);
    sys_write(errors, text, (size_t)(end - text));
    sys_exit(125);
}

NO_RETURN void become_zygote(struct becoming *becoming, int socket, int lock)
{
    struct inside *in = &becoming->in;
    sys_close(socket);
    if (lock >= 0)
        sys_close(lock);
    die_with_supervisor(in);
    static const struct {
        const char *name;
        int (*step)(struct inside *in);
    } steps[] = {
        {"id maps", ids_await_maps},
        {"session", session_start},
        /* Before ids: perhaps only the caller may search the paths to these. */
        {"root file system", attach_root},
        {"ids", become_nobody},
        /* After ids: the kernel counts it as this user's, and files need a mapped owner. */
        {"keyring", session_keyring},
        {"tree", make_tree},
        {"pivot", root_pivot},
        {"hostname", hostname_set},
        {"descriptors", descriptors_arrange},
        {"ring", make_ring},
        {"rlimits", rlimits_set_zygote},
        {"capabilities", keep_capabilities},
        {"death", die_with_supervisor},
        /* After capabilities, with which no_new_privs comes. */
        {"signals", landlock_scope_signals},
        {"seccomp", install_filter},
    };
    int errors = in->fds[2];
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        if (steps[i].step(in) < 0)
            fail(errors, steps[i].name);
        if (steps[i].step == descriptors_arrange)
            errors = STDERR_FILENO;
    }
    sys_execve(in->argv[0], in->argv, in->envp);
    fail(errors, "exec");
}
