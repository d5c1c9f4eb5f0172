/* Times programs from spawn to exit, taking turns, for tests/bench/bench.
 *
 *     spawn_time ROUNDS IDLE_MS SEED < contestants
 *
 * Every contestant is started once a round, in an order that is shuffled anew each round: drift of
 * the machine hits all alike, and so does what the kernel still cleans up after the neighbour
 * before. vfork makes the cost of starting the same for all and independent of our size; the clock
 * stops when the pidfd says that the process has ended. Output goes to pipes that are read after
 * that, so a contestant that writes more than a pipe holds ends by the time limit: it is no
 * contestant.
 *
 * Standard input holds the contestants, every field ended by NUL: name, directory to chroot into or
 * "", mount namespace to enter or "", file to hand over as descriptor 9 or "", number of
 * environment strings, these, number of arguments, these. "@N@" in an argument becomes a number
 * that is new at each start. Standard output gets a line for each start:
 *
 *     CONTESTANT WALL_NS WAIT_STATUS CPU_US MAX_RSS_KIB MINOR_FAULTS STDOUT_HEX STDERR_HEX
 *
 * where WAIT_STATUS is −1 for one that had to be killed, and the hexadecimal fields start with ":".
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CONTESTANTS_MAX = 64, STRINGS_MAX = 96, KEPT_BYTES = 4096, LIMIT_MS = 60000, FILE_FD = 9 };

struct contestant {
    const char *chroot;   /* "": none */
    const char *mount_ns; /* "": ours */
    const char *file;     /* to be descriptor 9; "": none */
    char *env[STRINGS_MAX];
    char *argv[STRINGS_MAX];
};

struct outcome {
    int64_t wall_ns;
    int status; /* as wait4 gives it; −1: killed at the time limit */
    struct rusage usage;
};

static void fail(const char *what)
{
    fprintf(stderr, "spawn_time: %s: %s\n", what, strerror(errno));
    exit(2);
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ── Input ──────────────────────────────────────────────────────────────────────────────────── */

static char *read_all(size_t *size)
{
    char *text = NULL;
    size_t capacity = 0;
    ssize_t n;
    *size = 0;
    do {
        if (*size == capacity && (text = realloc(text, capacity += 65536)) == NULL)
            fail("memory");
        n = read(STDIN_FILENO, text + *size, capacity - *size);
        if (n < 0)
            fail("read contestants");
        *size += (size_t)n;
    } while (n > 0);
    return text;
}

static char *next_field(char **at, const char *end)
{
    char *field = *at;
    char *nul = field < end ? memchr(field, '\0', (size_t)(end - field)) : NULL;
    if (nul == NULL) {
        errno = EINVAL;
        fail("contestants end early");
    }
    *at = nul + 1;
    return field;
}

static void next_strings(char **at, const char *end, char *strings[STRINGS_MAX])
{
    int count = atoi(next_field(at, end));
    if (count < 0 || count >= STRINGS_MAX) {
        errno = E2BIG;
        fail("strings of a contestant");
    }
    for (int i = 0; i < count; i++)
        strings[i] = next_field(at, end);
    strings[count] = NULL;
}

static int parse(char *text, size_t size, struct contestant *contestants)
{
    const char *end = text + size;
    int count = 0;
    for (char *at = text; at < end; count++) {
        if (count == CONTESTANTS_MAX) {
            errno = E2BIG;
            fail("contestants");
        }
        struct contestant *c = &contestants[count];
        next_field(&at, end); /* the name is for people */
        c->chroot = next_field(&at, end);
        c->mount_ns = next_field(&at, end);
        c->file = next_field(&at, end);
        next_strings(&at, end, c->env);
        next_strings(&at, end, c->argv);
    }
    return count;
}

/* ── One start ──────────────────────────────────────────────────────────────────────────────── */

/* Replaces "@N@" by the number; the texts stay until the next call. */
static char **numbered(char *const argv[], unsigned long number)
{
    static char *out[STRINGS_MAX];
    static char room[8][256];
    size_t used = 0;
    for (size_t i = 0;; i++) {
        out[i] = argv[i];
        if (argv[i] == NULL)
            return out;
        const char *mark = strstr(argv[i], "@N@");
        if (mark == NULL || used == sizeof(room) / sizeof(room[0]))
            continue;
        snprintf(room[used], sizeof(room[used]), "%.*s%lu%s", (int)(mark - argv[i]), argv[i],
                 number, mark + 3);
        out[i] = room[used++];
    }
}

/* Shares our memory until exec (vfork): calls nothing but the kernel. */
static void become(const struct contestant *c, char *const argv[], int out, int err, int null)
{
    static const char failed[] = "spawn_time: descriptors, setns, chroot or exec failed\n";
    bool ready = dup2(null, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
                 dup2(err, STDERR_FILENO) >= 0;
    if (ready && c->file[0] != '\0') /* closed on exec, but for its copy */
        ready = dup2(open(c->file, O_RDONLY | O_CLOEXEC), FILE_FD) >= 0;
    if (ready && c->mount_ns[0] != '\0')
        ready = setns(open(c->mount_ns, O_RDONLY | O_CLOEXEC), CLONE_NEWNS) == 0;
    if (ready && c->chroot[0] != '\0')
        ready = chroot(c->chroot) == 0 && chdir("/") == 0;
    if (ready)
        execve(argv[0], argv, c->env);
    ssize_t ignored = write(err, failed, sizeof(failed) - 1);
    (void)ignored;
    _exit(126);
}

static struct outcome start(const struct contestant *c, char *const argv[], int out, int err,
                            int null)
{
    struct outcome outcome = {0};
    int64_t begin = now_ns();
    pid_t pid = vfork();
    if (pid == 0)
        become(c, argv, out, err, null);
    if (pid < 0)
        fail("vfork");
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0)
        fail("pidfd_open");
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};
    bool in_time = poll(&ended, 1, LIMIT_MS) == 1;
    outcome.wall_ns = now_ns() - begin;
    close(pidfd);
    if (!in_time)
        kill(pid, SIGKILL);
    if (wait4(pid, &outcome.status, 0, &outcome.usage) < 0)
        fail("wait4");
    if (!in_time)
        outcome.status = -1;
    return outcome;
}

/* ── Output ─────────────────────────────────────────────────────────────────────────────────── */

static void drain_as_hex(int fd)
{
    unsigned char data[KEPT_BYTES];
    ssize_t n, kept = 0;
    while ((n = read(fd, data + kept, sizeof(data) - (size_t)kept)) > 0)
        if ((kept += n) == sizeof(data))
            break;
    while (read(fd, (char[4096]){0}, 4096) > 0)
        ;
    fputs(" :", stdout);
    for (ssize_t i = 0; i < kept; i++)
        printf("%02x", data[i]);
}

static int64_t timeval_us(struct timeval t)
{
    return (int64_t)t.tv_sec * 1000000 + t.tv_usec;
}

static void shuffle(int order[], int count)
{
    for (int i = count - 1; i > 0; i--) {
        int j = (int)(random() % (i + 1)), kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fputs("usage: spawn_time ROUNDS IDLE_MS SEED < contestants\n", stderr);
        return 2;
    }
    static struct contestant contestants[CONTESTANTS_MAX];
    int rounds = atoi(argv[1]), idle_ms = atoi(argv[2]), order[CONTESTANTS_MAX];
    size_t size;
    char *text = read_all(&size);
    int count = parse(text, size, contestants);
    for (int i = 0; i < count; i++)
        order[i] = i;
    srandom((unsigned)atoi(argv[3]));

    int out[2], err[2], null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0 || pipe2(out, O_CLOEXEC | O_NONBLOCK) < 0 ||
        pipe2(err, O_CLOEXEC | O_NONBLOCK) < 0)
        fail("pipes");
    /* Only our ends must not block: a program may not expect EAGAIN. */
    if (fcntl(out[1], F_SETFL, O_WRONLY) < 0 || fcntl(err[1], F_SETFL, O_WRONLY) < 0)
        fail("fcntl");

    struct timespec idle = {.tv_sec = idle_ms / 1000, .tv_nsec = idle_ms % 1000 * 1000000L};
    unsigned long number = 0;
    for (int round = 0; round < rounds; round++) {
        shuffle(order, count);
        for (int i = 0; i < count; i++) {
            const struct contestant *c = &contestants[order[i]];
            char **args = numbered(c->argv, number++);
            if (idle_ms > 0)
                nanosleep(&idle, NULL);
            struct outcome o = start(c, args, out[1], err[1], null);
            printf("%d %lld %d %lld %ld %ld", order[i], (long long)o.wall_ns, o.status,
                   (long long)(timeval_us(o.usage.ru_utime) + timeval_us(o.usage.ru_stime)),
                   o.usage.ru_maxrss, o.usage.ru_minflt);
            drain_as_hex(out[0]);
            drain_as_hex(err[0]);
            putchar('\n');
            if (fflush(stdout) != 0)
                return 2;
        }
    }
    free(text);
    return 0;
}
