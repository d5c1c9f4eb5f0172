/* The filter of a job's pid 1. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "inside/inside.h"

/* The status of a child that has the filter and does this; it exits with what that returns. */
static int status_with_filter(int (*does)(void))
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
            syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &init_filter) < 0)
            _exit(99);
        syscall(SYS_exit_group, does()); /* _exit has sanitizers do more */
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static bool refused(long result)
{
    return result == -1 && errno == EPERM;
}

static int refuses_what_could_harm(void)
{
    return refused(syscall(SYS_openat, AT_FDCWD, "/", O_RDONLY)) &&
                   refused(syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0)) &&
                   refused(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)) &&
                   refused(syscall(SYS_kill, getppid(), 0)) && refused(syscall(SYS_setns, 0, 0)) &&
                   refused(syscall(SYS_mmap, 0, 4096, 3, 0x22, -1, 0))
               ? 0
               : 1;
}

static int waits_and_reports(void)
{
    return syscall(SYS_wait4, -1, NULL, WNOHANG, NULL) == -1 && errno == ECHILD &&
                   syscall(SYS_write, -1, "", 0) == -1 && errno == EBADF
               ? 0
               : 1;
}

#if defined(__x86_64__)
static int calls_as_a_32_bit_program(void)
{
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory");
    return 0;
}
#endif

static void pid_1_can_do_nothing_but_wait_and_report(void **state)
{
    (void)state;
    assert_int_equal(status_with_filter(waits_and_reports), 0);
    assert_int_equal(status_with_filter(refuses_what_could_harm), 0);
}

static void pid_1_dies_of_calls_of_another_architecture(void **state)
{
    (void)state;
#if defined(__x86_64__)
    int status = status_with_filter(calls_as_a_32_bit_program);
    assert_true(WIFSIGNALED(status));
    assert_true(WTERMSIG(status) == SIGSYS || WTERMSIG(status) == SIGSEGV); /* built without them */
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pid_1_can_do_nothing_but_wait_and_report),
        cmocka_unit_test(pid_1_dies_of_calls_of_another_architecture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
