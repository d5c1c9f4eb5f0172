/* Stores of jobs: every driver keeps the same promises. Each test runs for each driver; two
 * stores on one address are two nodes. */
#include "unit.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/util.h"
#include "serve/process/log.h"
#include "serve/process/metrics.h"
#include "serve/store/store.h"

enum { NODES = 2, SEEN_MAX = 256 };

/* What the last callback was told. */
struct seen {
    enum store_result result;
    char message[512];
    size_t count;
    struct {
        char id[STORE_ID_SIZE], owner[64], policy[64], request[64], answer[64], reason[256];
        enum store_state state;
        int64_t tries, before, created_ms, started_ms, ended_ms;
        size_t request_size;
        int status;
    } job[SEEN_MAX];
};

/* What one node was told. */
struct listener {
    struct bench *bench;
    size_t changes, ends;
};

struct bench {
    struct listener listener[NODES];
    char directory[64], address[128];
    const char *scheme;
    struct loop *loop;
    struct store *node[NODES];
    struct store_bounds bounds;
    struct seen seen;
    bool told;                           /* the callback has been called */
    char ended[SEEN_MAX][STORE_ID_SIZE]; /* ids of `ended`, in their order */
    size_t ended_count;
    const char *wanted; /* stop the loop when this id has ended, */
    bool want_change;   /* or when something has become claimable */
    size_t changes, fenced;
    struct metrics *metrics;
};

/* ── Calls that wait for their callback ──────────────────────────────────────────────────────── */

static void on_changed(void *user)
{
    struct listener *listener = user;
    struct bench *bench = listener->bench;
    listener->changes++;
    bench->changes++;
    bench->want_change = false;
    loop_stop(bench->loop);
}

static void on_ended(void *user, const char *id)
{
    struct listener *listener = user;
    struct bench *bench = listener->bench;
    assert_true(bench->ended_count < SEEN_MAX);
    listener->ends++;
    snprintf(bench->ended[bench->ended_count++], STORE_ID_SIZE, "%s", id);
    if (bench->wanted != NULL && strcmp(bench->wanted, id) == 0)
        bench->wanted = NULL;
    loop_stop(bench->loop);
}

static void on_fenced(void *user)
{
    struct bench *bench = ((struct listener *)user)->bench;
    bench->fenced++;
    loop_stop(bench->loop);
}

static void copy(char *to, size_t size, const void *from, size_t length)
{
    if (from != NULL)
        memcpy(to, from, MIN(length, size - 1));
}

static void copy_text(char *to, size_t size, const char *from)
{
    copy(to, size, from, from != NULL ? strlen(from) : 0);
}

static void see(struct bench *bench, enum store_result result, const char *message,
                const struct store_job *jobs, size_t count)
{
    struct seen *seen = &bench->seen;
    memset(seen, 0, sizeof(*seen));
    seen->result = result;
    snprintf(seen->message, sizeof(seen->message), "%s", message != NULL ? message : "");
    seen->count = count;
    for (size_t i = 0; i < count; i++) {
        const struct store_job *job = &jobs[i];
        copy_text(seen->job[i].id, sizeof(seen->job[i].id), job->id);
        copy_text(seen->job[i].owner, sizeof(seen->job[i].owner), job->owner);
        copy_text(seen->job[i].policy, sizeof(seen->job[i].policy), job->policy);
        copy_text(seen->job[i].reason, sizeof(seen->job[i].reason), job->reason);
        seen->job[i].request_size = job->request_size;
        copy(seen->job[i].request, 64, job->request, job->request_size);
        copy(seen->job[i].answer, 64, job->answer, job->answer_size);
        seen->job[i].state = job->state;
        seen->job[i].tries = job->tries;
        seen->job[i].before = job->before;
        seen->job[i].created_ms = job->created_ms;
        seen->job[i].started_ms = job->started_ms;
        seen->job[i].ended_ms = job->ended_ms;
        seen->job[i].status = job->status;
    }
    bench->told = true;
    loop_stop(bench->loop);
}

static void on_done(void *user, enum store_result result, const char *message)
{
    see(user, result, message, NULL, 0);
}

static void on_found(void *user, enum store_result result, const char *message,
                     const struct store_job *job)
{
    see(user, result, message, job, job != NULL);
}

static void on_list(void *user, enum store_result result, const char *message,
                    const struct store_job *jobs, size_t count)
{
    see(user, result, message, jobs, count);
}

static enum store_result await(struct bench *bench)
{
    struct sb_error err;
    while (!bench->told)
        assert_int_equal(loop_run(bench->loop, &err), 0);
    bench->told = false;
    return bench->seen.result;
}

static enum store_result submit_as(struct bench *bench, const char *id, const char *owner,
                                   const char *key, const char *request)
{
    struct store_submission given = {
        .owner = owner, .policy = "run", .key = key, .request = request, .size = strlen(request)};
    snprintf(given.id, sizeof(given.id), "%s", id);
    snprintf(given.digest, sizeof(given.digest), "digest of %s", request);
    store_driver(bench->node[0])->submit(bench->node[0], &given, on_found, bench);
    return await(bench);
}

static enum store_result submit(struct bench *bench, const char *id)
{
    return submit_as(bench, id, "ann", NULL, "print(1)");
}

static size_t claim(struct bench *bench, int node, size_t most)
{
    store_driver(bench->node[node])->claim(bench->node[node], most, on_list, bench);
    assert_int_equal(await(bench), STORE_OK);
    return bench->seen.count;
}

static enum store_result finish(struct bench *bench, int node, const char *id, int64_t try,
                                const char *answer)
{
    store_driver(bench->node[node])
        ->finish(bench->node[node], id, try, answer, strlen(answer), 200, on_done, bench);
    return await(bench);
}

static enum store_result fail_try(struct bench *bench, int node, const char *id, int64_t try,
                                  bool counts)
{
    const struct store_driver *driver = store_driver(bench->node[node]);
    (driver->fail)(bench->node[node], id, try, counts, "the host was busy", on_done, bench);
    return await(bench);
}

static enum store_result get_as(struct bench *bench, const char *id, const char *owner)
{
    store_driver(bench->node[0])->get(bench->node[0], id, owner, on_found, bench);
    return await(bench);
}

static enum store_state state_of(struct bench *bench, const char *id)
{
    assert_int_equal(get_as(bench, id, "ann"), STORE_OK);
    return bench->seen.job[0].state;
}

static enum store_result cancel_as(struct bench *bench, int node, const char *id, const char *owner)
{
    store_driver(bench->node[node])->cancel(bench->node[node], id, owner, on_done, bench);
    return await(bench);
}

/* ── A Redis server of our own ───────────────────────────────────────────────────────────────── */

#ifdef HAVE_REDIS
static char redis_directory[] = "/tmp/test_store.redis.XXXXXX";
static pid_t redis_pid;
static struct log *redis_log;

static bool redis_answers(void)
{
    char command[256];
    snprintf(command, sizeof(command), "redis-cli -s %s/socket ping 2>&1 | grep -q PONG",
             redis_directory);
    return system(command) == 0;
}

static void redis_begin(void)
{
    char socket[64];
    snprintf(socket, sizeof(socket), "%s/socket", redis_directory);
    redis_pid = fork();
    if (redis_pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", socket, "--dir",
               redis_directory, "--save", "", "--appendonly", "yes", "--logfile", "log", NULL);
        _exit(127);
    }
    while (!redis_answers()) {
        assert_int_equal(waitpid(redis_pid, NULL, WNOHANG), 0);
        usleep(10000);
    }
}

static void redis_kill(int signal)
{
    kill(redis_pid, signal);
    waitpid(redis_pid, NULL, 0);
}
#endif

/* ── The bench ───────────────────────────────────────────────────────────────────────────────── */

static struct log *log_of(const struct bench *bench)
{
#ifdef HAVE_REDIS
    if (strcmp(bench->scheme, "redis") == 0)
        return redis_log;
#endif
    (void)bench;
    return NULL;
}

static void open_node(struct bench *bench, int node)
{
    struct sb_error err;
    char name[16];
    snprintf(name, sizeof(name), "node%d", node);
    const struct store_setup setup = {.address = bench->address,
                                      .node = name,
                                      .bounds = bench->bounds,
                                      .loop = bench->loop,
                                      .log = log_of(bench),
                                      .metrics = bench->metrics,
                                      .changed = on_changed,
                                      .ended = on_ended,
                                      .fenced = on_fenced,
                                      .user = &bench->listener[node]};
    if (store_open(&bench->node[node], &setup, &err) < 0)
        fail_msg("%s", err.message);
}

static void close_node(struct bench *bench, int node)
{
    if (bench->node[node] != NULL)
        store_driver(bench->node[node])->close(bench->node[node]);
    bench->node[node] = NULL;
}

static void begin(struct bench *bench, const char *scheme)
{
    struct sb_error err;
    *bench = (struct bench){.directory = "/tmp/test_store.XXXXXX",
                            .scheme = scheme,
                            .bounds = {.queue = 100,
                                       .job_ttl_ms = 3600000,
                                       .result_ttl_ms = 3600000,
                                       .lease_ms = 500,
                                       .tries = 3}};
    for (int i = 0; i < NODES; i++)
        bench->listener[i].bench = bench;
    assert_non_null(mkdtemp(bench->directory));
    bench->metrics = calloc(1, sizeof(*bench->metrics));
    assert_non_null(bench->metrics);
    if (strcmp(scheme, "sqlite:") == 0)
        snprintf(bench->address, sizeof(bench->address), "sqlite:%s/jobs.db", bench->directory);
#ifdef HAVE_REDIS
    else if (strcmp(scheme, "redis") == 0)
        snprintf(bench->address, sizeof(bench->address), "redis+unix://%s/socket?prefix=%s",
                 redis_directory, bench->directory + strlen("/tmp/"));
#endif
    else
        snprintf(bench->address, sizeof(bench->address), "%s", scheme);
    assert_int_equal(loop_open(&bench->loop, &err), 0);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status, (void)type, (void)walk;
    return remove(path);
}

static void end(struct bench *bench)
{
    for (int i = 0; i < NODES; i++)
        close_node(bench, i);
    loop_close(bench->loop);
    free(bench->metrics);
    nftw(bench->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static const char A[] = "000000000000000000000000000000aa",
                  B[] = "000000000000000000000000000000bb",
                  C[] = "000000000000000000000000000000cc";

/* ── What every driver promises ──────────────────────────────────────────────────────────────── */

static void a_job_goes_from_queued_to_done(struct bench *bench)
{
    open_node(bench, 0);
    assert_int_equal(submit_as(bench, A, "ann", NULL, "print(1)"), STORE_OK);
    assert_string_equal(bench->seen.job[0].id, A);
    assert_int_equal(state_of(bench, A), STORE_QUEUED);
    assert_true(bench->seen.job[0].created_ms > 0);
    assert_int_equal(bench->seen.job[0].tries, 0);

    assert_int_equal(claim(bench, 0, 8), 1);
    assert_string_equal(bench->seen.job[0].request, "print(1)");
    assert_string_equal(bench->seen.job[0].owner, "ann");
    assert_string_equal(bench->seen.job[0].policy, "run");
    assert_int_equal(bench->seen.job[0].tries, 1);
    assert_int_equal(state_of(bench, A), STORE_RUNNING);
    assert_true(bench->seen.job[0].started_ms > 0);

    assert_int_equal(finish(bench, 0, A, 1, "{\"verdict\":\"ok\"}"), STORE_OK);
    assert_int_equal(state_of(bench, A), STORE_DONE);
    assert_string_equal(bench->seen.job[0].answer, "{\"verdict\":\"ok\"}");
    assert_int_equal(bench->seen.job[0].status, 200);
    assert_true(bench->seen.job[0].ended_ms >= bench->seen.job[0].started_ms);
}

static void the_same_key_gives_the_same_job(struct bench *bench)
{
    open_node(bench, 0);
    assert_int_equal(submit_as(bench, A, "ann", "k", "print(1)"), STORE_OK);
    assert_int_equal(submit_as(bench, B, "ann", "k", "print(1)"), STORE_EXISTS);
    assert_string_equal(bench->seen.job[0].id, A);
    assert_int_equal(submit_as(bench, B, "ann", "k", "print(2)"), STORE_CONFLICT);
    assert_int_equal(bench->seen.count, 0);
    assert_int_equal(submit_as(bench, C, "bob", "k", "print(2)"), STORE_OK);
    assert_int_equal(get_as(bench, B, "ann"), STORE_NONE);
    assert_int_equal(claim(bench, 0, 8), 2);
    assert_int_equal(finish(bench, 0, A, 1, "{}"), STORE_OK);
    assert_int_equal(submit_as(bench, B, "ann", "k", "print(1)"), STORE_EXISTS);
    assert_int_equal(bench->seen.job[0].state, STORE_DONE);
}

static void a_full_queue_refuses(struct bench *bench)
{
    bench->bounds.queue = 2;
    open_node(bench, 0);
    assert_int_equal(submit(bench, A), STORE_OK);
    assert_int_equal(submit(bench, B), STORE_OK);
    assert_int_equal(submit(bench, C), STORE_FULL);
    assert_non_null(strstr(bench->seen.message, "full"));
    assert_int_equal(claim(bench, 0, 1), 1); /* those that run don't wait */
    assert_int_equal(submit(bench, C), STORE_OK);
}

static void an_owner_has_its_share(struct bench *bench)
{
    bench->bounds.per_owner = 1;
    open_node(bench, 0);
    assert_int_equal(submit_as(bench, A, "ann", NULL, "1"), STORE_OK);
    assert_int_equal(submit_as(bench, B, "ann", NULL, "1"), STORE_FULL);
    assert_int_equal(submit_as(bench, B, "bob", NULL, "1"), STORE_OK);
    assert_int_equal(claim(bench, 0, 1), 1);
    assert_int_equal(submit_as(bench, C, "ann", NULL, "1"), STORE_FULL); /* it runs */
    assert_int_equal(finish(bench, 0, A, 1, "{}"), STORE_OK);
    assert_int_equal(submit_as(bench, C, "ann", NULL, "1"), STORE_OK);
}

static void claims_come_in_order(struct bench *bench)
{
    open_node(bench, 0);
    submit(bench, C);
    submit(bench, A);
    submit(bench, B);
    assert_int_equal(state_of(bench, B), STORE_QUEUED);
    assert_int_equal(bench->seen.job[0].before, 2);
    assert_int_equal(claim(bench, 0, 2), 2);
    assert_string_equal(bench->seen.job[0].id, C);
    assert_string_equal(bench->seen.job[1].id, A);
    assert_int_equal(claim(bench, 0, 2), 1);
    assert_string_equal(bench->seen.job[0].id, B);
    assert_int_equal(claim(bench, 0, 2), 0);
}

static void a_late_finish_is_refused(struct bench *bench)
{
    open_node(bench, 0);
    submit(bench, A);
    claim(bench, 0, 1);
    assert_int_equal(fail_try(bench, 0, A, 1, true), STORE_OK);
    assert_int_equal(finish(bench, 0, A, 1, "{\"late\":1}"), STORE_NONE);
    assert_int_equal(claim(bench, 0, 1), 1);
    assert_int_equal(bench->seen.job[0].tries, 2);
    assert_int_equal(finish(bench, 0, A, 1, "{\"late\":1}"), STORE_NONE);
    assert_int_equal(fail_try(bench, 0, A, 1, true), STORE_NONE);
    assert_int_equal(finish(bench, 0, A, 2, "{\"right\":1}"), STORE_OK);
    assert_int_equal(finish(bench, 0, A, 2, "{\"twice\":1}"), STORE_NONE);
    assert_int_equal(state_of(bench, A), STORE_DONE);
    assert_string_equal(bench->seen.job[0].answer, "{\"right\":1}");
}

static void a_job_is_lost_after_its_tries(struct bench *bench)
{
    open_node(bench, 0);
    submit(bench, A);
    for (int64_t try = 1; try <= 3; try++) {
        assert_int_equal(claim(bench, 0, 1), 1);
        assert_int_equal(fail_try(bench, 0, A, try, true), STORE_OK);
    }
    assert_int_equal(claim(bench, 0, 1), 0);
    assert_int_equal(state_of(bench, A), STORE_LOST);
    assert_string_equal(bench->seen.job[0].reason, "the host was busy");
}

static void giving_back_does_not_count(struct bench *bench)
{
    open_node(bench, 0);
    submit(bench, A);
    submit(bench, B);
    for (int64_t try = 1; try <= 5; try++) {
        assert_int_equal(claim(bench, 0, 1), 1);
        assert_string_equal(bench->seen.job[0].id, A); /* it keeps its place */
        assert_int_equal(fail_try(bench, 0, A, try, false), STORE_OK);
    }
    assert_int_equal(state_of(bench, A), STORE_QUEUED);
}

static void a_job_is_cancelled_in_each_state(struct bench *bench)
{
    open_node(bench, 0);
    submit(bench, A);
    assert_int_equal(cancel_as(bench, 0, A, "bob"), STORE_NONE);
    assert_int_equal(state_of(bench, A), STORE_QUEUED);
    assert_int_equal(cancel_as(bench, 0, A, "ann"), STORE_OK);
    assert_int_equal(state_of(bench, A), STORE_CANCELLED);
    assert_int_equal(claim(bench, 0, 1), 0);

    submit(bench, B);
    claim(bench, 0, 1);
    assert_int_equal(cancel_as(bench, 0, B, "ann"), STORE_OK);
    assert_int_equal(finish(bench, 0, B, 1, "{}"), STORE_NONE);
    assert_int_equal(state_of(bench, B), STORE_CANCELLED);

    submit(bench, C);
    claim(bench, 0, 1);
    finish(bench, 0, C, 1, "{}");
    assert_int_equal(cancel_as(bench, 0, C, "ann"), STORE_OK);
    assert_int_equal(state_of(bench, C), STORE_DONE);
    assert_int_equal(cancel_as(bench, 0, "00000000000000000000000000000000", "ann"), STORE_NONE);
}

static void anothers_job_is_not_found(struct bench *bench)
{
    open_node(bench, 0);
    submit(bench, A);
    assert_int_equal(get_as(bench, A, "bob"), STORE_NONE);
    assert_int_equal(bench->seen.count, 0);
    assert_int_equal(get_as(bench, A, "ann"), STORE_OK);
}

static void a_list_has_ones_own_newest_first(struct bench *bench)
{
    open_node(bench, 0);
    submit(bench, A);
    submit_as(bench, B, "bob", NULL, "1");
    submit(bench, C);
    store_driver(bench->node[0])->list(bench->node[0], "ann", 10, on_list, bench);
    assert_int_equal(await(bench), STORE_OK);
    assert_int_equal(bench->seen.count, 2);
    assert_string_equal(bench->seen.job[0].id, C);
    assert_string_equal(bench->seen.job[1].id, A);
    store_driver(bench->node[0])->list(bench->node[0], "ann", 1, on_list, bench);
    assert_int_equal(await(bench), STORE_OK);
    assert_int_equal(bench->seen.count, 1);
}

static void an_answer_is_kept_for_its_time(struct bench *bench)
{
    bench->bounds.result_ttl_ms = 1;
    open_node(bench, 0);
    submit_as(bench, A, "ann", "k", "1");
    claim(bench, 0, 1);
    finish(bench, 0, A, 1, "{}");
    while (get_as(bench, A, "ann") == STORE_OK) /* a millisecond passes */
        assert_int_equal(bench->seen.job[0].state, STORE_DONE);
    assert_int_equal(bench->seen.result, STORE_NONE);
    assert_int_equal(submit_as(bench, B, "ann", "k", "2"), STORE_OK); /* the key is free again */
}

static void a_job_waits_for_its_time(struct bench *bench)
{
    bench->bounds.job_ttl_ms = 1;
    open_node(bench, 0);
    submit(bench, A);
    while (get_as(bench, A, "ann") == STORE_OK)
        ;
    assert_int_equal(bench->seen.result, STORE_NONE);
}

static void a_watched_job_tells_that_it_ended(struct bench *bench)
{
    struct sb_error err;
    open_node(bench, 0);
    submit(bench, A);
    submit(bench, B);
    claim(bench, 0, 2);
    store_watch(bench->node[0], B, true);
    store_watch(bench->node[0], B, true); /* once is enough */
    bench->wanted = B;
    finish(bench, 0, A, 1, "{}");
    finish(bench, 0, B, 1, "{}");
    while (bench->wanted != NULL)
        loop_run(bench->loop, &err);
    store_watch(bench->node[0], B, false);
    store_watch(bench->node[0], B, false);
}

static void bytes_of_any_kind_are_kept(struct bench *bench)
{
    static const char bytes[] = "a\0b\xff\n";
    struct store_submission given = {.owner = "ann",
                                     .policy = "run",
                                     .digest = "d",
                                     .request = bytes,
                                     .size = sizeof(bytes) - 1};
    memcpy(given.id, A, sizeof(given.id));
    open_node(bench, 0);
    store_driver(bench->node[0])->submit(bench->node[0], &given, on_found, bench);
    assert_int_equal(await(bench), STORE_OK);
    assert_int_equal(claim(bench, 0, 1), 1);
    assert_int_equal(bench->seen.job[0].request_size, sizeof(bytes) - 1);
    assert_memory_equal(bench->seen.job[0].request, bytes, sizeof(bytes));
}

static int64_t calls_timed(const struct bench *bench, enum store_call call)
{
    int64_t count = 0;
    for (size_t i = 0; i < METRICS_BUCKETS; i++)
        count += metrics_get(&bench->metrics->store_calls[call].buckets[i]);
    return count;
}

static void each_call_is_timed_until_its_callback(struct bench *bench)
{
    open_node(bench, 0);
    submit(bench, A);
    submit(bench, B);
    assert_int_equal(claim(bench, 0, 8), 2);
    fail_try(bench, 0, B, 1, false);
    finish(bench, 0, A, 1, "{}");
    state_of(bench, A);
    assert_int_equal(get_as(bench, C, "ann"), STORE_NONE); /* a call all the same */
    store_driver(bench->node[0])->list(bench->node[0], "ann", 10, on_list, bench);
    await(bench);
    cancel_as(bench, 0, B, "ann");
    static const int64_t expected[STORE_CALLS] = {
        [STORE_CALL_SUBMIT] = 2, [STORE_CALL_CLAIM] = 1, [STORE_CALL_FINISH] = 1,
        [STORE_CALL_FAIL] = 1,   [STORE_CALL_GET] = 2,   [STORE_CALL_LIST] = 1,
        [STORE_CALL_CANCEL] = 1,
    };
    for (int call = 0; call < STORE_CALLS; call++)
        assert_int_equal(calls_timed(bench, (enum store_call)call), expected[call]);
}

static void a_store_may_be_closed_before_its_callbacks(struct bench *bench)
{
    open_node(bench, 0);
    submit(bench, A);
    store_driver(bench->node[0])->get(bench->node[0], A, "ann", on_found, bench);
    store_driver(bench->node[0])->list(bench->node[0], "ann", 10, on_list, bench);
    bool at_once = bench->told; /* by a driver that keeps its jobs in memory */
    close_node(bench, 0);
    assert_int_equal(bench->told, at_once);
    bench->told = false;
}

/* ── What the memory driver promises ─────────────────────────────────────────────────────────── */

/* 256 MiB in all: of nine answers of 32 MiB, the first is forgotten. */
static void test_memory_forgets_the_oldest_answers_for_new_ones(void **state)
{
    enum { ANSWERS = 9, BYTES = 32 << 20 };
    struct bench bench;
    char id[STORE_ID_SIZE];
    char *answer = malloc(BYTES + 1);
    (void)state;
    assert_non_null(answer);
    memset(answer, 'x', BYTES);
    answer[BYTES] = '\0';
    begin(&bench, "memory");
    bench.bounds.queue = ANSWERS;
    open_node(&bench, 0);
    for (int i = 0; i < ANSWERS; i++) {
        snprintf(id, sizeof(id), "%032d", i);
        assert_int_equal(submit(&bench, id), STORE_OK);
    }
    assert_int_equal(claim(&bench, 0, ANSWERS), ANSWERS);
    for (int i = 0; i < ANSWERS; i++) {
        snprintf(id, sizeof(id), "%032d", i);
        assert_int_equal(finish(&bench, 0, id, 1, answer), STORE_OK);
    }
    snprintf(id, sizeof(id), "%032d", 0);
    assert_int_equal(get_as(&bench, id, "ann"), STORE_NONE);
    snprintf(id, sizeof(id), "%032d", ANSWERS - 1);
    assert_int_equal(state_of(&bench, id), STORE_DONE);
    end(&bench);
    free(answer);
}

/* ── What drivers promise that several processes share ───────────────────────────────────────── */

static void two_nodes_share_the_jobs(struct bench *bench)
{
    open_node(bench, 0);
    open_node(bench, 1);
    for (int i = 0; i < 20; i++) {
        char id[STORE_ID_SIZE];
        snprintf(id, sizeof(id), "%032x", i);
        assert_int_equal(submit(bench, id), STORE_OK);
    }
    bool taken[20] = {false};
    for (int round = 0; round < 10; round++) {
        assert_int_equal(claim(bench, round % 2, 2), 2);
        for (size_t i = 0; i < 2; i++) {
            long number = strtol(bench->seen.job[i].id, NULL, 16);
            assert_false(taken[number]);
            taken[number] = true;
        }
    }
    assert_int_equal(claim(bench, 1, 2), 0);
}

static void another_node_hears_of_new_jobs_and_ends(struct bench *bench)
{
    struct sb_error err;
    const struct listener *other = &bench->listener[1];
    open_node(bench, 0);
    open_node(bench, 1);
    store_watch(bench->node[1], A, true);
    size_t before = other->changes;
    submit(bench, A);
    while (other->changes == before)
        loop_run(bench->loop, &err);
    claim(bench, 0, 1);
    finish(bench, 0, A, 1, "{}");
    while (other->ends == 0)
        loop_run(bench->loop, &err);
    assert_string_equal(bench->ended[bench->ended_count - 1], A);
}

static void a_node_that_goes_leaves_its_jobs_to_others(struct bench *bench)
{
    struct sb_error err;
    open_node(bench, 0);
    open_node(bench, 1);
    submit(bench, A);
    claim(bench, 1, 1);
    close_node(bench, 1);
    do {
        bench->want_change = true;
        while (bench->want_change)
            loop_run(bench->loop, &err);
    } while (claim(bench, 0, 1) == 0);
    assert_string_equal(bench->seen.job[0].id, A);
    assert_int_equal(bench->seen.job[0].tries, 2);
    assert_int_equal(finish(bench, 0, A, 2, "{}"), STORE_OK);
}

/* A child that submits until it is killed, and says on a pipe which jobs were accepted. */
__attribute__((noreturn)) static void submit_until_killed(struct bench *bench, int pipe)
{
    bench->bounds.queue = 1000000;
    open_node(bench, 0);
    for (int i = 0;; i++) {
        char id[STORE_ID_SIZE];
        snprintf(id, sizeof(id), "%032x", i);
        if (submit(bench, id) != STORE_OK || write(pipe, &i, sizeof(i)) != sizeof(i))
            _exit(1);
        if (i % 10 == 0 && claim(bench, 0, 1) != 1)
            _exit(1);
    }
}

static void nothing_accepted_is_lost_by_sigkill(struct bench *bench)
{
    int ends[2], last = -1, number;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0)
        submit_until_killed(bench, ends[1]);
    close(ends[1]);
    while (last < 150 && read(ends[0], &number, sizeof(number)) == sizeof(number))
        last = number;
    kill(child, SIGKILL);
    while (read(ends[0], &number, sizeof(number)) == sizeof(number))
        last = number;
    close(ends[0]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_true(last >= 150);

    bench->bounds.queue = 1000000;
    open_node(bench, 0);
    size_t tried = 0;
    for (int i = 0; i <= last; i++) {
        char id[STORE_ID_SIZE];
        snprintf(id, sizeof(id), "%032x", i);
        assert_int_equal(state_of(bench, id), STORE_QUEUED); /* those that ran, too: at once */
        tried += bench->seen.job[0].tries > 0;
    }
    assert_true(tried >= 15);
    for (int i = 0; i <= last; i++)
        assert_int_equal(claim(bench, 0, 1), 1);
}

/* ── Two that believe to hold a job ──────────────────────────────────────────────────────────── */

enum { RACED = 50 }; /* jobs */

struct race {
    struct loop *loop;
    size_t left, accepted, refused;
};

static void on_raced(void *user, enum store_result result, const char *message)
{
    struct race *race = user;
    (void)message;
    race->accepted += result == STORE_OK;
    race->refused += result == STORE_NONE;
    if (--race->left == 0)
        loop_stop(race->loop);
}

static void raced_id(char id[STORE_ID_SIZE], int number)
{
    snprintf(id, STORE_ID_SIZE, "%032x", number);
}

/* Finishes all jobs at once, and waits for what the store says. */
static struct race finish_all(struct bench *bench, int64_t try, const char *answer)
{
    struct sb_error err;
    struct store *store = bench->node[0];
    struct race race = {.loop = bench->loop, .left = RACED};
    char id[STORE_ID_SIZE];
    for (int i = 0; i < RACED; i++) {
        raced_id(id, i);
        store_driver(store)->finish(store, id, try, answer, strlen(answer), 200, on_raced, &race);
    }
    while (race.left > 0)
        loop_run(bench->loop, &err);
    return race;
}

/* A process that claims all jobs, is stopped, and answers them when it goes on, before it can
 * notice that its time is over. It exits with 0 if all are accepted, 1 if none is. */
static pid_t begin_stopped_process(struct bench *bench)
{
    struct sb_error err;
    int status;
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (loop_open(&bench->loop, &err) < 0)
            _exit(2);
        open_node(bench, 0);
        if (claim(bench, 0, RACED) != RACED)
            _exit(3);
        raise(SIGSTOP);
        struct race race = finish_all(bench, 1, "{\"by\":1}");
        _exit(race.accepted == RACED ? 0 : race.refused == RACED ? 1 : 4);
    }
    assert_int_equal(waitpid(child, &status, WUNTRACED), child);
    assert_true(WIFSTOPPED(status));
    return child;
}

static void begin_race(struct bench *bench)
{
    char id[STORE_ID_SIZE];
    open_node(bench, 0);
    for (int i = 0; i < RACED; i++) {
        raced_id(id, i);
        assert_int_equal(submit(bench, id), STORE_OK);
    }
    close_node(bench, 0);
}

/* Its exit status. */
static int end_stopped_process(pid_t child)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void expect_answers(struct bench *bench, const char *answer)
{
    char id[STORE_ID_SIZE];
    for (int i = 0; i < RACED; i++) {
        raced_id(id, i);
        assert_int_equal(state_of(bench, id), STORE_DONE);
        assert_string_equal(bench->seen.job[0].answer, answer);
    }
}

/* ── Addresses that are refused ──────────────────────────────────────────────────────────────── */

static void expect_refusal(struct bench *bench, const char *words)
{
    struct sb_error err;
    const struct store_setup setup = {.address = bench->address,
                                      .node = "node0",
                                      .bounds = bench->bounds,
                                      .loop = bench->loop,
                                      .log = log_of(bench),
                                      .changed = on_changed,
                                      .ended = on_ended,
                                      .fenced = on_fenced,
                                      .user = &bench->listener[0]};
    assert_int_equal(store_open(&bench->node[0], &setup, &err), -1);
    bench->node[0] = NULL;
    assert_string_equal(err.field, "store");
    if (strstr(err.message, words) == NULL)
        fail_msg("'%s' is not in '%s'", words, err.message);
}

/* ── SQLite's file ───────────────────────────────────────────────────────────────────────────── */

#ifdef HAVE_SQLITE
#include <sqlite3.h>

static void test_sqlite_refuses_a_file_that_is_no_database(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, "sqlite:");
    FILE *file = fopen(strchr(bench.address, ':') + 1, "w");
    for (int i = 0; i < 1000; i++)
        fputs("this is a letter\n", file);
    fclose(file);
    expect_refusal(&bench, "it is damaged, or no database");
    end(&bench);
}

static void test_sqlite_refuses_a_database_of_another_program(void **state)
{
    (void)state;
    struct bench bench;
    sqlite3 *db;
    begin(&bench, "sqlite:");
    assert_int_equal(sqlite3_open(strchr(bench.address, ':') + 1, &db), SQLITE_OK);
    sqlite3_exec(db, "CREATE TABLE letters(text)", NULL, NULL, NULL);
    sqlite3_close(db);
    expect_refusal(&bench, "is a database of another program");
    end(&bench);
}

static void test_sqlite_refuses_a_later_form(void **state)
{
    (void)state;
    struct bench bench;
    sqlite3 *db;
    begin(&bench, "sqlite:");
    open_node(&bench, 0);
    close_node(&bench, 0);
    assert_int_equal(sqlite3_open(strchr(bench.address, ':') + 1, &db), SQLITE_OK);
    sqlite3_exec(db, "PRAGMA user_version=99", NULL, NULL, NULL);
    sqlite3_close(db);
    expect_refusal(&bench, "another version");
    end(&bench);
}

static void test_sqlite_refuses_wrong_addresses(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, "sqlite:");
    snprintf(bench.address, sizeof(bench.address), "sqlite:");
    expect_refusal(&bench, "needs the path of a file");
    snprintf(bench.address, sizeof(bench.address), "sqlite:/tmp/x?synchronous=off");
    expect_refusal(&bench, "synchronous=full");
    snprintf(bench.address, sizeof(bench.address), "sqlite:/no/such/directory/jobs.db");
    expect_refusal(&bench, "directory");
    snprintf(bench.address, sizeof(bench.address), "oracle:x");
    expect_refusal(&bench, "sqlite:PATH, redis://HOST, memory or none");
    end(&bench);
}

static void test_sqlite_files_are_the_owners_alone(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, "sqlite:");
    open_node(&bench, 0);
    submit(&bench, A);
    static const char *const ends[] = {"", "-wal", "-shm", "-nodes"};
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        char path[160];
        struct stat status;
        snprintf(path, sizeof(path), "%s%s", strchr(bench.address, ':') + 1, ends[i]);
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
    }
    end(&bench);
}

/* The kernel says that it lives: nobody else is given its jobs. */
static void test_sqlite_a_stopped_process_keeps_its_jobs(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, "sqlite:");
    begin_race(&bench);
    pid_t child = begin_stopped_process(&bench);
    open_node(&bench, 0);
    assert_int_equal(claim(&bench, 0, RACED), 0);
    kill(child, SIGCONT);
    assert_int_equal(end_stopped_process(child), 0);
    expect_answers(&bench, "{\"by\":1}");
    end(&bench);
}

static void on_submitted(void *user, enum store_result result, const char *message,
                         const struct store_job *job)
{
    size_t *left = user;
    (void)message;
    (void)job;
    assert_int_equal(result, STORE_OK);
    (*left)--;
}

/* Were it not, a disk that becomes full would stay so: what is in it could not be moved away. */
static void test_sqlite_the_journal_stays_small_however_fast_calls_come(void **state)
{
    enum { JOBS = 60 };
    static char request[100000];
    struct bench bench;
    struct sb_error err;
    struct stat status;
    char path[160];
    size_t left = JOBS;
    (void)state;
    begin(&bench, "sqlite:");
    open_node(&bench, 0);
    memset(request, 'x', sizeof(request));
    for (int i = 0; i < JOBS; i++) {
        struct store_submission given = {.owner = "ann",
                                         .policy = "run",
                                         .digest = "d",
                                         .request = request,
                                         .size = sizeof(request)};
        snprintf(given.id, sizeof(given.id), "%032d", i);
        store_driver(bench.node[0])->submit(bench.node[0], &given, on_submitted, &left);
    }
    do {
        bench.want_change = true;
        loop_run(bench.loop, &err);
    } while (left > 0);
    snprintf(path, sizeof(path), "%s-wal", strchr(bench.address, ':') + 1);
    assert_int_equal(stat(path, &status), 0);
    assert_in_range(status.st_size, 1, 2 * 1024 * 1024);
    end(&bench);
}

static void test_sqlite_full_synchronisation_keeps_the_promises(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, "sqlite:");
    strcat(bench.address, "?synchronous=full");
    a_job_goes_from_queued_to_done(&bench);
    end(&bench);
}
#endif

/* ── Redis ───────────────────────────────────────────────────────────────────────────────────── */

#ifdef HAVE_REDIS
static void redis_set(const char *name, const char *value)
{
    char command[256];
    snprintf(command, sizeof(command), "redis-cli -s %s/socket config set %s '%s' >%s/said",
             redis_directory, name, value, redis_directory);
    assert_int_equal(system(command), 0);
}

static enum store_result submit_until_accepted(struct bench *bench, const char *id)
{
    struct sb_error err;
    while (submit(bench, id) == STORE_FAILED) {
        bench->want_change = true; /* the connection is there again */
        while (bench->want_change)
            loop_run(bench->loop, &err);
    }
    return bench->seen.result;
}

static void a_killed_redis_has_kept_what_it_accepted(struct bench *bench)
{
    char id[STORE_ID_SIZE];
    bench->bounds.queue = 1000;
    redis_set("appendfsync",
              "always"); /* else Redis answers before it writes, if the disk is slow */
    open_node(bench, 0);
    for (int i = 0; i < 300; i++) {
        snprintf(id, sizeof(id), "%032x", i);
        assert_int_equal(submit(bench, id), STORE_OK);
    }
    redis_kill(SIGKILL);
    redis_begin();
    assert_int_equal(submit_until_accepted(bench, A), STORE_OK);
    for (int i = 0; i < 300; i++) {
        snprintf(id, sizeof(id), "%032x", i);
        assert_int_equal(state_of(bench, id), STORE_QUEUED);
    }
}

static void a_node_without_redis_ends_its_jobs_before_others_start_them(struct bench *bench)
{
    struct sb_error err;
    open_node(bench, 0);
    open_node(bench, 1);
    submit(bench, A);
    assert_int_equal(claim(bench, 1, 1), 1);
    kill(redis_pid, SIGSTOP);
    while (bench->fenced == 0)
        loop_run(bench->loop, &err);
    kill(redis_pid, SIGCONT);
    assert_int_equal(finish(bench, 1, A, 1, "{\"late\":1}"), STORE_NONE);
    do
        store_driver(bench->node[0])->claim(bench->node[0], 1, on_list, bench);
    while (await(bench) != STORE_OK || bench->seen.count == 0);
    assert_int_equal(bench->seen.job[0].tries, 2);
    assert_int_equal(finish(bench, 0, A, 2, "{}"), STORE_OK);
}

static void of_two_that_finish_at_once_the_later_try_counts(struct bench *bench)
{
    size_t claimed = 0;
    begin_race(bench);
    pid_t child = begin_stopped_process(bench);
    open_node(bench, 0);
    while (claimed < RACED) /* their leases end */
        claimed += claim(bench, 0, RACED);
    kill(child, SIGCONT);
    assert_int_equal(finish_all(bench, 2, "{\"by\":2}").accepted, RACED);
    assert_int_equal(end_stopped_process(child), 1);
    expect_answers(bench, "{\"by\":2}");
}

/* Its lease is over since a moment ago. */
static void redis_end_lease(const struct bench *bench, const char *id)
{
    char command[512];
    snprintf(command, sizeof(command),
             "redis-cli -s %s/socket zadd '{%s}:r' $(($(date +%%s%%3N) - 100)) %s >%s/said",
             redis_directory, bench->directory + strlen("/tmp/"), id, redis_directory);
    assert_int_equal(system(command), 0);
}

static void a_try_that_was_given_up_does_not_end_the_lease_of_the_next(struct bench *bench)
{
    bench->bounds.lease_ms = 3600000;
    open_node(bench, 0);
    submit(bench, A);
    assert_int_equal(claim(bench, 0, 1), 1);
    redis_end_lease(bench, A);
    store_driver(bench->node[0])->claim(bench->node[0], 1, on_list, bench);
    store_driver(bench->node[0])->finish(bench->node[0], A, 1, "{}", 2, 200, on_done, bench);
    while (await(bench) != STORE_NONE) /* both callbacks may come in one turn */
        ;
    assert_int_equal(finish(bench, 0, A, 2, "{\"right\":1}"), STORE_OK);
    assert_int_equal(state_of(bench, A), STORE_DONE);
    assert_string_equal(bench->seen.job[0].answer, "{\"right\":1}");
}

static void a_full_redis_refuses_jobs_and_ends_those_it_has(struct bench *bench)
{
    open_node(bench, 0);
    submit(bench, A);
    submit(bench, B);
    redis_set("maxmemory", "1");
    assert_int_equal(submit(bench, C), STORE_FAILED);
    assert_non_null(strstr(bench->seen.message, "maxmemory"));
    assert_int_equal(claim(bench, 0, 8), 2);
    assert_int_equal(fail_try(bench, 0, A, 1, true), STORE_OK);
    assert_int_equal(finish(bench, 0, B, 1, "{}"), STORE_OK);
    assert_int_equal(claim(bench, 0, 8), 1);
    assert_int_equal(cancel_as(bench, 0, A, "ann"), STORE_OK);
    redis_set("maxmemory", "0");
    assert_int_equal(submit(bench, C), STORE_OK);
}

static void a_redis_that_evicts_is_refused(struct bench *bench)
{
    redis_set("maxmemory-policy", "allkeys-lru");
    expect_refusal(bench, "noeviction");
    redis_set("maxmemory-policy", "noeviction");
}

static void a_wrong_password_is_an_error(struct bench *bench)
{
    redis_set("requirepass", "right");
    strcat(bench->address, "&password-file=/dev/null");
    expect_refusal(bench, "password");
    setenv("SANDBOX_REDIS_PASSWORD", "right", 1);
    *strchr(bench->address, '&') = '\0';
    open_node(bench, 0);
    assert_int_equal(submit(bench, A), STORE_OK);
    unsetenv("SANDBOX_REDIS_PASSWORD");
    kill(redis_pid, SIGKILL); /* a server without a password for the tests that follow */
    waitpid(redis_pid, NULL, 0);
    redis_begin();
}

static void wrong_addresses_of_redis_are_refused(struct bench *bench)
{
    static const char *const rows[][2] = {
        {"redis://", "no host"},
        {"redis://localhost:", "port"},
        {"redis://localhost:123456", "port"},
        {"redis://localhost:6379x", "port"},
        {"redis://localhost/x", "database"},
        {"redis://localhost/99999", "database"},
        {"redis://[::1", "without ]"},
        {"redis://a%zz@localhost", "hexadecimal"},
        {"redis://localhost?prefix", "value"},
        {"redis://localhost?prefix=%00", "hexadecimal"},
        {"redis://localhost?prefix=a{b", "braces"},
        {"redis://localhost?nix=1", "unknown parameter"},
        {"redis://localhost?ca=/x", "unknown parameter"},
        {"redis://localhost?insecure=no", "unknown parameter"},
        {"redis://localhost?password-file=/nowhere", "password-file"},
        {"rediss://localhost?ca=/dev/null", "PEM"},
        {"redis+unix://relative", "absolute"},
        {"redis+tcp://localhost", "name a Redis server"},
        {"redis:localhost", "name a Redis server"},
        {"redis://192.0.2.1", "rediss://"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        snprintf(bench->address, sizeof(bench->address), "%s", rows[i][0]);
        expect_refusal(bench, rows[i][1]);
    }
}

static void owners_and_keys_are_not_mixed_up(struct bench *bench)
{
    open_node(bench, 0);
    assert_int_equal(submit_as(bench, A, "ann:x", "k", "1"), STORE_OK);
    assert_int_equal(submit_as(bench, B, "ann", "x:k", "2"), STORE_OK);
    assert_int_equal(get_as(bench, A, "ann"), STORE_NONE);
}
#endif

/* ── Each test, for each driver ──────────────────────────────────────────────────────────────── */

#define FOR(driver, scheme, promise)                                                               \
    static void test_##driver##_##promise(void **state)                                            \
    {                                                                                              \
        (void)state;                                                                               \
        struct bench bench;                                                                        \
        begin(&bench, scheme);                                                                     \
        promise(&bench);                                                                           \
        end(&bench);                                                                               \
    }
#define EACH(DO, driver, scheme)                                                                   \
    DO(driver, scheme, a_job_goes_from_queued_to_done)                                             \
    DO(driver, scheme, the_same_key_gives_the_same_job)                                            \
    DO(driver, scheme, a_full_queue_refuses)                                                       \
    DO(driver, scheme, an_owner_has_its_share)                                                     \
    DO(driver, scheme, claims_come_in_order)                                                       \
    DO(driver, scheme, a_late_finish_is_refused)                                                   \
    DO(driver, scheme, a_job_is_lost_after_its_tries)                                              \
    DO(driver, scheme, giving_back_does_not_count)                                                 \
    DO(driver, scheme, a_job_is_cancelled_in_each_state)                                           \
    DO(driver, scheme, anothers_job_is_not_found)                                                  \
    DO(driver, scheme, a_list_has_ones_own_newest_first)                                           \
    DO(driver, scheme, an_answer_is_kept_for_its_time)                                             \
    DO(driver, scheme, a_job_waits_for_its_time)                                                   \
    DO(driver, scheme, a_watched_job_tells_that_it_ended)                                          \
    DO(driver, scheme, bytes_of_any_kind_are_kept)                                                 \
    DO(driver, scheme, each_call_is_timed_until_its_callback)                                      \
    DO(driver, scheme, a_store_may_be_closed_before_its_callbacks)
#define EACH_SHARED(DO, driver, scheme)                                                            \
    DO(driver, scheme, two_nodes_share_the_jobs)                                                   \
    DO(driver, scheme, another_node_hears_of_new_jobs_and_ends)                                    \
    DO(driver, scheme, a_node_that_goes_leaves_its_jobs_to_others)
#define ROW(driver, scheme, promise) cmocka_unit_test(test_##driver##_##promise),

EACH(FOR, memory, "memory")
#ifdef HAVE_SQLITE
EACH(FOR, sqlite, "sqlite:")
EACH_SHARED(FOR, sqlite, "sqlite:")
FOR(sqlite, "sqlite:", nothing_accepted_is_lost_by_sigkill)
#endif
#ifdef HAVE_REDIS
EACH(FOR, redis, "redis")
EACH_SHARED(FOR, redis, "redis")
FOR(redis, "redis", a_killed_redis_has_kept_what_it_accepted)
FOR(redis, "redis", a_node_without_redis_ends_its_jobs_before_others_start_them)
FOR(redis, "redis", of_two_that_finish_at_once_the_later_try_counts)
FOR(redis, "redis", a_try_that_was_given_up_does_not_end_the_lease_of_the_next)
FOR(redis, "redis", a_full_redis_refuses_jobs_and_ends_those_it_has)
FOR(redis, "redis", a_redis_that_evicts_is_refused)
FOR(redis, "redis", a_wrong_password_is_an_error)
FOR(redis, "redis", wrong_addresses_of_redis_are_refused)
FOR(redis, "redis", owners_and_keys_are_not_mixed_up)
#endif

static int begin_group(void **state)
{
    (void)state;
#ifdef HAVE_REDIS
    redis_log = log_open();
    if (mkdtemp(redis_directory) == NULL || redis_log == NULL || log_begin(redis_log) < 0)
        return -1;
    redis_begin();
#endif
    return 0;
}

static int end_group(void **state)
{
    (void)state;
#ifdef HAVE_REDIS
    redis_kill(SIGTERM);
    log_close(redis_log);
    nftw(redis_directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
#endif
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_forgets_the_oldest_answers_for_new_ones),
        EACH(ROW, memory, "memory")
#ifdef HAVE_SQLITE
            EACH(ROW, sqlite, "sqlite:") EACH_SHARED(ROW, sqlite, "sqlite:")
                cmocka_unit_test(test_sqlite_refuses_a_file_that_is_no_database),
        cmocka_unit_test(test_sqlite_refuses_a_database_of_another_program),
        cmocka_unit_test(test_sqlite_refuses_a_later_form),
        cmocka_unit_test(test_sqlite_refuses_wrong_addresses),
        cmocka_unit_test(test_sqlite_files_are_the_owners_alone),
        cmocka_unit_test(test_sqlite_a_stopped_process_keeps_its_jobs),
        cmocka_unit_test(test_sqlite_the_journal_stays_small_however_fast_calls_come),
        cmocka_unit_test(test_sqlite_full_synchronisation_keeps_the_promises),
        cmocka_unit_test(test_sqlite_nothing_accepted_is_lost_by_sigkill),
#endif
#ifdef HAVE_REDIS
        EACH(ROW, redis, "redis") EACH_SHARED(ROW, redis, "redis")
            cmocka_unit_test(test_redis_a_killed_redis_has_kept_what_it_accepted),
        cmocka_unit_test(test_redis_a_node_without_redis_ends_its_jobs_before_others_start_them),
        cmocka_unit_test(test_redis_of_two_that_finish_at_once_the_later_try_counts),
        cmocka_unit_test(test_redis_a_try_that_was_given_up_does_not_end_the_lease_of_the_next),
        cmocka_unit_test(test_redis_a_full_redis_refuses_jobs_and_ends_those_it_has),
        cmocka_unit_test(test_redis_a_redis_that_evicts_is_refused),
        cmocka_unit_test(test_redis_a_wrong_password_is_an_error),
        cmocka_unit_test(test_redis_wrong_addresses_of_redis_are_refused),
        cmocka_unit_test(test_redis_owners_and_keys_are_not_mixed_up),
#endif
    };
    return cmocka_run_group_tests(tests, begin_group, end_group);
}
