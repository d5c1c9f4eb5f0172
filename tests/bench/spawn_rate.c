/* How many runs of a program end in a second when some of them run side by side, for
 * tests/bench/bench.
 *
 *     spawn_rate PARALLEL SECONDS EXPECTED < contestant
 *
 * The contestant (contestant.h) is started anew whenever one of its runs has ended. Prints the
 * rate, or, with exit status 1, what was wrong: every run must end with status 0, and have written
 * EXPECTED and a newline. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "contestant.h"
#include "http_client.h"

enum { PARALLEL_MAX = 256, KEPT_BYTES = 4096 };

struct slot {
    pid_t pid; /* 0: none */
    int out[2], err[2];
};

static void fail(const char *what)
{
    fprintf(stderr, "spawn_rate: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void open_slot(struct slot *slot)
{
    *slot = (struct slot){0};
    if (pipe2(slot->out, O_CLOEXEC | O_NONBLOCK) < 0 ||
        pipe2(slot->err, O_CLOEXEC | O_NONBLOCK) < 0 ||
        fcntl(slot->out[1], F_SETFL, O_WRONLY) < 0 || fcntl(slot->err[1], F_SETFL, O_WRONLY) < 0)
        fail("pipes");
}

static void start(struct slot *slot, const struct contestant *c, int null)
{
    static unsigned long number;
    char **argv = contestant_arguments(c, number++);
    pid_t pid = vfork();
    if (pid == 0)
        contestant_become(c, argv, slot->out[1], slot->err[1], null);
    if (pid < 0)
        fail("vfork");
    slot->pid = pid;
}

static size_t drain(int fd, char *text)
{
    ssize_t n, size = 0;
    while (size < KEPT_BYTES && (n = read(fd, text + size, (size_t)(KEPT_BYTES - size))) > 0)
        size += n;
    text[size] = '\0';
    return (size_t)size;
}

static void check(struct slot *slot, int status, const char *expected)
{
    char out[KEPT_BYTES + 1], err[KEPT_BYTES + 1];
    size_t size = drain(slot->out[0], out), wanted = strlen(expected);
    drain(slot->err[0], err);
    if (status == 0 && size == wanted + 1 && memcmp(out, expected, wanted) == 0 &&
        out[wanted] == '\n')
        return;
    fprintf(stderr, "wait status %d, stdout %s, stderr %s\n", status, out, err);
    exit(1);
}

/* Waits for one to end, and checks it. */
static void reap(struct slot *slots, int parallel, const char *expected)
{
    int status;
    pid_t pid = wait(&status);
    if (pid < 0)
        fail("wait");
    for (int i = 0; i < parallel; i++)
        if (slots[i].pid == pid) {
            slots[i].pid = 0;
            check(&slots[i], status, expected);
        }
}

int main(int argc, char **argv)
{
    static struct contestant contestants[CONTESTANTS_MAX];
    static struct slot slots[PARALLEL_MAX];
    int parallel = argc == 4 ? atoi(argv[1]) : 0, null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (parallel < 1 || parallel > PARALLEL_MAX || null < 0 || contestants_read(contestants) != 1) {
        fputs("usage: spawn_rate PARALLEL SECONDS EXPECTED < contestant\n", stderr);
        return 2;
    }
    for (int i = 0; i < parallel; i++)
        open_slot(&slots[i]);
    int64_t began = now_ns(), end = began + (int64_t)(atof(argv[2]) * 1e9);
    long ended = 0;
    for (; now_ns() < end; ended++) {
        for (int i = 0; i < parallel; i++)
            if (slots[i].pid == 0)
                start(&slots[i], &contestants[0], null);
        reap(slots, parallel, argv[3]);
    }
    printf("%.2f\n", (double)ended * 1e9 / (double)(now_ns() - began));
    for (int running = parallel - 1; running > 0; running--)
        reap(slots, parallel, argv[3]);
    return 0;
}
