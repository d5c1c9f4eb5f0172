/* Sends callbacks by the service's own module, whose waits are parameters here:
 *
 *     send-callbacks FIRST_WAIT_MS TIME_LIMIT_MS CA_FILE HOST[,HOST…] URL… < BODY
 *
 * The n-th URL is told of "job-n"; CA_FILE "-" is the system's. When nothing is left, one line of
 * JSON says how many were delivered and how many were not, and by how much the loop was ever late
 * for a timer of 10 ms. SIGTERM has it drain. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

#include "common/util.h"
#include "serve/jobs/callback.h"

enum { PULSE_MS = 10, HOSTS_MAX = 16 };

static struct loop *loop;
static struct callbacks *callbacks;
static struct timer pulse;
static int64_t expected_us, late_us;

static void beat(void *user)
{
    (void)user;
    int64_t now_us = monotonic_us();
    late_us = MAX(late_us, now_us - expected_us);
    expected_us = now_us + PULSE_MS * 1000;
    timer_set(&pulse, PULSE_MS);
}

static void idle(void *user)
{
    (void)user;
    loop_stop(loop);
}

static void told_to_stop(void *user, uint32_t events)
{
    struct watch *watch = user;
    (void)events;
    loop_remove(loop, watch);
    callbacks_drain(callbacks);
}

static int watch_signal(struct watch *watch)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    *watch = (struct watch){signalfd(-1, &set, SFD_CLOEXEC), told_to_stop, watch};
    return watch->fd < 0 ? -1 : loop_add(loop, watch, EPOLLIN);
}

int main(int argc, char **argv)
{
    static struct metrics metrics;
    static char body[1 << 22];
    const char *hosts[HOSTS_MAX + 1] = {0};
    struct watch signals;
    struct sb_error err = {0};
    struct log *log = log_open();
    if (argc < 6 || log == NULL)
        return 2;
    size_t count = 0, size = fread(body, 1, sizeof(body), stdin);
    for (char *at = argv[4], *host; count < HOSTS_MAX && (host = strsep(&at, ",")) != NULL;)
        hosts[count++] = host;
    if (loop_open(&loop, &err) < 0 || watch_signal(&signals) < 0 ||
        timer_open(&pulse, loop, beat, NULL) < 0)
        return 2;
    const struct callbacks_setup setup = {.hosts = hosts,
                                          .loop = loop,
                                          .log = log,
                                          .metrics = &metrics,
                                          .first_wait_ms = strtol(argv[1], NULL, 10),
                                          .time_limit_ms = strtol(argv[2], NULL, 10),
                                          .ca_file = strcmp(argv[3], "-") == 0 ? NULL : argv[3],
                                          .idle = idle};
    if (callbacks_open(&callbacks, &setup, &err) < 0) {
        fprintf(stderr, "%s\n", err.message);
        return 2;
    }
    for (int i = 5; i < argc; i++) {
        char id[32];
        snprintf(id, sizeof(id), "job-%d", i - 4);
        callbacks_send(callbacks, &(struct callback){.url = argv[i],
                                                     .secret = "sixteen bytes or more",
                                                     .id = id,
                                                     .body = body,
                                                     .size = size});
    }
    expected_us = monotonic_us();
    timer_set(&pulse, 0);
    if (callbacks_left(callbacks) > 0 && loop_run(loop, &err) < 0)
        return 2;
    printf("{\"delivered\": %lld, \"failed\": %lld, \"late_ms\": %lld}\n",
           (long long)metrics.callbacks_sent, (long long)metrics.callbacks_failed,
           (long long)late_us / 1000);
    callbacks_close(callbacks);
    timer_close(&pulse, loop);
    loop_close(loop);
    log_close(log);
    return 0;
}
