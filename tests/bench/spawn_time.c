/* Times programs from spawn to exit, and requests to the service from the first byte out to the
 * last byte in, taking turns, for tests/bench/bench.
 *
 *     spawn_time ROUNDS IDLE_MS SEED < contestants
 *
 * Every contestant (contestant.h) is started once a round, in an order that is shuffled anew each
 * round: drift of the machine hits all alike, and so does what the kernel still cleans up after the
 * neighbour before. vfork makes the cost of starting the same for all and independent of our size;
 * the clock stops when the pidfd says that the process has ended. Output goes to pipes that are
 * read after that, so a contestant that writes more than a pipe holds ends by the time limit: it is
 * no contestant. Requests go over one connection, which is kept.
 *
 * Standard output gets a line for each start:
 *
 *     CONTESTANT WALL_NS WAIT_STATUS CPU_US MAX_RSS_KIB MINOR_FAULTS STDOUT_HEX STDERR_HEX
 *
 * where WAIT_STATUS is −1 for one that had to be killed, and the hexadecimal fields start with ":".
 * Of a request the answer's body stands for stdout, and an HTTP status other than 200 for exit
 * status 1. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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

#include "contestant.h"
#include "http_client.h"

enum { KEPT_BYTES = 4096, BUFFER_BYTES = 16 << 20 };

struct outcome {
    int64_t wall_ns;
    int status; /* as wait4 gives it; −1: killed at the time limit */
    struct rusage usage;
};

/* Each a pipe whose reading end does not block. */
struct streams {
    int out[2], err[2], null;
};

static void fail(const char *what)
{
    fprintf(stderr, "spawn_time: %s: %s\n", what, strerror(errno));
    exit(2);
}

/* ── One start ──────────────────────────────────────────────────────────────────────────────── */

static struct outcome start(const struct contestant *c, char *const argv[],
                            const struct streams *streams)
{
    struct outcome outcome = {0};
    int64_t begin = now_ns();
    pid_t pid = vfork();
    if (pid == 0)
        contestant_become(c, argv, streams->out[1], streams->err[1], streams->null);
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

static struct outcome ask(struct http_client *client)
{
    struct outcome outcome = {.wall_ns = http_exchange(client)};
    outcome.status = http_status(client) == 200 ? 0 : 1 << 8;
    return outcome;
}

/* ── Output ─────────────────────────────────────────────────────────────────────────────────── */

static void put_hex(const char *data, size_t size)
{
    fputs(" :", stdout);
    for (size_t i = 0; i < size && i < KEPT_BYTES; i++)
        printf("%02x", (unsigned char)data[i]);
}

static void drain_as_hex(int fd)
{
    char data[KEPT_BYTES];
    ssize_t n, kept = 0;
    while ((n = read(fd, data + kept, sizeof(data) - (size_t)kept)) > 0)
        if ((kept += n) == sizeof(data))
            break;
    while (read(fd, (char[4096]){0}, 4096) > 0)
        ;
    put_hex(data, (size_t)kept);
}

static int64_t timeval_us(struct timeval t)
{
    return (int64_t)t.tv_sec * 1000000 + t.tv_usec;
}

static void put_outcome(int index, const struct outcome *o)
{
    printf("%d %lld %d %lld %ld %ld", index, (long long)o->wall_ns, o->status,
           (long long)(timeval_us(o->usage.ru_utime) + timeval_us(o->usage.ru_stime)),
           o->usage.ru_maxrss, o->usage.ru_minflt);
}

/* ── Rounds ─────────────────────────────────────────────────────────────────────────────────── */

static void shuffle(int order[], int count)
{
    for (int i = count - 1; i > 0; i--) {
        int j = (int)(random() % (i + 1)), kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
}

static void take_turn(int index, const struct contestant *c, struct http_client *client,
                      const struct streams *streams)
{
    static unsigned long number;
    struct outcome o;
    if (c->port[0] != '\0') {
        o = ask(client);
        put_outcome(index, &o);
        put_hex(client->body, strlen(client->body));
        fputs(" :\n", stdout);
        return;
    }
    o = start(c, contestant_arguments(c, number++), streams);
    put_outcome(index, &o);
    drain_as_hex(streams->out[0]);
    drain_as_hex(streams->err[0]);
    putchar('\n');
}

static void open_streams(struct streams *streams)
{
    streams->null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (streams->null < 0 || pipe2(streams->out, O_CLOEXEC | O_NONBLOCK) < 0 ||
        pipe2(streams->err, O_CLOEXEC | O_NONBLOCK) < 0)
        fail("pipes");
    /* Only our ends must not block: a program may not expect EAGAIN. */
    if (fcntl(streams->out[1], F_SETFL, O_WRONLY) < 0 ||
        fcntl(streams->err[1], F_SETFL, O_WRONLY) < 0)
        fail("fcntl");
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fputs("usage: spawn_time ROUNDS IDLE_MS SEED < contestants\n", stderr);
        return 2;
    }
    static struct contestant contestants[CONTESTANTS_MAX];
    static struct http_client clients[CONTESTANTS_MAX];
    int rounds = atoi(argv[1]), idle_ms = atoi(argv[2]), order[CONTESTANTS_MAX];
    int count = contestants_read(contestants);
    for (int i = 0; i < count; i++) {
        order[i] = i;
        if (contestants[i].port[0] != '\0')
            http_open(&clients[i], contestants[i].port, contestants[i].argv[0]);
    }
    srandom((unsigned)atoi(argv[3]));
    struct streams streams;
    open_streams(&streams);
    /* Whoever reads the lines must not work beside the next contestant. */
    setvbuf(stdout, NULL, _IOFBF, BUFFER_BYTES);
    struct timespec idle = {.tv_sec = idle_ms / 1000, .tv_nsec = idle_ms % 1000 * 1000000L};
    for (int round = 0; round < rounds; round++) {
        shuffle(order, count);
        for (int i = 0; i < count; i++) {
            if (idle_ms > 0)
                nanosleep(&idle, NULL);
            take_turn(order[i], &contestants[order[i]], &clients[order[i]], &streams);
        }
    }
    return fflush(stdout) == 0 ? 0 : 2;
}
