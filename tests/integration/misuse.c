/* Uses libsandbox in every wrong way that sandbox.h has a word for. Says what did not come out as
 * that word has it; nothing, and exit status 0, when all did. */
#include <sandbox.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPECT(what) ((void)((what) || printf("line %d: %s\n", __LINE__, #what)))
/* Fails, names the argument, and tells what to do. */
#define REFUSED(call, argument)                                                                    \
    do {                                                                                           \
        struct sb_error err = {0};                                                                 \
        EXPECT((call) < 0);                                                                        \
        EXPECT(strcmp(err.field, argument) == 0 && err.message[0] != '\0');                        \
    } while (0)
#define CODE(text) .code = text, .code_size = strlen(text)

static struct sb_sandbox *sandbox;
static struct sb_policy *policy;
static struct sb_run *run;
static int verdicts;

static void turn_to_the_end(void)
{
    struct sb_error err;
    while (sb_running(sandbox) > 0)
        if (sb_turn(sandbox, -1, &err) < 0) {
            printf("%s\n", err.message);
            exit(1);
        }
}

static struct sb_job job_of(const char *code)
{
    struct sb_job job = {.policy = policy, .code = code, .code_size = strlen(code)};
    job.limits = sb_limits_unset();
    return job;
}

static void outputs_nowhere(void)
{
    struct sb_policy *no_policy = (struct sb_policy *)&verdicts;
    struct sb_sandbox *no_sandbox = (struct sb_sandbox *)&verdicts;
    struct sb_uids *no_uids = (struct sb_uids *)&verdicts;
    char **no_names = (char **)&verdicts;
    struct sb_run *no_run = (struct sb_run *)&verdicts;
    struct sb_job bad = {.policy = policy, CODE("")};
    bad.limits.value[SB_PIDS] = 1 << 30;
    EXPECT(sb_policy_load(&no_policy, "/nowhere", "default", NULL) < 0 && no_policy == NULL);
    EXPECT(sb_policy_list(&no_names, "/nowhere", NULL) < 0 && no_names == NULL);
    EXPECT(sb_open(&no_sandbox, &(struct sb_options){.rootfs = "/nowhere"}, NULL) < 0);
    EXPECT(no_sandbox == NULL);
    EXPECT(sb_uids_open(&no_uids, &(struct sb_options){.uid_first = 5, .uid_count = UINT32_MAX},
                        NULL) < 0);
    EXPECT(no_uids == NULL);
    EXPECT(sb_start(sandbox, &bad, &no_run, NULL) < 0 && no_run == NULL);
}

static void nulls_of_policies(void)
{
    int64_t value;
    REFUSED(sb_policy_load(NULL, NULL, "default", &err), "policy");
    REFUSED(sb_policy_load(&(struct sb_policy *){0}, NULL, NULL, &err), "policy");
    REFUSED(sb_policy_list(NULL, NULL, &err), "names");
    REFUSED(sb_limit_parse(SB_PIDS, "1", NULL, &err), "value");
    REFUSED(sb_limit_parse(SB_PIDS, NULL, &value, &err), "--pids");
    REFUSED(sb_limit_parse((enum sb_limit)999, "1", &value, &err), "limit");
    EXPECT(sb_limit_info((enum sb_limit)999) == NULL);
    EXPECT(strcmp(sb_policy_name(NULL), "") == 0 && strcmp(sb_policy_description(NULL), "") == 0);
    EXPECT(sb_policy_limit(NULL, SB_PIDS) == SB_UNSET && sb_policy_cap(NULL, SB_PIDS) == SB_UNSET);
    EXPECT(sb_policy_limit(policy, (enum sb_limit)999) == SB_UNSET);
    EXPECT(sb_policy_preload(NULL)[0] == NULL && sb_policy_json(NULL) == NULL);
    EXPECT(!sb_policy_writable(NULL));
    sb_policy_lower_cap(NULL, SB_PIDS, 1);
    sb_policy_lower_cap(policy, (enum sb_limit)999, 1);
    sb_policy_free(NULL);
    sb_strv_free(NULL);
}

static void nulls_of_sandboxes(void)
{
    struct sb_search search = {0};
    REFUSED(sb_open(NULL, NULL, &err), "sandbox");
    struct sb_options unknown = {.rootfs = getenv("SANDBOX_ROOTFS"), .cgroup = 999};
    REFUSED(sb_open(&(struct sb_sandbox *){0}, &unknown, &err), "cgroup");
    REFUSED(sb_uids_open(NULL, NULL, &err), "uids");
    REFUSED(sb_turn(NULL, 0, &err), "sandbox");
    REFUSED(sb_warm_enable(NULL, NULL, &err), "sandbox");
    REFUSED(sb_find_modules(sandbox, NULL, &search, &err), "policy");
    REFUSED(sb_find_modules(sandbox, policy, NULL, &err), "search");
    REFUSED(sb_find_modules(sandbox, policy, &search, &err), "search");
    EXPECT(sb_turn(NULL, 0, NULL) < 0);
    EXPECT(sb_fd(NULL) == -1 && sb_running(NULL) == 0 && sb_demand(NULL) == -1);
    EXPECT(sb_host_memory(NULL, true).available_bytes == -1);
    EXPECT(sb_uids_state(NULL).way == SB_UIDS_SHARED && sb_uids_state(NULL).reason != NULL);
    EXPECT(!sb_warm_state(NULL, policy).ready && !sb_warm_state(sandbox, NULL).ready);
    EXPECT(sb_cgroup_from_name(NULL) == -1);
    sb_cgroup_prepare((enum sb_cgroup)999);
    sb_warm_prepare(NULL, policy);
    sb_warm_prepare(sandbox, NULL);
    sb_warm_forget(NULL, policy);
    sb_warm_forget(sandbox, NULL);
    sb_kill(NULL, SIGKILL, NULL);
    sb_pause(NULL, SB_STDOUT, true);
    sb_uids_free(NULL);
    sb_close(NULL);
}

static void nulls_of_jobs(void)
{
    const struct sb_job good = {.policy = policy, CODE("")};
    REFUSED(sb_start(NULL, &good, NULL, &err), "sandbox");
    REFUSED(sb_start(sandbox, NULL, NULL, &err), "job");
    REFUSED(sb_check(NULL, &err), "job");
    const struct {
        struct sb_job job;
        const char *field;
    } bad[] = {
        {{CODE("")}, "policy"},
        {{.policy = policy, .code_size = 1}, "code"},
        {{.policy = policy, CODE(""), .stdin_size = 1}, "stdin"},
        {{.policy = policy, CODE(""), .stdin_from_fd = true, .stdin_fd = -1}, "stdin"},
        {{.policy = policy, CODE(""), .stdin_from_fd = true, .stdin_fd = 12345}, "stdin"},
        {{.policy = policy, CODE(""), .files_count = 1}, "files"},
        {{.policy = policy, CODE(""), .files = (struct sb_file[]){{0}}, .files_count = 1}, "files"},
        {{.policy = policy,
          CODE(""),
          .files = (struct sb_file[]){{.path = "a", .size = 1}},
          .files_count = 1},
         "files"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        REFUSED(sb_start(sandbox, &bad[i].job, NULL, &err), bad[i].field);
        EXPECT(sb_start(sandbox, &bad[i].job, NULL, NULL) < 0);
    }
}

static void nulls_of_verdicts(void)
{
    struct sb_verdict verdict = sb_verdict_unstarted(NULL, NULL);
    char *json = sb_verdict_json(&verdict, 0);
    EXPECT(verdict.error != NULL && json != NULL && strstr(json, "\"id\":null") != NULL);
    free(json);
    struct sb_verdict zero = {0};
    json = sb_verdict_json(&zero, ~0U);
    EXPECT(json != NULL);
    free(json);
    json = sb_verdict_json(&zero, 0);
    EXPECT(json != NULL);
    free(json);
    EXPECT(sb_verdict_json(NULL, 0) == NULL);
    EXPECT(strcmp(sb_word_name((enum sb_word)999), "internal") == 0);
}

/* Nobody has to be told. */
static void without_callbacks(void)
{
    struct sb_job job = job_of("print(1)");
    EXPECT(sb_start(sandbox, &job, NULL, NULL) == 0);
    turn_to_the_end();
}

static void killed(void *user, const struct sb_verdict *verdict)
{
    verdicts++;
    EXPECT(verdict->word == SB_SIGNAL && verdict->signal == *(const int *)user);
    EXPECT(verdict->error[0] != '\0');
    char *json = sb_verdict_json(verdict, 0);
    EXPECT(json != NULL);
    free(json);
}

static void kills(void)
{
    static const struct {
        int signal, verdict;
    } tried[] = {{999, SIGKILL}, {0, SIGKILL}, {-1, SIGKILL}, {SIGTERM, SIGTERM}};
    for (size_t i = 0; i < sizeof(tried) / sizeof(tried[0]); i++) {
        struct sb_job job = job_of("while True: pass");
        job.on_done = killed;
        job.user = (void *)&tried[i].verdict;
        EXPECT(sb_start(sandbox, &job, &run, NULL) == 0);
        sb_pause(run, (enum sb_stream)999, true);
        sb_kill(run, tried[i].signal, NULL);
        sb_kill(run, SIGHUP, "the first one counts");
        turn_to_the_end();
    }
}

/* What may be called from a callback, and what not. */
static void calls_back(void *user, const struct sb_verdict *verdict)
{
    struct sb_error err;
    struct sb_policy *other = NULL;
    (void)user;
    EXPECT(verdict->word == SB_OK);
    verdicts++;
    EXPECT(sb_turn(sandbox, 0, &err) < 0 && err.message[0] != '\0');
    sb_close(sandbox);
    EXPECT(sb_warm_enable(sandbox, NULL, &err) < 0);
    sb_kill(run, SIGKILL, "it has ended");
    sb_pause(run, SB_STDOUT, true);
    EXPECT(sb_demand(run) >= -1);
    sb_warm_forget(sandbox, policy);
    EXPECT(sb_policy_load(&other, getenv("SANDBOX_POLICIES"), "default", &err) == 0);
    sb_policy_free(other);
    struct sb_job again = job_of("");
    if (verdicts < 3) {
        again.on_done = calls_back;
        EXPECT(sb_start(sandbox, &again, &run, &err) == 0);
    }
}

static void output_calls_back(void *user, enum sb_stream stream, const void *data, size_t size)
{
    (void)user;
    (void)stream;
    (void)data;
    EXPECT(size > 0 && sb_turn(sandbox, -1, NULL) < 0);
    sb_close(sandbox);
}

static void callbacks(void)
{
    verdicts = 0;
    struct sb_job job = job_of("print('x' * 100000)");
    job.on_done = calls_back;
    job.on_output = output_calls_back;
    EXPECT(sb_start(sandbox, &job, &run, NULL) == 0);
    turn_to_the_end();
    EXPECT(verdicts == 3);
}

static void free_policy(void *user, const struct sb_verdict *verdict)
{
    EXPECT(verdict->word == SB_OK);
    sb_warm_forget(sandbox, user);
    sb_policy_free(user);
}

/* After its last job has its verdict: that is in the callback, too. */
static void policy_goes_in_the_last_callback(bool warm)
{
    struct sb_policy *own = NULL;
    EXPECT(sb_policy_load(&own, getenv("SANDBOX_POLICIES"), "run", NULL) == 0);
    sb_warm_prepare(sandbox, own);
    while (warm && !sb_warm_state(sandbox, own).ready)
        sb_turn(sandbox, -1, NULL);
    struct sb_job job = {.policy = own, CODE("print(1)"), .on_done = free_policy, .user = own};
    EXPECT(sb_start(sandbox, &job, NULL, NULL) == 0);
    turn_to_the_end();
}

static void warm_twice(void)
{
    struct sb_error err;
    EXPECT(sb_warm_enable(sandbox, NULL, &err) == 0);
    EXPECT(sb_warm_enable(sandbox, NULL, &err) < 0 && strstr(err.message, "already") != NULL);
    EXPECT(sb_warm_enable(sandbox, NULL, NULL) < 0);
}

int main(void)
{
    struct sb_error err;
    struct sb_options options = {.rootfs = getenv("SANDBOX_ROOTFS")};
    const char *cgroup = getenv("SANDBOX_TEST_CGROUP");
    options.cgroup = (enum sb_cgroup)sb_cgroup_from_name(cgroup != NULL ? cgroup : "auto");
    if (sb_policy_load(&policy, getenv("SANDBOX_POLICIES"), "default", &err) < 0 ||
        sb_open(&sandbox, &options, &err) < 0) {
        printf("%s\n", err.message);
        return 1;
    }
    outputs_nowhere();
    nulls_of_policies();
    nulls_of_sandboxes();
    nulls_of_jobs();
    nulls_of_verdicts();
    without_callbacks();
    kills();
    callbacks();
    policy_goes_in_the_last_callback(false);
    warm_twice();
    without_callbacks();
    policy_goes_in_the_last_callback(true);
    sb_close(sandbox);
    sb_close(sandbox);
    sb_policy_free(policy);
    return 0;
}
