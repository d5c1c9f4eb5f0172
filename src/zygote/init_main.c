/* pid 1 of a warm job, once the script's process has been cloned: a program of its own, because its
 * former memory is python's and now belongs to the script. It has no C library; its filter is
 * installed, and its file can't be read, so that the kernel does not let others inspect it.
 * start_script.c executes it, with the pid of the script's process as its only argument. */
#include "zygote/init_main.h"

#include <sys/prctl.h>

#include "inside/reaper.h"

/* When the supervisor hears that no other process is left, it gives the verdict at once, on this
 * CPU if that is free. Our own exit, which takes as long as a short script, can wait. */
#define PAUSE_NS 300000

__attribute__((used)) static _Noreturn void init_main(char *const *stack)
{
    long script = 0;
    for (const char *digit = stack[2]; *digit != '\0'; digit++) /* argc, argv[0], argv[1] */
        script = script * 10 + (*digit - '0');
    raw_syscall(SYS_prctl, PR_SET_NAME, (long)"init", 0, 0, 0); /* else the name is a number */
    reaper_run(INIT_CONTROL, INIT_REPORT, INIT_ENDED, script, PAUSE_NS);
    for (;;)
        raw_syscall(SYS_exit_group, 125, 0, 0, 0, 0);
}

/* The kernel starts a program with its arguments on the stack, and no return address. */
#if defined(__x86_64__)
__asm__(
    ".globl _start\n_start: xor %ebp, %ebp\n mov %rsp, %rdi\n and $-16, %rsp\n call init_main\n");
#else
__asm__(".globl _start\n_start: mov x29, #0\n mov x0, sp\n bl init_main\n");
#endif
