/* The part of libzygote that makes clones cheap. zygote_memory.py has the reasons. */
#include <fcntl.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/util.h"
#include "zygote/libzygote.h"
#include "zygote/protocol.h"

#define HUGE_PAGE ((uintptr_t)2 << 20)
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* Linux 6.1 */
#endif

static bool holds(const struct iovec *part, const void *address)
{
    return (uintptr_t)address - (uintptr_t)part->iov_base < part->iov_len;
}

/* Moves the contents of some memory into a sealed file, and maps the file in its place. Apart: each
 * page is a mapping of its own, or the kernel would read in its neighbours, too; the pages are in
 * reverse order in the file, or the kernel would merge the mappings. */
static void put_away(struct spans parts, int protection, bool apart)
{
    _cleanup_close_ int fd = memfd_create("zygote", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    off_t end = 0;
    if (fd < 0)
        return;
    for (size_t i = 0; i < parts.count; i++) {
        char *start = parts.at[i].iov_base;
        size_t size = parts.at[i].iov_len, step = apart ? page : size;
        /* These change while we read them, and the kernel writes to the first (rseq). */
        if (holds(&parts.at[i], __builtin_thread_pointer()) || holds(&parts.at[i], &fd))
            continue;
        end += (off_t)size;
        for (size_t at = 0; at < size; at += step) {
            off_t place = end - (off_t)(at + step);
            if (pwrite(fd, start + at, step, place) != (ssize_t)step ||
                mmap(start + at, step, protection, MAP_PRIVATE | MAP_FIXED, fd, place) ==
                    MAP_FAILED)
                return;
        }
    }
    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
}

void zygote_put_away_apart(struct spans away, struct spans constant)
{
    put_away(away, PROT_READ | PROT_WRITE, true);
    put_away(constant, PROT_READ | PROT_EXEC, true);
}

/* fork(2) copies pinned pages for the child at once, since a device may go on writing to them. An
 * unused ring pins buffers as long as it is open. False: the host does not give us a ring, or not
 * enough of RLIMIT_MEMLOCK, which all zygotes of a uid share. */
static bool pin(struct spans spans)
{
    return syscall(SYS_io_uring_register, ZYGOTE_RING, IORING_REGISTER_BUFFERS, spans.at,
                   spans.count) == 0;
}

/* A touch of these would read in their neighbours, too. */
static void bring_in(struct spans spans)
{
    for (size_t i = 0; i < spans.count; i++)
        madvise(spans.at[i].iov_base, spans.at[i].iov_len, MADV_POPULATE_WRITE);
}

static void protect(struct spans spans, int protection)
{
    for (size_t i = 0; i < spans.count; i++)
        mprotect(spans.at[i].iov_base, spans.at[i].iov_len, protection);
}

/* The format of zygote_memory.py: for each of these its count, then its spans. */
struct plan {
    struct spans constants, text;    /* mappings of files that are never written to */
    struct spans touched, untouched; /* of them, by jobs */
    struct spans away;               /* mappings that can be written to */
    struct spans read, written;      /* of all that can be written to, by jobs */
};

/* Replaces pages of a file, which fork(2) does not pass on, by pages of our own, which it does. In
 * such a mapping it would also pass on cached pages of the file, so these are dropped. Whole
 * mappings are changed: parts would never merge again. */
static void copy(const struct plan *plan)
{
    protect(plan->text, PROT_READ | PROT_WRITE | PROT_EXEC);
    protect(plan->constants, PROT_READ | PROT_WRITE);
    bring_in(plan->touched);
    protect(plan->text, PROT_READ | PROT_EXEC);
    protect(plan->constants, PROT_READ);
    for (size_t i = 0; i < plan->untouched.count; i++)
        madvise(plan->untouched.at[i].iov_base, plan->untouched.at[i].iov_len, MADV_DONTNEED);
}

static struct spans unpinned;

void zygote_settle(void)
{
    bring_in(unpinned);
}

/* The plan is not on the heap, which it describes. It stays mapped for the children. */
void zygote_arrange(int file)
{
    struct plan plan = {0};
    struct spans *const parts[] = {&plan.constants, &plan.text, &plan.touched, &plan.untouched,
                                   &plan.away,      &plan.read, &plan.written};
    off_t size = lseek(file, 0, SEEK_END);
    char *at = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, file, 0);
    close(file);
    if (at == MAP_FAILED)
        return;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        uint64_t count;
        memcpy(&count, at, sizeof(count));
        *parts[i] = (struct spans){(const struct iovec *)(void *)(at + sizeof(count)), count};
        at += sizeof(count) + count * sizeof(struct iovec);
    }
    put_away(plan.away, PROT_READ | PROT_WRITE, false);
    bring_in(plan.read);
    if (!pin(plan.written))
        unpinned = plan.written;
    copy(&plan);
}

/* A library's constants and its text, adjacent in memory and in the file, become one mapping when
 * both are executable. Only a job's code could exploit that, and it may map anything executable
 * anyway. */
void zygote_join(uintptr_t start, uintptr_t end)
{
    mprotect((void *)start, end - start, /* NOLINT(performance-no-int-to-ptr): found in a text */
             PROT_READ | PROT_EXEC);
}

/* Replaces memory that is read and executed, but never written to, by a copy in huge pages, as far
 * as these can cover it. */
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
