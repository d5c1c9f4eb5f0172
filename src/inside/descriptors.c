/* Descriptors: the script has 0, 1, 2 and the result pipe; pid 1 the control and report pipes,
 * which close on exec. All others are closed, whoever opened them. */
#include <sys/mman.h>

#include "common/util.h"
#include "inside/calls.h"
#include "inside/inside.h"

/* Moves descriptors above all numbers that are assigned below, so that no dup2 overwrites one that
 * is still needed. They get the lowest free numbers, so a kept one may be anywhere above. */
#define FIRST_SAFE_FD 16

static int lift(int *fd)
{
    int lifted = sys_fcntl(*fd, F_DUPFD_CLOEXEC, FIRST_SAFE_FD);
    if (lifted < 0)
        return -1;
    *fd = lifted;
    return 0;
}

/* Bytes in memory as a high descriptor, charged to the job like all its memory. −1 also for no
 * bytes. */
static int lift_memory(int *fd, const char *name, const void *data, size_t size)
{
    *fd = -1;
    if (data == NULL)
        return 0;
    *fd = sys_memfd_create(name, MFD_CLOEXEC);
    if (*fd < 0)
        return -1;
    for (size_t done = 0; done < size;) {
        ssize_t n = sys_pwrite(*fd, (const char *)data + done, size - done, (off_t)done);
        if (n < 0)
            return -1;
        done += (size_t)n;
    }
    return lift(fd);
}

static void sort(unsigned *numbers, size_t count)
{
    for (size_t i = 1; i < count; i++)
        for (size_t j = i; j > 0 && numbers[j - 1] > numbers[j]; j--) {
            unsigned swapped = numbers[j];
            numbers[j] = numbers[j - 1];
            numbers[j - 1] = swapped;
        }
}

/* Closes every descriptor except for those in `kept`. */
static int close_others(unsigned *kept, size_t count)
{
    unsigned first = 0;
    sort(kept, count);
    for (size_t i = 0; i < count; i++) {
        if (first < kept[i] && syscall(SYS_close_range, first, kept[i] - 1, 0) < 0)
            return -1;
        first = kept[i] + 1;
    }
    return (int)syscall(SYS_close_range, first, ~0U, 0);
}

int descriptors_arrange(struct inside *in)
{
    int *const ours[] = {&in->control, &in->report, &in->channel, &in->work,
                         &in->main,    &in->init,   &in->ruleset, &in->listener_to};
    unsigned kept[ARRAY_LEN(ours) + JOB_FDS + 2];
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
        if (*ours[i] < 0)
            continue;
        if (lift(ours[i]) < 0)
            return -1;
        kept[count++] = (unsigned)*ours[i];
    }
    for (int i = 0; i < JOB_FDS; i++)
        if (lift(&in->fds[i]) < 0)
            return -1;
    int code, library;
    if (lift_memory(&code, "code", in->code, in->code_size) < 0 ||
        lift_memory(&library, "library", in->library, in->library_size) < 0)
        return -1;
    const struct {
        int from, to;
    } script[] = {{in->fds[0], 0},         {in->fds[1], 1}, {in->fds[2], 2},
                  {in->fds[3], RESULT_FD}, {code, CODE_FD}, {library, LIBRARY_FD}};
    for (size_t i = 0; i < ARRAY_LEN(script); i++) {
        if (script[i].from < 0)
            continue;
        if (sys_dup_to(script[i].from, script[i].to) < 0)
            return -1;
        kept[count++] = (unsigned)script[i].to;
    }
    return close_others(kept, count);
}
