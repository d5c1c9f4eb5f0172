/* Descriptors: the script has 0, 1, 2 and the result pipe; pid 1 the control and report pipes,
 * which close on exec. All others are closed, whoever opened them. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "inside.h"
#include "util.h"

/* Above all that are given a number below, so that no dup2 tramples on one still needed. Lifting
 * goes upwards in free numbers, so what is kept may lie anywhere above. */
#define FIRST_SAFE_FD 16

static int lift(int *fd)
{
    int lifted = fcntl(*fd, F_DUPFD_CLOEXEC, FIRST_SAFE_FD);
    if (lifted < 0)
        return -1;
    *fd = lifted;
    return 0;
}

/* The code as a descriptor, for scripts that have no file: charged to the job like all its memory.
 */
static int code_descriptor(const struct inside *in)
{
    int fd = memfd_create("code", MFD_CLOEXEC);
    if (fd < 0)
        return -1;
    for (size_t done = 0; done < in->code_size;) {
        ssize_t n = pwrite(fd, (const char *)in->code + done, in->code_size - done, (off_t)done);
        if (n < 0)
            return -1;
        done += (size_t)n;
    }
    return fd;
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

/* Closes every descriptor from `first` on but those in `kept`. */
static int close_others(unsigned first, unsigned *kept, size_t count)
{
    sort(kept, count);
    for (size_t i = 0; i <= count; i++) {
        unsigned last = i < count ? kept[i] - 1 : ~0U;
        if (first <= last && syscall(SYS_close_range, first, last, 0) < 0)
            return -1;
        first = last + 2;
    }
    return 0;
}

int descriptors_arrange(struct inside *in)
{
    int *const ours[] = {&in->control, &in->report, &in->channel, &in->work, &in->main, &in->init};
    unsigned kept[ARRAY_LEN(ours)];
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
    int code = -1;
    if (in->code != NULL && ((code = code_descriptor(in)) < 0 || lift(&code) < 0))
        return -1;
    for (int i = 0; i < JOB_FDS; i++)
        if (dup2(in->fds[i], i) < 0)
            return -1;
    if (code >= 0 && dup2(code, CODE_FD) < 0)
        return -1;
    return close_others(code >= 0 ? CODE_FD + 1 : CODE_FD, kept, count);
}
