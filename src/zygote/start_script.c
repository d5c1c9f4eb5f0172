/* See start_script.h. */
#include "zygote/start_script.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include "common/util.h"
#include "inside/raw.h"
#include "zygote/embedded.h"
#include "zygote/init_main.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* Linux 6.3 */
#endif

/* glibc registers an area with the kernel for each thread (rseq(2)). A process that shares memory
 * begins without one, as a new thread does. */
#define RSEQ_SIZE 32
#define RSEQ_UNREGISTER 1
#if defined(__x86_64__)
#define RSEQ_SIGNATURE 0x53053053L
#else
#define RSEQ_SIGNATURE 0xd428bc00L
#endif
extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned __rseq_size __attribute__((weak));
extern const char *gnu_get_libc_version(void) __attribute__((weak));

/* State that fork(2) would set in the child, for the thread in which all children continue. */
static struct {
    int *tid; /* where the C library has its id */
    void *robust_list;
    size_t robust_list_size;
} thread;

/* pid 1's own data while memory is shared. */
static struct inside init;
static char init_script[24];
static char init_stack[8192] __attribute__((aligned(16)));

/* Execute-only, and without a writable descriptor, with which the kernel would refuse to execute
 * it. */
static int program_descriptor(void)
{
    char path[32];
    int fd = memfd_create("init", MFD_CLOEXEC | MFD_EXEC);
    if (fd < 0)
        fd = memfd_create("init", MFD_CLOEXEC);
    if (fd < 0)
        return -1;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int result = -1;
    if (write(fd, embedded_init, embedded_init_size) == (ssize_t)embedded_init_size &&
        fchmod(fd, 0111) == 0)
        result = open(path, O_PATH | O_CLOEXEC);
    close(fd);
    return result;
}

int start_script_prepare(void)
{
    if (gnu_get_libc_version == NULL || prctl(PR_GET_TID_ADDRESS, &thread.tid) < 0 ||
        syscall(SYS_get_robust_list, 0, &thread.robust_list, &thread.robust_list_size) < 0)
        return -1;
    return program_descriptor();
}

static int rseq(long flags)
{
    if (&__rseq_size == NULL || __rseq_size == 0)
        return 0;
    long area = (long)((char *)__builtin_thread_pointer() + __rseq_offset);
    return (int)raw_syscall(SYS_rseq, area, RSEQ_SIZE, flags, RSEQ_SIGNATURE, 0);
}

/* ── pid 1, from the clone on ──────────────────────────────────────────────────────────────── */

static char *decimal(char *end, long number)
{
    *--end = '\0';
    do
        *--end = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    return end;
}

static long keep(long fd, long as)
{
    return fd < 0 ? fd : raw_syscall(SYS_dup3, fd, as, 0, 0, 0);
}

/* Must not touch the memory of the C library, which belongs to the child. All other descriptors
 * close on execve, for which the child waits, or are the script's first four. */
__attribute__((used)) static _Noreturn void become_init(long script)
{
    uint64_t child = UINT64_C(1) << (SIGCHLD - 1);
    char *const argv[] = {(char *)"init", decimal(init_script + sizeof(init_script), script), NULL};
    char *const envp[] = {NULL};
    raw_syscall(SYS_rt_sigprocmask, SIG_BLOCK, (long)&child, 0, sizeof(child), 0);
    long ended =
        raw_syscall(SYS_signalfd4, -1, (long)&child, sizeof(child), SFD_CLOEXEC | SFD_NONBLOCK, 0);
    long result = keep(ended, INIT_ENDED);
    if (result >= 0)
        result = keep(init.control, INIT_CONTROL);
    if (result >= 0)
        result = keep(init.report, INIT_REPORT);
    raw_syscall(SYS_close, RESULT_FD, 0, 0, 0, 0);
    if (result >= 0)
        result = raw_syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, (long)&init_filter, 0, 0);
    if (result >= 0)
        result =
            raw_syscall(SYS_execveat, init.init, (long)"", (long)argv, (long)envp, AT_EMPTY_PATH);
    struct report report = {.kind = REPORT_FAILED, .step = init.step, .value = (int)-result};
    raw_syscall(SYS_write, init.report, (long)&report, sizeof(report), 0, 0);
    for (;;)
        raw_syscall(SYS_exit_group, 125, 0, 0, 0, 0);
}

/* clone(2) with shared memory. The child continues at the call, on this stack; pid 1 continues in
 * become_init, on a stack of its own. Returns 0 in the child, −errno in pid 1. */
static long clone_sharing(void)
{
    const long flags = CLONE_VM | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD;
    const long tid_address = (long)thread.tid;
    char *stack = init_stack + sizeof(init_stack);
#if defined(__x86_64__)
    long result;
    register long tid __asm__("r10") = tid_address;
    __asm__ volatile("syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jle 1f\n\t"
                     "mov %[stack], %%rsp\n\t"
                     "xor %%ebp, %%ebp\n\t"
                     "mov %%rax, %%rdi\n\t"
                     "call become_init\n"
                     "1:"
                     : "=a"(result)
                     : "a"(SYS_clone), "D"(flags), "S"(0L), "d"(0L), "r"(tid), [stack] "b"(stack)
                     : "rcx", "r11", "memory");
    return result;
#else
    register long number __asm__("x8") = SYS_clone;
    register long result __asm__("x0") = flags;
    register long new_stack __asm__("x1") = 0;
    register long parent_tid __asm__("x2") = 0;
    register long tls __asm__("x3") = 0;
    register long tid __asm__("x4") = tid_address;
    __asm__ volatile("svc 0\n\t"
                     "cmp x0, #0\n\t"
                     "b.le 1f\n\t"
                     "mov sp, %[stack]\n\t"
                     "mov x29, #0\n\t"
                     "bl become_init\n"
                     "1:"
                     : "+r"(result)
                     : "r"(number), "r"(new_stack), "r"(parent_tid), "r"(tls),
                       "r"(tid), [stack] "r"(stack)
                     : "memory", "x30");
    return result;
#endif
}

/* ── The script's process ──────────────────────────────────────────────────────────────────── */

/* Returns when pid 1 has left this memory; if pid 1 dies instead, this process dies, too. */
static int wait_for_memory(int *left)
{
    char none;
    close_fd(&left[1]);
    ssize_t n;
    do
        n = read(left[0], &none, 1);
    while (n < 0 && errno == EINTR);
    close_fd(&left[0]);
    syscall(SYS_set_robust_list, thread.robust_list, thread.robust_list_size);
    return n < 0 ? -1 : rseq(0);
}

static int start_sharing(struct inside *in)
{
    int left[2];
    if (pipe2(left, O_CLOEXEC) < 0)
        return -1;
    init = *in;
    long result = clone_sharing();
    if (result < 0) {
        errno = (int)-result;
        return -1;
    }
    in->script = 0;
    return wait_for_memory(left);
}

static int start_copying(struct inside *in)
{
    in->script = fork();
    return in->script < 0 ? -1 : 0;
}

int start_script(struct inside *in)
{
    bool share = in->init >= 0 && rseq(RSEQ_UNREGISTER) == 0;
    if ((share ? start_sharing(in) : start_copying(in)) < 0)
        return -1;
    if (in->script != 0)
        return 0;
    /* An execve would have made it dumpable again, which its own files in /proc need. */
    int (*failed)(struct inside * in) = NULL;
    if (landlock_restrict(in) < 0)
        failed = landlock_prepare;
    else if (setsid() < 0 || prctl(PR_SET_DUMPABLE, 1) < 0 || script_install_filter(in) < 0)
        failed = seccomp_available;
    if (failed != NULL) {
        report_send(in->report, &(struct report){.kind = REPORT_FAILED,
                                                 .step = inside_step_of(failed),
                                                 .value = errno});
        _exit(125);
    }
    /* At once, though most jobs are over before the supervisor uses it: calls that python and the
     * preloaded modules make after a fork may be refused, too, and must not wait for a job. */
    if (in->listener >= 0)
        listener_pass(in, in->channel, &(struct report){.kind = REPORT_LISTENER},
                      sizeof(struct report));
    close_fd(&in->control);
    close_fd(&in->report);
    close_fd(&in->init);
    close_fd(&in->ruleset);
    return 0;
}
