/* The children of one pool, from the request to the zygote until they have a job. See pool.h. */
#include "warm/pool.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/error.h"
#include "common/small_file.h"
#include "common/util.h"
#include "core/launch.h"
#include "core/sources.h"
#include "core/supervise.h"
#include "zygote/protocol.h"

/* ── Lists ─────────────────────────────────────────────────────────────────────────────────── */

static void add(struct children *children, struct child *child)
{
    TAILQ_INSERT_TAIL(&children->list, child, link);
    children->count++;
}

static struct child *take(struct children *children, struct child *child)
{
    if (child != NULL) {
        TAILQ_REMOVE(&children->list, child, link);
        children->count--;
    }
    return child;
}

static struct child *take_first(struct children *children)
{
    return take(children, TAILQ_FIRST(&children->list));
}

void pool_init(struct pool *pool, struct sb_sandbox *sandbox, const struct sb_policy *policy)
{
    *pool = (struct pool){.sandbox = sandbox, .policy = policy};
    TAILQ_INIT(&pool->parked.list);
    TAILQ_INIT(&pool->dead.list);
    TAILQ_INIT(&pool->waiting);
}

/* ── Making one ────────────────────────────────────────────────────────────────────────────── */

static int send_spawn(const struct pool *pool, const struct process *process,
                      const struct inside *in)
{
    int fds[SPAWN_FDS_MAX] = {in->fds[0],  in->fds[1], in->fds[2],  in->fds[3],
                              in->control, in->report, in->channel, process->cgroup.dir[0]};
    struct spawn spawn = {.slot = process->cgroup.slot,
                          .network = process->network.index,
                          .into_cgroup = process->cgroup.dir[0] >= 0};
    launch_ids(pool->sandbox, process, &spawn.uid, &spawn.gid);
    struct iovec part = {&spawn, sizeof(spawn)};
    size_t count = spawn.into_cgroup ? ARRAY_LEN(fds) : ARRAY_LEN(fds) - 1;
    int socket = pool->zygotes[pool->serving].process.socket;
    return message_send(socket, &part, 1, fds, count, MSG_DONTWAIT) < 0 ? -1 : 0;
}

/* Picks a free network namespace of the zygote, if the policy allows. With loopback up, the last
 * job's sockets may still be alive in there: such a policy's child gets a namespace of its own. */
static void choose_network(struct pool *pool, struct process *process)
{
    struct zygote *zygote = &pool->zygotes[pool->serving];
    if (pool->policy->loopback || zygote->networks == UINT32_MAX)
        return;
    process->network.zygote_us = zygote->started_us;
    process->network.index = __builtin_ctz(~zygote->networks);
    zygote->networks |= UINT32_C(1) << process->network.index;
}

void pool_release_network(struct pool *pool, struct process *process)
{
    for (size_t i = 0; process->network.index >= 0 && i < ARRAY_LEN(pool->zygotes); i++)
        if (pool->zygotes[i].started_us == process->network.zygote_us)
            pool->zygotes[i].networks &= ~(UINT32_C(1) << process->network.index);
    process->network.index = -1;
}

static int ask_zygote(struct pool *pool, struct child *child, struct sb_error *err)
{
    const struct cgroup_host *host = &pool->sandbox->cgroup;
    struct process *process = &child->process;
    struct inside in = {
        .policy = pool->policy, .control = -1, .report = -1, .channel = -1, .listener_to = -1};
    int channel[2] = {-1, -1};
    choose_network(pool, process);
    bool renewed = pool->cgroups_count > 0;
    if (renewed)
        process->cgroup = pool->cgroups[--pool->cgroups_count];
    int result = launch_prepare(pool->sandbox, process, &in, err);
    if (result == 0 && !renewed)
        result = cgroup_limit(host, &process->cgroup, &pool->policy->limits, err);
    if (result == 0 && zygote_let_in(&pool->zygotes[pool->serving].process, &process->cgroup) < 0)
        result = sb_fail(err, "zygote", errno,
                         "cannot open a job's cgroup to the python for warm starts: %m; as root it "
                         "needs CAP_CHOWN (docker and podman run: --cap-add CHOWN)");
    if (result == 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) < 0)
        result = sb_fail(err, "zygote", errno, "cannot make a socket: %m; raise ulimit -n");
    child->channel = channel[0];
    in.channel = channel[1];
    if (result == 0 && send_spawn(pool, process, &in) < 0)
        result = sb_fail(err, "zygote", errno,
                         "cannot ask the zygote for a child: %m; it will be asked again");
    child->control = steal_fd(&in.control);
    launch_close(&in);
    close_fd(&in.channel);
    return result;
}

/* A cgroup with other limits, or in which memory ran out, is not kept. */
bool pool_keep_cgroup(struct pool *pool, struct sb_run *run)
{
    const struct sb_limits *limits = &pool->policy->limits;
    if (pool->cgroups_count == CGROUPS_MAX || run->evidence.cause != CAUSE_NONE ||
        memcmp(&run->asked.limits, limits, sizeof(*limits)) != 0 ||
        !cgroup_renew(&pool->sandbox->cgroup, &run->process.cgroup, limits))
        return false;
    pool->cgroups[pool->cgroups_count++] = run->process.cgroup;
    cgroup_job_init(&run->process.cgroup);
    return true;
}

void pool_release_cgroups(struct pool *pool)
{
    while (pool->cgroups_count > 0) {
        struct cgroup_job *job = &pool->cgroups[--pool->cgroups_count];
        if (cgroup_remove(&pool->sandbox->cgroup, job) < 0)
            cgroup_job_close(job); /* the next start clears it */
    }
}

int pool_spawn(struct pool *pool, struct sb_error *err)
{
    struct child *child = calloc(1, sizeof(*child));
    if (child == NULL)
        return sb_fail(err, "zygote", ENOMEM, "out of memory (a warm child)");
    process_init(&child->process);
    child->process.warm = true;
    child->channel = child->control = -1;
    child->death = (struct source){.kind = SOURCE_WARM, .spent = -1};
    child->born_us = monotonic_us();
    if (ask_zygote(pool, child, err) < 0) {
        add(&pool->dead, child);
        return -1;
    }
    add(&pool->zygotes[pool->serving].spawning, child);
    return 0;
}

size_t pool_spawning(const struct pool *pool)
{
    return pool->zygotes[0].spawning.count + pool->zygotes[1].spawning.count;
}

/* ── Killing one ───────────────────────────────────────────────────────────────────────────── */

static void unwatch_death(struct pool *pool, struct child *child)
{
    if (child->death.watched != 0)
        epoll_ctl(pool->sandbox->epoll, EPOLL_CTL_DEL, child->process.fd[SOURCE_PIDFD], NULL);
    child->death.watched = 0;
}

/* The zygote may have died after cloning a child and before telling us: find the child in its
 * cgroup. */
static void find_lost(struct process *process)
{
    char text[64];
    if (process->cgroup.dir[0] < 0 ||
        small_file_read(process->cgroup.dir[0], "cgroup.procs", text, sizeof(text)) <= 0)
        return;
    process->pid = (pid_t)strtol(text, NULL, 10);
    process->fd[SOURCE_PIDFD] = (int)syscall(SYS_pidfd_open, process->pid, 0);
}

void pool_kill(struct pool *pool, struct child *child)
{
    struct process *process = &child->process;
    unwatch_death(pool, child);
    close_fd(&child->channel);
    close_fd(&child->control);
    if (process->pid == 0)
        find_lost(process);
    cgroup_kill(&pool->sandbox->cgroup, &process->cgroup);
    if (process->pid > 0 && process->fd[SOURCE_PIDFD] >= 0)
        process_kill(process);
    close_fd(&process->control);
    add(&pool->dead, child);
}

/* Frees a dead child. False: its cgroup is not empty yet. */
static bool free_child(struct pool *pool, struct child *child)
{
    close_fd(&child->channel);
    close_fd(&child->control);
    if (cgroup_remove(&pool->sandbox->cgroup, &child->process.cgroup) < 0 && errno == EBUSY)
        return false;
    pool_release_network(pool, &child->process);
    process_release(&child->process);
    free(child);
    return true;
}

void pool_free_dead(struct pool *pool)
{
    for (size_t count = pool->dead.count; count > 0; count--) {
        struct child *child = take_first(&pool->dead);
        if (!free_child(pool, child))
            add(&pool->dead, child);
    }
}

/* ── Giving one a job ──────────────────────────────────────────────────────────────────────── */

/* The run takes over the child's process; the rest of the child is freed later. */
static void adopt(struct pool *pool, struct sb_run *run, struct child *child)
{
    unwatch_death(pool, child);
    run->process = process_take(&child->process);
    run->process.fd[SOURCE_CHANNEL] = steal_fd(&child->channel);
    run->phase = RUN_STARTED;
    add(&pool->dead, child);
}

void pool_hand_over(struct pool *pool, struct child *child, struct sb_run *run)
{
    const struct cgroup_host *host = &pool->sandbox->cgroup;
    struct sb_error err, unwatched;
    adopt(pool, run, child);
    int64_t used = cgroup_number(host, &run->process.cgroup, CGROUP_CPU_TIME_US);
    run->evidence.cpu_time_before_us = used > 0 ? used : 0;
    run->evidence.started_us = monotonic_us();
    bool limited = cgroup_change_limits(host, &run->process.cgroup, &run->asked.limits,
                                        &pool->policy->limits, &err) == 0;
    /* Send the job first: the child wakes up while we do the rest. If the child is dead already,
     * its pidfd tells so, and the job goes elsewhere (warm.c, again). */
    bool sent = limited && warm_job_send(run->warm_job, run->process.fd[SOURCE_CHANNEL]);
    if (run_watch(run, &unwatched) < 0) {
        run_fail(run, unwatched.message);
        process_kill(&run->process);
        run_finish_unstarted(run);
    } else if (!limited) {
        run_fail(run, err.message);
    } else if (!sent) {
        run_kill(run, CAUSE_NONE);
    }
}

static void park(struct pool *pool, struct child *child)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &child->death};
    if (epoll_ctl(pool->sandbox->epoll, EPOLL_CTL_ADD, child->process.fd[SOURCE_PIDFD], &event) <
        0) {
        pool_kill(pool, child);
        return;
    }
    child->death.watched = EPOLLIN;
    add(&pool->parked, child);
}

int pool_arrived(struct pool *pool, struct zygote *zygote, pid_t pid, int errnum)
{
    struct child *child = take_first(&zygote->spawning);
    struct sb_error err;
    if (child == NULL)
        return -1;
    struct process *process = &child->process;
    process->pid = pid > 0 ? pid : 0;
    if (pid > 0)
        process->fd[SOURCE_PIDFD] = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pid <= 0 || errnum != 0 || process->fd[SOURCE_PIDFD] < 0 || launch_go(process, &err) < 0) {
        pool_kill(pool, child);
        snprintf(pool->reason, sizeof(pool->reason), "a zygote cannot clone: %s",
                 strerror(errnum != 0 ? errnum : errno));
        return -1;
    }
    close_fd(&child->control);
    process_hold_namespaces(process);
    struct sb_run *run = pool_next_waiting(pool);
    if (run != NULL)
        pool_hand_over(pool, child, run);
    else
        park(pool, child);
    return 0;
}

struct child *pool_take_parked(struct pool *pool)
{
    return take_first(&pool->parked);
}

void pool_kill_spawning(struct pool *pool, struct zygote *zygote)
{
    for (struct child *child; (child = take_first(&zygote->spawning)) != NULL;)
        pool_kill(pool, child);
}

bool pool_died(struct pool *pool, const struct source *source, struct report *report)
{
    struct child *child;
    TAILQ_FOREACH(child, &pool->parked.list, link)
    {
        if (&child->death == source)
            break;
    }
    if (take(&pool->parked, child) == NULL)
        return false;
    if (read(child->process.fd[SOURCE_REPORT], report, sizeof(*report)) != (ssize_t)sizeof(*report))
        *report = (struct report){0};
    pool_kill(pool, child);
    return true;
}

/* ── Jobs that wait ────────────────────────────────────────────────────────────────────────── */

void pool_wait(struct pool *pool, struct sb_run *run)
{
    TAILQ_INSERT_TAIL(&pool->waiting, run->warm_job, link);
    pool->waiting_count++;
}

void pool_cancel(struct pool *pool, struct sb_run *run)
{
    TAILQ_REMOVE(&pool->waiting, run->warm_job, link);
    pool->waiting_count--;
}

struct sb_run *pool_next_waiting(struct pool *pool)
{
    struct warm_job *job = TAILQ_FIRST(&pool->waiting);
    if (job == NULL)
        return NULL;
    pool_cancel(pool, job->run);
    return job->run;
}

void pool_start_rest_cold(struct pool *pool)
{
    while (pool->waiting_count > pool_spawning(pool))
        warm_job_start_cold(pool_next_waiting(pool));
}
