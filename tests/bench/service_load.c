/* What a service is measured against, and how much HTTP adds. Calls libsandbox as the service does:
 * one process, one loop.
 *
 * service_load added cold|warm PORT ROUNDS
 *     in turns, one job by the library and one by HTTP: a line for each round, "TOOK_NS JOB_US" of
 *     the library's and of that by HTTP, where JOB_US is the job's own wall time
 * service_load library cold|warm PARALLEL SECONDS
 *     jobs a second by the library
 * service_load bare PARALLEL SECONDS ROOTFS PYTHON…
 *     processes a second of bare python
 *
 * The job is print(1) under the policy "run". A wrong answer ends the program with status 1. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sandbox.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char code[] = "print(1)";

struct library {
    struct sb_sandbox *sandbox;
    struct sb_policy *policy;
    bool warm;
    int ended;
    int64_t job_us; /* the last one's own wall time */
};

struct took {
    long long ns;
    int64_t job_us;
};

static void fail(const char *what)
{
    fprintf(stderr, "service_load: %s\n", what);
    exit(1);
}

static long long now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* ── The library ────────────────────────────────────────────────────────────────────────────── */

static void on_done(void *user, const struct sb_verdict *verdict)
{
    struct library *library = user;
    if (verdict->word != SB_OK || strcmp(verdict->text[SB_STDOUT], "1\n") != 0)
        fail(verdict->error != NULL ? verdict->error : "a wrong answer by the library");
    char *text = sb_verdict_json(verdict, 0);
    if (text == NULL)
        fail("no memory");
    free(text);
    library->job_us = verdict->wall_time_us;
    library->ended++;
}

static void open_library(struct library *library, const char *start)
{
    struct sb_error err;
    library->warm = strcmp(start, "warm") == 0;
    if (sb_policy_load(&library->policy, getenv("SANDBOX_POLICIES"), "run", &err) < 0 ||
        sb_open(&library->sandbox, &(struct sb_options){.rootfs = getenv("SANDBOX_ROOTFS")}, &err) <
            0 ||
        (library->warm && sb_warm_enable(library->sandbox, &(struct sb_warm_options){0}, &err) < 0))
        fail(err.message);
    if (library->warm)
        sb_warm_prepare(library->sandbox, library->policy);
}

static void start(struct library *library)
{
    struct sb_error err;
    struct sb_job job = {.policy = library->policy,
                         .code = code,
                         .code_size = sizeof(code) - 1,
                         .on_done = on_done,
                         .user = library};
    if (sb_start(library->sandbox, &job, NULL, &err) < 0)
        fail(err.message);
}

static void turn(struct library *library)
{
    struct sb_error err;
    if (sb_turn(library->sandbox, -1, &err) < 0)
        fail(err.message);
}

/* A service has the time between two requests for this. */
static void park(struct library *library)
{
    struct sb_warm_state state;
    while (library->warm &&
           (state = sb_warm_state(library->sandbox, library->policy)).parked == 0) {
        if (state.reason[0] != '\0')
            fail(state.reason);
        turn(library);
    }
}

static struct took by_library(struct library *library)
{
    park(library);
    long long began = now_ns();
    start(library);
    while (sb_running(library->sandbox) > 0)
        turn(library);
    return (struct took){now_ns() - began, library->job_us};
}

static void close_library(struct library *library)
{
    sb_close(library->sandbox);
    sb_policy_free(library->policy);
}

/* ── HTTP ───────────────────────────────────────────────────────────────────────────────────── */

static int connect_to(const char *port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)atoi(port)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
        fail("can't connect to the service");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    return fd;
}

/* One request on a connection that is kept; its answer is read to the end. */
static struct took by_http(int fd)
{
    static const char request[] = "POST /run HTTP/1.1\r\nHost: localhost\r\n"
                                  "Content-Type: application/json\r\nContent-Length: 20\r\n\r\n"
                                  "{\"code\": \"print(1)\"}";
    char answer[8192];
    size_t size = 0, whole = 0;
    long long began = now_ns();
    if (write(fd, request, sizeof(request) - 1) != sizeof(request) - 1)
        fail("the service does not take a request");
    while (whole == 0 || size < whole) {
        ssize_t more = read(fd, answer + size, sizeof(answer) - 1 - size);
        if (more <= 0)
            fail("the service gives no answer");
        size += (size_t)more;
        answer[size] = '\0';
        const char *end = strstr(answer, "\r\n\r\n");
        const char *length = strcasestr(answer, "content-length:");
        if (end != NULL && length != NULL && length < end)
            whole = (size_t)(end + 4 - answer) + (size_t)atol(length + 15);
    }
    long long ended = now_ns();
    const char *job = strstr(answer, "\"wall_time_ms\":");
    if (strstr(answer, "\"stdout\":\"1\\n\"") == NULL || job == NULL)
        fail(answer);
    return (struct took){ended - began, (int64_t)(1000 * atof(job + 15) + 0.5)};
}

/* ── What is measured ───────────────────────────────────────────────────────────────────────── */

static int added(char **argv)
{
    struct library library = {0};
    open_library(&library, argv[2]);
    int fd = connect_to(argv[3]), rounds = atoi(argv[4]);
    for (int i = -3; i < rounds; i++) {
        bool library_first = (i & 1) == 0;
        struct took first = library_first ? by_library(&library) : by_http(fd);
        struct took second = library_first ? by_http(fd) : by_library(&library);
        struct took lib = library_first ? first : second, http = library_first ? second : first;
        if (i >= 0)
            printf("%lld %lld %lld %lld\n", lib.ns, (long long)lib.job_us, http.ns,
                   (long long)http.job_us);
    }
    close(fd);
    close_library(&library);
    return 0;
}

static int library_rate(char **argv)
{
    struct library library = {0};
    size_t parallel = (size_t)atoi(argv[3]);
    open_library(&library, argv[2]);
    park(&library);
    long long began = now_ns(), end = began + atoll(argv[4]) * 1000000000LL;
    while (now_ns() < end) {
        while (sb_running(library.sandbox) < parallel)
            start(&library);
        turn(&library);
    }
    printf("%.1f\n", library.ended * 1e9 / (double)(now_ns() - began));
    close_library(&library);
    return 0;
}

static int bare_rate(char **argv)
{
    int parallel = atoi(argv[2]), running = 0, ended = 0, status;
    long long began = now_ns(), end = began + atoll(argv[3]) * 1000000000LL;
    while (now_ns() < end) {
        for (; running < parallel; running++) {
            if (fork() != 0)
                continue;
            if (freopen("/dev/null", "w", stdout) == NULL || chroot(argv[4]) < 0 || chdir("/") < 0)
                _exit(127);
            execv(argv[5], argv + 5);
            _exit(127);
        }
        if (wait(&status) < 0 || status != 0)
            fail("bare python ended badly");
        running--;
        ended++;
    }
    printf("%.1f\n", ended * 1e9 / (double)(now_ns() - began));
    while (wait(NULL) > 0)
        ;
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "added") == 0)
        return added(argv);
    if (argc == 5 && strcmp(argv[1], "library") == 0)
        return library_rate(argv);
    if (argc > 5 && strcmp(argv[1], "bare") == 0)
        return bare_rate(argv);
    fail("usage: service_load added|library|bare …");
}
