/* System calls of the steps, each as in its manual page: −1 with errno when it fails.
 *
 * A job's first process is a copy of a program that may have other threads. The copy lacks these
 * threads, but has the locks that they held at that moment, which are never released: malloc's,
 * stdio's, the dynamic linker's. Some functions of the C library even wait for the other threads
 * themselves (setresuid), or end the process when a thread was to be cancelled (open, read, close).
 * So code between a clone and execve makes the kernel's calls directly, and calls only those
 * functions of the library that just compute: a test has the list (test_threads.py). */
#ifndef SB_CALLS_H
#define SB_CALLS_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/no_return.h"

/* The kernel's set of signals. */
#define SIGNALS_BYTES 8

/* ── Files and descriptors ─────────────────────────────────────────────────────────────────── */

static inline int sys_openat(int directory, const char *path, int flags, mode_t mode)
{
    return (int)syscall(SYS_openat, directory, path, flags, mode);
}

static inline int sys_open(const char *path, int flags)
{
    return sys_openat(AT_FDCWD, path, flags, 0);
}

static inline ssize_t sys_read(int fd, void *data, size_t size)
{
    return syscall(SYS_read, fd, data, size);
}

static inline ssize_t sys_write(int fd, const void *data, size_t size)
{
    return syscall(SYS_write, fd, data, size);
}

static inline ssize_t sys_pwrite(int fd, const void *data, size_t size, off_t offset)
{
    return syscall(SYS_pwrite64, fd, data, size, offset);
}

static inline int sys_close(int fd)
{
    return (int)syscall(SYS_close, fd);
}

/* As util.h has them. */
static inline void sys_close_fd(int *fd)
{
    int saved = errno;
    if (*fd >= 0)
        sys_close(*fd);
    errno = saved;
    *fd = -1;
}

#define _cleanup_sys_close_ __attribute__((cleanup(sys_close_fd)))

static inline int sys_fcntl(int fd, int command, long argument)
{
    return (int)syscall(SYS_fcntl, fd, command, argument);
}

/* dup2(2), for numbers that differ. */
static inline int sys_dup_to(int from, int to)
{
    return (int)syscall(SYS_dup3, from, to, 0);
}

static inline int sys_memfd_create(const char *name, unsigned flags)
{
    return (int)syscall(SYS_memfd_create, name, flags);
}

static inline int sys_mkdirat(int directory, const char *path, mode_t mode)
{
    return (int)syscall(SYS_mkdirat, directory, path, mode);
}

static inline int sys_chmod(const char *path, mode_t mode)
{
    return (int)syscall(SYS_fchmodat, AT_FDCWD, path, mode);
}

static inline int sys_unlinkat(int directory, const char *path)
{
    return (int)syscall(SYS_unlinkat, directory, path, 0);
}

static inline int sys_chdir(const char *path)
{
    return (int)syscall(SYS_chdir, path);
}

static inline int sys_fchdir(int fd)
{
    return (int)syscall(SYS_fchdir, fd);
}

static inline int sys_ioctl(int fd, unsigned long request, void *argument)
{
    return (int)syscall(SYS_ioctl, fd, request, argument);
}

static inline int sys_poll_now(struct pollfd *fds, unsigned count)
{
    struct timespec none = {0};
    return (int)syscall(SYS_ppoll, fds, count, &none, NULL, 0);
}

/* ── Mounts and namespaces ─────────────────────────────────────────────────────────────────── */

static inline int sys_mount(const char *source, const char *target, const char *type,
                            unsigned long flags, const void *data)
{
    return (int)syscall(SYS_mount, source, target, type, flags, data);
}

static inline int sys_unmount(const char *target, int flags)
{
    return (int)syscall(SYS_umount2, target, flags);
}

static inline int sys_unshare(int flags)
{
    return (int)syscall(SYS_unshare, flags);
}

/* ── Processes ─────────────────────────────────────────────────────────────────────────────── */

static inline int sys_prctl(int option, unsigned long a, unsigned long b, unsigned long c)
{
    return (int)syscall(SYS_prctl, option, a, b, c, 0UL);
}

static inline int sys_setsid(void)
{
    return (int)syscall(SYS_setsid);
}

/* Of the only thread. */
static inline int sys_setresuid(uid_t uid)
{
    return (int)syscall(SYS_setresuid, uid, uid, uid);
}

static inline int sys_setresgid(gid_t gid)
{
    return (int)syscall(SYS_setresgid, gid, gid, gid);
}

static inline int sys_getrlimit(int resource, struct rlimit *limit)
{
    return (int)syscall(SYS_prlimit64, 0, resource, NULL, limit);
}

static inline int sys_setrlimit(int resource, const struct rlimit *limit)
{
    return (int)syscall(SYS_prlimit64, 0, resource, limit, NULL);
}

static inline int sys_execve(const char *path, char *const *argv, char *const *envp)
{
    return (int)syscall(SYS_execve, path, argv, envp);
}

static inline NO_RETURN void sys_exit(int status)
{
    for (;;)
        syscall(SYS_exit_group, status);
}

/* As clone(3): the child runs on a stack of its own, whose upper end is given, and exits with the
 * result of `run`. Not the C library's clone, which sanitizers replace by their own. */
static inline pid_t sys_clone(int (*run)(void *user), void *stack, unsigned long flags, void *user)
{
#if defined(__x86_64__)
    long result;
    register void *in_child __asm__("r12") = (void *)run;
    register void *argument __asm__("r13") = user;
    register long none __asm__("r10") = 0;
    register long no_tls __asm__("r8") = 0;
    __asm__ volatile(
        "syscall\n\t"
        "test %%rax, %%rax\n\t"
        "jnz 1f\n\t"
        "xor %%ebp, %%ebp\n\t"
        "mov %[user], %%rdi\n\t"
        "call *%[run]\n\t"
        "mov %%eax, %%edi\n\t"
        "mov %[exit], %%eax\n\t"
        "syscall\n"
        "1:"
        : "=a"(result)
        : "a"(SYS_clone), "D"(flags), "S"(stack), "d"(0L), "r"(none),
          "r"(no_tls), [run] "r"(in_child), [user] "r"(argument), [exit] "i"(SYS_exit_group)
        : "rcx", "r11", "memory");
#elif defined(__aarch64__)
    register long number __asm__("x8") = SYS_clone;
    register long result __asm__("x0") = (long)flags;
    register void *new_stack __asm__("x1") = stack;
    register long none __asm__("x2") = 0;
    register long no_tls __asm__("x3") = 0;
    register long no_tid __asm__("x4") = 0;
    register void *in_child __asm__("x19") = (void *)run;
    register void *argument __asm__("x20") = user;
    __asm__ volatile(
        "svc 0\n\t"
        "cbnz x0, 1f\n\t"
        "mov x29, #0\n\t"
        "mov x0, %[user]\n\t"
        "blr %[run]\n\t"
        "mov x8, %[exit]\n\t"
        "svc 0\n"
        "1:"
        : "+r"(result)
        : "r"(number), "r"(new_stack), "r"(none), "r"(no_tls),
          "r"(no_tid), [run] "r"(in_child), [user] "r"(argument), [exit] "i"(SYS_exit_group)
        : "memory", "x30");
#else
#error "sys_clone knows x86-64 and aarch64"
#endif
    if (result < 0)
        errno = (int)-result;
    return result < 0 ? -1 : (pid_t)result;
}

/* As the kernel has it: the action and the rest of struct sigaction in its order, all zeros. */
static inline int sys_signal_default(int signal)
{
    static const unsigned long standard[4]; /* SIG_DFL is 0 */
    return (int)syscall(SYS_rt_sigaction, signal, standard, NULL, SIGNALS_BYTES);
}

/* `how` as in sigprocmask(2); bit n − 1 is signal n. */
static inline int sys_signal_mask(int how, uint64_t signals)
{
    return (int)syscall(SYS_rt_sigprocmask, how, &signals, NULL, SIGNALS_BYTES);
}

/* ── Messages ──────────────────────────────────────────────────────────────────────────────── */

static inline int sys_socket(int family, int type)
{
    return (int)syscall(SYS_socket, family, type, 0);
}

static inline ssize_t sys_send(int socket, const void *data, size_t size)
{
    return syscall(SYS_sendto, socket, data, size, MSG_NOSIGNAL, NULL, 0);
}

static inline ssize_t sys_sendmsg(int socket, const struct msghdr *message)
{
    return syscall(SYS_sendmsg, socket, message, MSG_NOSIGNAL);
}

#endif
