/* Preloaded into a program: its wall clock is the host's and as many nanoseconds more as the file
 * SANDBOX_TEST_CLOCK holds, at any time. Clocks that nobody sets are left alone.
 *
 * libfaketime can't be preloaded into Debian's Redis: its first call allocates memory, for which
 * jemalloc asks for the time. This allocates nothing. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { SECOND = 1000000000 };

static const _Atomic int64_t *offset; /* NULL: it has not been mapped yet */

__attribute__((constructor)) static void map_offset(void)
{
    const char *path = getenv("SANDBOX_TEST_CLOCK");
    int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *mapped = mmap(NULL, sizeof(*offset), PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (mapped != MAP_FAILED)
        offset = mapped;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    if (syscall(SYS_clock_gettime, clock, now) < 0)
        return -1;
    if (offset != NULL && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        int64_t total = now->tv_sec * INT64_C(1000000000) + now->tv_nsec + *offset;
        *now = (struct timespec){total / SECOND, total % SECOND};
    }
    return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec precise;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &precise) < 0)
        return -1;
    *now = (struct timeval){precise.tv_sec, precise.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *into)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    if (into != NULL)
        *into = now.tv_sec;
    return now.tv_sec;
}
