/* Preloaded into user-mode Linux. It sets a process's extended registers (PTRACE_SETREGSET with
 * NT_X86_XSTATE) as a block of 2696 bytes, which ends with AVX-512. The kernel of a CPU that has
 * more, such as AMX, takes the whole block only, and user-mode Linux panics. What it leaves out it
 * also never lets a process use, so that stays as it is. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

enum { WHOLE_MAX = 64 * 1024 };

typedef long ptrace_function(int request, pid_t pid, void *address, void *data);

static long set_whole(ptrace_function *real, int request, pid_t pid, void *kind,
                      const struct iovec *part)
{
    static _Thread_local char whole[WHOLE_MAX];
    struct iovec all = {whole, sizeof(whole)};
    if (real(PTRACE_GETREGSET, pid, kind, &all) < 0)
        return -1;
    if (part->iov_len < all.iov_len)
        memcpy(whole, part->iov_base, part->iov_len);
    else
        all = *part;
    return real(request, pid, kind, &all);
}

long ptrace(enum __ptrace_request request, ...)
{
    ptrace_function *real = (ptrace_function *)(uintptr_t)dlsym(RTLD_NEXT, "ptrace");
    va_list arguments;
    va_start(arguments, request);
    pid_t pid = va_arg(arguments, pid_t);
    void *address = va_arg(arguments, void *), *data = va_arg(arguments, void *);
    va_end(arguments);
    if (request == PTRACE_SETREGSET && (uintptr_t)address == NT_X86_XSTATE)
        return set_whole(real, request, pid, address, data);
    return real((int)request, pid, address, data);
}
