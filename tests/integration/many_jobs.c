/* Runs N jobs at once on one thread, the sandbox's descriptor nested in an epoll of our own, as a
 * service would. Says how many ended well, and how many descriptors are open afterwards that were
 * not before. */
#include <dirent.h>
#include <sandbox.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>

static void count_good(void *user, const struct sb_verdict *verdict)
{
    if (verdict->word == SB_OK && strcmp(verdict->text[SB_STDOUT], "here\n") == 0)
        ++*(int *)user;
    else
        fprintf(stderr, "%s: %s\n", sb_word_name(verdict->word),
                verdict->error ? verdict->error : "");
}

static int open_descriptors(void)
{
    int count = 0;
    DIR *list = opendir("/proc/self/fd");
    while (list != NULL && readdir(list) != NULL)
        count++;
    closedir(list);
    return count;
}

static void fail(const struct sb_error *err)
{
    fprintf(stderr, "%s\n", err->message);
    exit(1);
}

/* So many of them at once, to the end of the last. */
static void run(struct sb_sandbox *sandbox, const struct sb_job *job, int count, int loop)
{
    struct sb_error err;
    struct epoll_event event;
    for (int i = 0; i < count; i++)
        if (sb_start(sandbox, job, NULL, &err) < 0)
            fail(&err);
    while (sb_running(sandbox) > 0) {
        epoll_wait(loop, &event, 1, -1);
        if (sb_turn(sandbox, 0, &err) < 0)
            fail(&err);
    }
}

int main(int argc, char **argv)
{
    const char *code = "import sys; print('here', flush=True); sys.stdin.read()";
    int jobs = argc > 1 ? atoi(argv[1]) : 1, good = 0;
    int mode = sb_cgroup_from_name(argc > 2 ? argv[2] : "auto");
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    struct sb_error err;
    struct sb_policy *policy;
    struct sb_sandbox *sandbox;
    struct sb_options options = {.rootfs = getenv("SANDBOX_ROOTFS"),
                                 .cgroup = (enum sb_cgroup)mode};
    if (sb_policy_load(&policy, getenv("SANDBOX_POLICIES"), "default", &err) < 0 ||
        sb_open(&sandbox, &options, &err) < 0)
        fail(&err);
    struct sb_job job = {.policy = policy,
                         .code = code,
                         .code_size = strlen(code),
                         .on_done = count_good,
                         .user = &good,
                         .stdin_data = "x",
                         .stdin_size = 1};
    job.limits = sb_limits_unset();
    job.limits.value[SB_WALL_TIME_MS] = 600 * 1000; /* however slow this host is */
    int loop = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};
    epoll_ctl(loop, EPOLL_CTL_ADD, sb_fd(sandbox), &event);
    run(sandbox, &job, 1, loop); /* these open what the sandbox keeps */
    sb_host_memory(sandbox, true);
    int before = open_descriptors();
    run(sandbox, &job, jobs - 1, loop);
    printf("%d good, %d descriptors left\n", good, open_descriptors() - before);
    sb_close(sandbox);
    sb_policy_free(policy);
    return 0;
}
