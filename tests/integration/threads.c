/* Runs jobs while other threads come and go: THREADS threads with a sandbox each, JOBS jobs in
 * each, under POLICY; "warm" as a fourth argument has interpreters kept ready. Says how many ended
 * well, and of the others how. */
#include <pthread.h>
#include <sandbox.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS_MAX 16
/* What libsandbox(3) asks for; a sanitizer takes more. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define STACK_BYTES (8 << 20)
#else
#define STACK_BYTES (128 << 10)
#endif

struct worker {
    const char *policy;
    bool warm;
    int jobs, good, warm_starts;
};

static atomic_bool over;

/* Takes the locks of malloc, of stdio and of the list of streams, and goes. */
static void *come_and_go(void *user)
{
    FILE *file = fopen("/proc/self/comm", "re");
    char *buffer = malloc(100000);
    if (file != NULL && buffer != NULL)
        fread(buffer, 1, 100, file);
    free(buffer);
    if (file != NULL)
        fclose(file);
    return user;
}

static void *churn(void *user)
{
    pthread_t thread;
    while (!over)
        if (pthread_create(&thread, NULL, come_and_go, NULL) == 0)
            pthread_join(thread, NULL);
    return user;
}

static void done(void *user, const struct sb_verdict *verdict)
{
    struct worker *worker = user;
    worker->warm_starts += strcmp(verdict->start, "warm") == 0;
    if (verdict->word == SB_OK && strcmp(verdict->text[SB_STDOUT], "42\n") == 0)
        worker->good++;
    else
        fprintf(stderr, "%s: %s\n", sb_word_name(verdict->word),
                verdict->error ? verdict->error : "");
}

static void run(struct worker *worker, struct sb_sandbox *sandbox, const struct sb_policy *policy)
{
    struct sb_error err = {0};
    struct sb_job job = {.policy = policy,
                         .code = "print(6 * 7)",
                         .code_size = strlen("print(6 * 7)"),
                         .on_done = done,
                         .user = worker};
    job.limits = sb_limits_unset();
    while (worker->warm && !sb_warm_state(sandbox, policy).ready)
        if (sb_turn(sandbox, -1, &err) < 0)
            break;
    for (int i = 0; i < worker->jobs; i++) {
        if (sb_start(sandbox, &job, NULL, &err) < 0)
            fprintf(stderr, "%s\n", err.message);
        while (sb_running(sandbox) > 0 && sb_turn(sandbox, -1, &err) == 0)
            ;
    }
}

static void *work(void *user)
{
    struct worker *worker = user;
    struct sb_error err;
    struct sb_policy *policy = NULL;
    struct sb_sandbox *sandbox = NULL;
    struct sb_options options = {.rootfs = getenv("SANDBOX_ROOTFS")};
    const char *cgroup = getenv("SANDBOX_TEST_CGROUP");
    options.cgroup = (enum sb_cgroup)sb_cgroup_from_name(cgroup != NULL ? cgroup : "auto");
    if (sb_policy_load(&policy, getenv("SANDBOX_POLICIES"), worker->policy, &err) < 0 ||
        sb_open(&sandbox, &options, &err) < 0 ||
        (worker->warm && sb_warm_enable(sandbox, NULL, &err) < 0)) {
        fprintf(stderr, "%s\n", err.message);
    } else {
        if (worker->warm)
            sb_warm_prepare(sandbox, policy);
        run(worker, sandbox, policy);
    }
    sb_close(sandbox);
    sb_policy_free(policy);
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    int threads = atoi(argv[1]) < THREADS_MAX ? atoi(argv[1]) : THREADS_MAX, good = 0, warm = 0;
    struct worker workers[THREADS_MAX];
    pthread_t thread[THREADS_MAX], churner;
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, STACK_BYTES);
    pthread_create(&churner, NULL, churn, NULL);
    for (int i = 0; i < threads; i++) {
        workers[i] = (struct worker){.policy = argv[3], .warm = argc > 4, .jobs = atoi(argv[2])};
        pthread_create(&thread[i], &small, work, &workers[i]);
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(thread[i], NULL);
        good += workers[i].good;
        warm += workers[i].warm_starts;
    }
    over = true;
    pthread_join(churner, NULL);
    printf("%d good%s\n", good, warm > 0 ? ", some of them warm" : "");
    return 0;
}
