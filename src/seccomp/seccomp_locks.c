/* Under a policy without writable files record locks are refused, in front of the profile's own
 * program. The kernel charges the 192 bytes of a lock to nobody, takes any number of them, on files
 * that can only be read as well, and nothing that a job can see is protected by them there. A
 * filter sees neither the file nor the range, so where files can be written, and sqlite3 locks
 * them, this is not for the filter to bound: see floor.c. */
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>

#include "common/error.h"
#include "common/util.h"
#include "seccomp/seccomp.h"
#include "seccomp/seccomp_profile.h"

/* The kernel's numbers, for both architectures. */
enum { SETLK = 6, SETLKW = 7, OFD_SETLK = 37, OFD_SETLKW = 38 };

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define IF_NOT(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip)
#define IF(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, skip, 0)

int filter_refuse_locks(struct sock_fprog *program, struct sb_error *err)
{
    /* The low half of the second argument: the kernel reads no more of it. */
    const struct sock_filter first[] = {
        LOAD(arch),
        IF_NOT(seccomp_arch(NULL), 8),
        LOAD(nr),
        IF_NOT(SYS_fcntl, 6),
        LOAD(args[1]),
        IF(SETLK, 3),
        IF(SETLKW, 2),
        IF(OFD_SETLK, 1),
        IF_NOT(OFD_SETLKW, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOLCK),
    };
    size_t length = program->len + ARRAY_LEN(first);
    struct sock_filter *code = length <= BPF_MAXINSNS ? malloc(length * sizeof(*code)) : NULL;
    if (code == NULL)
        return sb_fail(err, "seccomp", ENOMEM, "can't allocate a seccomp filter");
    memcpy(code, first, sizeof(first));
    memcpy(code + ARRAY_LEN(first), program->filter, program->len * sizeof(*code));
    free(program->filter);
    *program = (struct sock_fprog){.len = (unsigned short)length, .filter = code};
    return 0;
}
