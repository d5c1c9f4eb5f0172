/* The script's process of a warm start. See start_script.h. */
#include "start_script.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "raw.h"
#include "util.h"

/* What glibc has registered with the kernel for the thread that all children go on in. A process
 * that shares memory begins without, as a new thread does. */
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

static struct {
    int *tid; /* where the C library has the thread's id; NULL: not known */
    void *robust_list;
    size_t robust_list_size;
} thread;

/* pid 1's own, once memory is shared. */
static struct inside init;
static int locked;
static char init_stack[16384] __attribute__((aligned(16)));

void start_script_prepare(void)
{
    if (gnu_get_libc_version == NULL || prctl(PR_GET_TID_ADDRESS, &thread.tid) < 0 ||
        syscall(SYS_get_robust_list, 0, &thread.robust_list, &thread.robust_list_size) < 0)
        thread.tid = NULL;
}

static int rseq(long flags)
{
    if (&__rseq_size == NULL || __rseq_size == 0)
        return 0;
    long area = (long)((char *)__builtin_thread_pointer() + __rseq_offset);
    return (int)raw_syscall(SYS_rseq, area, RSEQ_SIZE, flags, RSEQ_SIGNATURE, 0);
}

__attribute__((used)) static _Noreturn void go_on_as_init(long pid)
{
    init.script = (int)pid;
    init_run(&init);
}

/* clone(2) that shares the memory. The child goes on where it was called, on this stack; pid 1 goes
 * on in init_run, on its own. Returns 0 in the child, −errno in pid 1. */
static long clone_sharing(void)
{
    const long flags = CLONE_VM | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD;
    char *stack = init_stack + sizeof(init_stack);
#if defined(__x86_64__)
    long result;
    register long tid __asm__("r10") = (long)thread.tid;
    __asm__ volatile("syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jle 1f\n\t"
                     "mov %[stack], %%rsp\n\t"
                     "xor %%ebp, %%ebp\n\t"
                     "mov %%rax, %%rdi\n\t"
                     "call go_on_as_init\n"
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
    register long tid __asm__("x4") = (long)thread.tid;
    __asm__ volatile("svc 0\n\t"
                     "cmp x0, #0\n\t"
                     "b.le 1f\n\t"
                     "mov sp, %[stack]\n\t"
                     "mov x29, #0\n\t"
                     "bl go_on_as_init\n"
                     "1:"
                     : "+r"(result)
                     : "r"(number), "r"(new_stack), "r"(parent_tid), "r"(tls), "r"(tid),
                       [stack] "r"(stack)
                     : "memory", "x30");
    return result;
#endif
}

static int wait_until_locked(void)
{
    while (__atomic_load_n(&locked, __ATOMIC_ACQUIRE) == 0)
        raw_syscall(SYS_futex, (long)&locked, FUTEX_WAIT, 0, 0, 0);
    syscall(SYS_set_robust_list, thread.robust_list, thread.robust_list_size);
    return rseq(0);
}

/* A copy of the memory, as fork(2) makes it, where the C library is one that we don't know. */
static int start_apart(struct inside *in)
{
    in->script = fork();
    return in->script < 0 ? -1 : 0;
}

static int start_sharing(struct inside *in)
{
    init = *in;
    init.locked = &locked;
    long result = clone_sharing();
    if (result < 0) {
        errno = (int)-result;
        return -1;
    }
    in->script = 0;
    return wait_until_locked();
}

int start_script(struct inside *in)
{
    bool share = thread.tid != NULL && rseq(RSEQ_UNREGISTER) == 0;
    if ((share ? start_sharing(in) : start_apart(in)) < 0)
        return -1;
    if (in->script != 0)
        return 0;
    /* An execve would have made it dumpable again, which its own files in /proc need. */
    if (setsid() < 0 || prctl(PR_SET_DUMPABLE, 1) < 0 || init_install_filter(in) < 0) {
        inside_report(in, &(struct report){REPORT_FAILED, in->step - 1, errno});
        _exit(125);
    }
    close_fd(&in->control);
    close_fd(&in->report);
    return 0;
}
