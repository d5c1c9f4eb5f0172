/* The value by which functions notice, before they return, that their stack was overwritten. All
 * children of a zygote have the zygote's: who learns it in one job could write past it in the next.
 *
 * On x86-64 each thread has it at a fixed place (System V ABI: %fs:40), and new threads take over
 * their maker's. On aarch64 it is a variable of the dynamic linker's that can't be written to. The
 * guard of pointers beside it can't change: those that it hides are there already. */
#ifndef WARM_STACK_GUARD_H
#define WARM_STACK_GUARD_H

#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Where no function that has stored the old value will ever return. Its first byte stays 0, at
 * which strings end. */
static inline void stack_guard_renew(void)
{
#if defined(__x86_64__)
    uint64_t guard;
    if (syscall(SYS_getrandom, &guard, sizeof(guard), 0) != sizeof(guard))
        _exit(125);
    __asm__ volatile("mov %0, %%fs:40" : : "r"(guard & ~UINT64_C(0xff)) : "memory");
#endif
}

#endif
