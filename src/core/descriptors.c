/* Descriptors: the script has 0, 1, 2 and the result pipe; pid 1 the control and report pipes,
 * which close on exec. All others are closed, whoever opened them. */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "inside.h"
#include "util.h"

/* Above all that are given a number below, so that no dup2 tramples on one still needed. */
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

int descriptors_arrange(struct inside *in)
{
    if (lift(&in->control) < 0 || lift(&in->report) < 0)
        return -1;
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
    /* Lifting went upwards from FIRST_SAFE_FD in free numbers, so what is kept may lie anywhere
     * above: keep just these two. */
    int low = in->control < in->report ? in->control : in->report;
    int high = in->control < in->report ? in->report : in->control;
    unsigned first = code >= 0 ? CODE_FD + 1 : CODE_FD;
    if (close_range(first, (unsigned)low - 1, 0) < 0)
        return -1;
    if (high > low + 1 && close_range((unsigned)low + 1, (unsigned)high - 1, 0) < 0)
        return -1;
    return close_range((unsigned)high + 1, ~0U, 0);
}
