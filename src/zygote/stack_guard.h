/* The stack guard: the value by which functions notice, before they return, that their stack was
 * overwritten. All children of a zygote inherit the zygote's: an attacker who learns it in one job
 * could bypass it in the next.
 *
 * On x86-64 each thread has it at a fixed place (System V ABI: %fs:40), and new threads inherit it.
 * On aarch64 it is a read-only variable of the dynamic linker's. The pointer guard beside it can't
 * change, because it already hides pointers. */
#ifndef WARM_STACK_GUARD_H
#define WARM_STACK_GUARD_H

#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Call it where no function that has stored the old value will ever return. The first byte stays 0,
 * which ends strings. */
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
