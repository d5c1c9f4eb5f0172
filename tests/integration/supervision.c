/* A program around libsandbox that has bad luck, bad habits or bad input: each subcommand does one
 * thing of that kind and prints what came of it, a line each. What is right says
 * test_supervision.py. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sandbox.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FLOOD "while True: print('x' * 10000)"

struct service {
    struct sb_options options;
    struct sb_policy *policy;
    struct sb_sandbox *sandbox; /* NULL for the subcommands about opening one */
    struct sb_run *run;
    const char *argument;
};

/* ── What libsandbox writes ────────────────────────────────────────────────────────────────── */

enum moment { NEVER, FIRST, MAPS, GO, GONE };

static enum moment death; /* when this process is to die by SIGKILL */
static bool kills_shown;  /* whether each write to cgroup.kill is to show the job's share of CPU */

static void die(void)
{
    kill(getpid(), SIGKILL);
}

static bool print_file(const char *directory, const char *job, const char *file)
{
    char path[2 * PATH_MAX], text[64];
    snprintf(path, sizeof(path), "%s/%s/%s", directory, job, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));
    if (n > 0)
        printf("killed with a quota of %.*s", (int)n, text);
    close(fd);
    return n > 0;
}

static void show_quota(int fd)
{
    char link[32], path[PATH_MAX] = "";
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    if (readlink(link, path, sizeof(path) - 1) < 0 || strcmp(basename(path), "cgroup.kill") != 0)
        return;
    char *directory = dirname(path), *job = strrchr(directory, '/');
    *job++ = '\0';
    if (!print_file(directory, job, "cpu.max") &&
        !print_file("/sys/fs/cgroup/cpu/sandbox-run", job, "cpu.cfs_quota_us"))
        print_file("/sys/fs/cgroup/cpu,cpuacct/sandbox-run", job, "cpu.cfs_quota_us");
}

/* libsandbox.so finds this one before libc's, and the next one. */
ssize_t write(int fd, const void *data, size_t size)
{
    bool go = size == 1 && memcmp(data, "g", 1) == 0;
    if (death == FIRST || (death == GO && go))
        die();
    if (kills_shown)
        show_quota(fd);
    ssize_t n = syscall(SYS_write, fd, data, size);
    if (death == GONE && go)
        die();
    return n;
}

static long (*libc_syscall)(long number, ...);

__attribute__((constructor)) static void find_syscall(void)
{
    libc_syscall = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
}

/* Maps of ids are written by it (src/inside/calls.h). It takes more arguments than there may be:
 * what stands in their place is the sanitizer's. */
__attribute__((no_sanitize("address"))) long syscall(long number, ...)
{
    va_list list;
    long a[6];
    va_start(list, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(list, long);
    va_end(list);
    if (death == MAPS && number == SYS_write && a[2] == 4 && memcmp((void *)a[1], "deny", 4) == 0)
        die();
    return libc_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* ── Common steps ──────────────────────────────────────────────────────────────────────────── */

static void must(int result, const struct sb_error *err)
{
    if (result < 0) {
        fprintf(stderr, "%s\n", err->message);
        exit(1);
    }
}

static void say_word(void *user, const struct sb_verdict *verdict)
{
    (void)user;
    printf("%s\n", sb_word_name(verdict->word));
    if (verdict->word == SB_INTERNAL)
        fprintf(stderr, "%s\n", verdict->error);
}

/* With time enough for the slowest host. */
static struct sb_job job_of(struct service *service, const char *code)
{
    struct sb_job job = {.policy = service->policy,
                         .code = code,
                         .code_size = strlen(code),
                         .limits = sb_limits_unset(),
                         .on_done = say_word,
                         .user = service};
    job.limits.value[SB_WALL_TIME_MS] = 600 * 1000;
    return job;
}

static void start(struct service *service, const struct sb_job *job)
{
    struct sb_error err;
    must(sb_start(service->sandbox, job, &service->run, &err), &err);
}

static void turn_to_the_end(struct service *service)
{
    struct sb_error err;
    while (sb_running(service->sandbox) > 0)
        must(sb_turn(service->sandbox, -1, &err), &err);
}

/* Waits until the only job is dead; it stays to be waited for. */
static void await_death(void)
{
    siginfo_t info;
    while (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT | __WALL) < 0 && errno == EINTR)
        ;
}

static struct rlimit lower_open_files(rlim_t most)
{
    struct rlimit before;
    getrlimit(RLIMIT_NOFILE, &before);
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){most, before.rlim_max});
    return before;
}

#define DESCRIPTORS 64

struct descriptors {
    struct stat file[DESCRIPTORS]; /* all zero: closed */
};

static struct descriptors look_at_descriptors(void)
{
    struct descriptors found = {0};
    for (int fd = 0; fd < DESCRIPTORS; fd++)
        if (fstat(fd, &found.file[fd]) < 0)
            found.file[fd] = (struct stat){0};
    return found;
}

static void say_what_changed(const struct descriptors *before, const char *when)
{
    struct descriptors now = look_at_descriptors();
    for (int fd = 0; fd < DESCRIPTORS; fd++)
        if (now.file[fd].st_ino != before->file[fd].st_ino ||
            now.file[fd].st_dev != before->file[fd].st_dev)
            printf("%s: descriptor %d was %s\n", when, fd,
                   now.file[fd].st_ino == 0 ? "closed" : "changed or left open");
}

/* ── Opening ───────────────────────────────────────────────────────────────────────────────── */

static void failed_open(struct service *service)
{
    struct sb_options bad[] = {{.rootfs = "/no/such"}, {.rootfs = "/"}, service->options};
    bad[2].uid_first = UINT32_MAX;
    struct descriptors before = look_at_descriptors();
    struct sb_sandbox *sandbox;
    struct sb_error err;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        printf("%s\n", sb_open(&sandbox, &bad[i], &err) < 0 ? "refused" : "opened");
        say_what_changed(&before, "bad options");
    }
    /* At each step that needs a descriptor. */
    int opened = -1;
    for (rlim_t most = 3; most < DESCRIPTORS && opened < 0; most++) {
        struct rlimit usual = lower_open_files(most);
        opened = sb_open(&sandbox, &service->options, &err);
        if (opened == 0)
            sb_close(sandbox);
        setrlimit(RLIMIT_NOFILE, &usual);
        say_what_changed(&before, "too few descriptors");
    }
    printf("%s\n", opened == 0 ? "opened" : err.message);
}

static void uid_range(struct service *service)
{
    char *end;
    service->options.uid_first = (uint32_t)strtoul(service->argument, &end, 10);
    service->options.uid_count = (uint32_t)strtoul(end + 1, NULL, 10);
    struct sb_error err;
    if (sb_open(&service->sandbox, &service->options, &err) < 0)
        printf("refused: %s\n", err.field);
    else
        printf("opened\n");
}

/* ── Starting ──────────────────────────────────────────────────────────────────────────────── */

static void keep_word(void *user, const struct sb_verdict *verdict)
{
    *(enum sb_word *)user = verdict->word;
}

/* At each step that needs a descriptor, the child's included. */
static void failed_start(struct service *service)
{
    enum sb_word word = SB_INTERNAL;
    struct sb_job job = job_of(service, "pass");
    job.on_done = keep_word;
    job.user = &word;
    start(service, &job); /* what is loaded once stays open */
    turn_to_the_end(service);
    printf("%s\n", sb_word_name(word));
    struct descriptors before = look_at_descriptors();
    struct sb_error err;
    word = SB_INTERNAL;
    for (rlim_t most = 3; most < DESCRIPTORS && word == SB_INTERNAL; most++) {
        struct rlimit usual = lower_open_files(most);
        sb_start(service->sandbox, &job, NULL, &err);
        setrlimit(RLIMIT_NOFILE, &usual);
        turn_to_the_end(service);
        say_what_changed(&before, "too few descriptors");
        if (waitpid(-1, NULL, WNOHANG | __WALL) >= 0 || errno != ECHILD)
            printf("a process was left\n");
    }
    printf("%s\n", sb_word_name(word));
}

static void killed_start(struct service *service)
{
    static const char *const names[] = {
        [FIRST] = "first", [MAPS] = "maps", [GO] = "go", [GONE] = "gone"};
    struct sb_job job = job_of(service, "import time; time.sleep(1000)");
    for (enum moment moment = FIRST; moment <= GONE; moment++)
        if (strcmp(service->argument, names[moment]) == 0)
            death = moment;
    start(service, &job);
    printf("still alive\n");
}

/* ── Streams ───────────────────────────────────────────────────────────────────────────────── */

/* A source of stdin and what feeds it. */
static void make_source(const char *kind, int ends[2])
{
    int failed = 0;
    if (strcmp(kind, "pipe") == 0) {
        failed = pipe2(ends, O_CLOEXEC);
    } else if (strcmp(kind, "socket") == 0) {
        failed = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
    } else {
        ends[1] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        failed = grantpt(ends[1]) | unlockpt(ends[1]);
        ends[0] = open(ptsname(ends[1]), O_RDWR | O_NOCTTY | O_CLOEXEC);
    }
    if (failed < 0 || ends[0] < 0) {
        perror(kind);
        exit(1);
    }
}

/* Both jobs wait for the line, one gets it, and no more comes. */
static void shared_stdin(struct service *service)
{
    int ends[2];
    make_source(service->argument, ends);
    struct sb_job job = job_of(service, "import sys; sys.stdin.read()");
    job.limits.value[SB_WALL_TIME_MS] = 1000;
    job.stdin_from_fd = true;
    job.stdin_fd = ends[0];
    start(service, &job);
    start(service, &job);
    if (write(ends[1], "line\n", 5) != 5)
        perror("write");
    turn_to_the_end(service);
}

static void pause_it(void *user, enum sb_stream stream, const void *data, size_t size)
{
    struct service *service = user;
    (void)data;
    (void)size;
    sb_pause(service->run, stream, true);
    service->argument = "paused";
}

static void close_while_paused(struct service *service)
{
    struct sb_job job = job_of(service, FLOOD);
    job.on_output = pause_it;
    start(service, &job);
    struct sb_error err;
    while (strcmp(service->argument, "paused") != 0)
        must(sb_turn(service->sandbox, -1, &err), &err);
    printf("closing with %zu running\n", sb_running(service->sandbox));
    sb_close(service->sandbox);
    service->sandbox = NULL;
    printf("closed\n");
}

static void late_output(struct service *service)
{
    struct sb_job job = job_of(service, "print('x' * 10000)");
    start(service, &job);
    sb_pause(service->run, SB_STDOUT, true);
    await_death();
    struct sb_error err;
    must(sb_turn(service->sandbox, -1, &err), &err);
    printf("%zu running\n", sb_running(service->sandbox));
    sb_pause(service->run, SB_STDOUT, false);
    turn_to_the_end(service);
}

/* ── Supervising ───────────────────────────────────────────────────────────────────────────── */

static void no_descriptors(struct service *service)
{
    bool memory = strcmp(service->argument, "memory") == 0;
    struct sb_job job = job_of(service, memory ? "x = bytearray(1 << 30)" : "while True: pass");
    if (memory)
        job.limits.value[SB_MEMORY_BYTES] = 64 << 20;
    else
        job.limits.value[SB_CPU_TIME_MS] = 500;
    start(service, &job);
    struct rlimit usual = lower_open_files(0);
    turn_to_the_end(service);
    setrlimit(RLIMIT_NOFILE, &usual);
}

static void stolen_exit(struct service *service)
{
    struct sb_job job = job_of(service, "print(1)");
    start(service, &job);
    printf("%s\n", waitpid(-1, NULL, __WALL) > 0 ? "stolen" : "no child");
    turn_to_the_end(service);
}

static void turn_inside(void *user)
{
    struct service *service = user;
    struct sb_error err = {0};
    if (sb_turn(service->sandbox, 0, &err) < 0)
        printf("refused: %s\n", strerrorname_np(err.errnum));
    else
        printf("turned\n");
}

static void turn_on_output(void *user, enum sb_stream stream, const void *data, size_t size)
{
    (void)stream;
    (void)data;
    (void)size;
    turn_inside(user);
}

static void turn_when_done(void *user, const struct sb_verdict *verdict)
{
    turn_inside(user);
    say_word(user, verdict);
}

static void turn_in_callback(struct service *service)
{
    struct sb_job job = job_of(service, "print(1)");
    job.on_output = turn_on_output;
    job.on_done = turn_when_done;
    start(service, &job);
    turn_to_the_end(service);
}

static void close_when_done(void *user, const struct sb_verdict *verdict)
{
    struct service *service = user;
    sb_close(service->sandbox);
    printf("%zu running\n", sb_running(service->sandbox));
    say_word(user, verdict);
}

static void close_in_callback(struct service *service)
{
    for (int i = 0; i < 2; i++) {
        struct sb_job job = job_of(service, "print(1)");
        job.on_done = close_when_done;
        start(service, &job);
        turn_to_the_end(service);
    }
}

static void millicpus(struct service *service)
{
    (void)service;
    printf("%lld\n", (long long)sb_millicpus());
}

static void throttled(struct service *service)
{
    struct sb_job job = job_of(service, "while True: pass");
    job.limits.value[SB_MILLICPUS] = 10;
    job.limits.value[SB_WALL_TIME_MS] = 1000;
    start(service, &job);
    kills_shown = true;
    turn_to_the_end(service);
    kills_shown = false;
}

/* ── Main ──────────────────────────────────────────────────────────────────────────────────── */

static const struct {
    const char *name;
    void (*call)(struct service *service);
    bool open; /* a sandbox is to be open already */
} commands[] = {
    {"failed-open", failed_open, false},  {"uid-range", uid_range, false},
    {"failed-start", failed_start, true}, {"killed-start", killed_start, true},
    {"shared-stdin", shared_stdin, true}, {"close-while-paused", close_while_paused, true},
    {"late-output", late_output, true},   {"no-descriptors", no_descriptors, true},
    {"stolen-exit", stolen_exit, true},   {"turn-in-callback", turn_in_callback, true},
    {"throttled", throttled, true},       {"close-in-callback", close_in_callback, true},
    {"millicpus", millicpus, false},
};

int main(int argc, char **argv)
{
    if (argc < 2 || argc > 4) {
        fprintf(stderr, "usage: supervision COMMAND [ARGUMENT [POLICY]]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    const char *cgroup = getenv("SANDBOX_TEST_CGROUP");
    struct service service = {
        .options = {.rootfs = getenv("SANDBOX_ROOTFS"),
                    .cgroup = (enum sb_cgroup)sb_cgroup_from_name(cgroup ? cgroup : "auto")},
        .argument = argc > 2 ? argv[2] : "",
    };
    struct sb_error err;
    must(sb_policy_load(&service.policy, getenv("SANDBOX_POLICIES"), argc > 3 ? argv[3] : "default",
                        &err),
         &err);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(argv[1], commands[i].name) == 0) {
            if (commands[i].open)
                must(sb_open(&service.sandbox, &service.options, &err), &err);
            commands[i].call(&service);
        }
    sb_close(service.sandbox);
    sb_policy_free(service.policy);
    return 0;
}
