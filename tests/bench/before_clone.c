/* Measures how long a program runs before it makes its first namespaces, for tests/bench/bench.
 *
 *     before_clone PROGRAM [ARGS…]
 *
 * Prints the microseconds from the end of execve to the entry of the first clone3, clone or unshare
 * with CLONE_NEWUSER or CLONE_NEWPID. A seccomp filter stops the program at these calls alone and
 * ptrace tells us: every other call runs at its own speed, as it would not under strace. The
 * program then goes on without us; its output goes to /dev/null. Root only: the filter must not set
 * no_new_privs, which would change what the program does. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what)
{
    fprintf(stderr, "before_clone: %s: %s\n", what, strerror(errno));
    exit(2);
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Our architecture only: this measures the programs that we built. clone3's flags lie in memory,
 * where a filter can't look: any of them counts. */
static int install_filter(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 5, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unshare, 0, 2),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_NEWUSER | CLONE_NEWPID, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
    };
    struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

static void become(char **argv)
{
    int null = open("/dev/null", O_RDWR);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
        fail("/dev/null");
    /* Stopped, so that the tracer can say what it wants to hear of before anything happens. */
    if (ptrace(PTRACE_TRACEME, 0, 0, 0) < 0 || raise(SIGSTOP) != 0 || install_filter() < 0)
        fail("ptrace or seccomp (root is needed)");
    execv(argv[0], argv);
    fail(argv[0]);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fputs("usage: before_clone PROGRAM [ARGS…]\n", stderr);
        return 2;
    }
    pid_t pid = fork();
    if (pid < 0)
        fail("fork");
    if (pid == 0)
        become(argv + 1);

    int status;
    int64_t began = 0, clone_us = -1;
    if (waitpid(pid, &status, 0) < 0 ||
        ptrace(PTRACE_SETOPTIONS, pid, 0,
               PTRACE_O_TRACEEXEC | PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL) < 0)
        fail("ptrace");
    for (int deliver = 0;; deliver = WSTOPSIG(status)) {
        /* Delivering nothing for our own stops: those carry an event in the third byte. */
        if (status >> 16 != 0 || deliver == SIGSTOP)
            deliver = 0;
        if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8) && began == 0)
            began = now_ns(); /* it is stopped until the next line: the clock starts with it */
        if (ptrace(PTRACE_CONT, pid, 0, deliver) < 0 || waitpid(pid, &status, 0) < 0)
            fail("ptrace");
        if (!WIFSTOPPED(status))
            break;
        if (status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8) && clone_us < 0)
            clone_us = (now_ns() - began) / 1000;
    }
    if (clone_us < 0) {
        fputs("before_clone: the program ended before it made any namespace\n", stderr);
        return 1;
    }
    printf("%lld\n", (long long)clone_us);
    return 0;
}
