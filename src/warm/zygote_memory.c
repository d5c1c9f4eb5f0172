/* The part of libzygote that makes clones cheap. */
#include <linux/io_uring.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libzygote.h"

#define HUGE_PAGE ((uintptr_t)2 << 20)
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* Linux 6.1 */
#endif

/* fork(2) gives a child a copy at once of pages that are pinned, since who has pinned them may go
 * on writing to them. A ring that is never used pins buffers for as long as it is open. */
void zygote_pin(const struct iovec *spans, size_t count)
{
    struct io_uring_params params = {0};
    int ring = (int)syscall(SYS_io_uring_setup, 1, &params);
    if (ring >= 0 &&
        syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, spans, count) < 0)
        close(ring);
}

/* A library's constants and its text, side by side in memory and in their file, are one mapping
 * when both may be executed. Code that could make use of that is the job's, and can map what it
 * likes. */
void zygote_join(uintptr_t start, uintptr_t end)
{
    mprotect((void *)start, end - start, /* NOLINT(performance-no-int-to-ptr): found in a text */
             PROT_READ | PROT_EXEC);
}

/* Puts a copy in huge pages in the place of some memory that is read and executed, never written
 * to: as much of it as huge pages can cover. */
void zygote_make_huge(uintptr_t start, uintptr_t end)
{
    start = (start + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
    end &= ~(HUGE_PAGE - 1);
    if (start >= end)
        return;
    size_t size = end - start;
    char *room =
        mmap(NULL, size + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED)
        return;
    char *copy = room + (-(uintptr_t)room & (HUGE_PAGE - 1));
    void *place = (void *)start; /* NOLINT(performance-no-int-to-ptr): it was found in a text */
    madvise(copy, size, MADV_HUGEPAGE);
    memcpy(copy, place, size);
    if (madvise(copy, size, MADV_COLLAPSE) == 0 && mprotect(copy, size, PROT_READ | PROT_EXEC) == 0)
        mremap(copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, place);
    munmap(room, size + HUGE_PAGE);
}
