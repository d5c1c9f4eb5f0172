/* Children of one pool, from the request to the zygote until they have a job. See pool.h. */
#include "warm/pool.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/error.h"
#include "common/small_file.h"
#include "common/util.h"
#include "warm/warm_job.h"
#include "zygote/protocol.h"

/* Linux 6.11, <linux/pidfd.h> */
#ifndef PIDFD_GET_IPC_NAMESPACE
#define PIDFD_GET_IPC_NAMESPACE _IO(0xFF, 2)
#define PIDFD_GET_MNT_NAMESPACE _IO(0xFF, 3)
#endif

/* ── Lists ─────────────────────────────────────────────────────────────────────────────────── */

static void list_add(struct list *list, struct child *child)
{
    child->next = NULL;
    if (list->first == NULL)
        list->last = &list->first;
    *list->last = child;
    list->last = &child->next;
    list->count++;
}

static struct child *list_take(struct list *list)
{
    struct child *child = list->first;
    if (child != NULL) {
        list->first = child->next;
        list->count--;
    }
    return child;
}

static void list_drop(struct list *list, struct child *child)
{
    struct list kept = {0};
    for (struct child *other; (other = list_take(list)) != NULL;)
        if (other != child)
            list_add(&kept, other);
    *list = kept;
    if (kept.first != NULL)
        for (list->last = &list->first; *list->last != NULL;)
            list->last = &(*list->last)->next;
}

/* ── Making one ────────────────────────────────────────────────────────────────────────────── */

static int send_spawn(int socket, const struct sb_run *shell, const struct inside *in)
{
    int fds[SPAWN_FDS_MAX] = {in->fds[0],  in->fds[1], in->fds[2],  in->fds[3],
                              in->control, in->report, in->channel, shell->cgroup.dir[0]};
    struct spawn spawn = {.slot = shell->cgroup.slot, .into_cgroup = shell->cgroup.dir[0] >= 0};
    spawn.network = shell->network < 0 ? -1 : (int32_t)(shell->network % NETWORKS);
    launch_ids(shell, &spawn.uid, &spawn.gid);
    size_t size = (spawn.into_cgroup ? ARRAY_LEN(fds) : ARRAY_LEN(fds) - 1) * sizeof(int);
    union {
        char room[CMSG_SPACE(sizeof(fds))];
        struct cmsghdr align;
    } control = {{0}};
    struct iovec part = {&spawn, sizeof(spawn)};
    struct msghdr header = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control.room,
                            .msg_controllen = CMSG_SPACE(size)};
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(&header);
    *cmsg = (struct cmsghdr){
        .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(size)};
    memcpy(CMSG_DATA(cmsg), fds, size);
    return sendmsg(socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -1 : 0;
}

/* Where loopback is up, what the last job left there may still be alive. */
static void choose_network(struct pool *pool, struct sb_run *shell)
{
    struct zygote *zygote = &pool->zygotes[pool->serving];
    if (pool->policy->loopback || zygote->networks == UINT32_MAX)
        return;
    int index = __builtin_ctz(~zygote->networks);
    zygote->networks |= UINT32_C(1) << index;
    shell->network = zygote->started_us * NETWORKS + index;
}

void pool_return(struct pool *pool, struct sb_run *run)
{
    for (size_t i = 0; run->network >= 0 && i < ARRAY_LEN(pool->zygotes); i++)
        if (pool->zygotes[i].started_us == run->network / NETWORKS)
            pool->zygotes[i].networks &= ~(UINT32_C(1) << run->network % NETWORKS);
    run->network = -1;
}

static int ask_zygote(struct pool *pool, struct child *child, struct sb_error *err)
{
    struct sb_run *shell = child->shell;
    struct inside in = {.control = -1, .report = -1, .channel = -1, .listener_to = -1};
    int channel[2] = {-1, -1};
    choose_network(pool, shell);
    bool renewed = pool->cgroups_count > 0;
    if (renewed)
        shell->cgroup = pool->cgroups[--pool->cgroups_count];
    int result = launch_prepare(shell, &in, err);
    if (result == 0 && !renewed)
        result = cgroup_limit(&pool->sandbox->cgroup, &shell->cgroup, &pool->policy->limits, err);
    if (result == 0 && zygote_let_in(&pool->zygotes[pool->serving].process, shell) < 0)
        result = sb_fail(err, "zygote", errno, "cannot open a job's cgroup to the zygote: %m");
    if (result == 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) < 0)
        result = sb_fail(err, "zygote", errno, "cannot make a socket: %m; raise ulimit -n");
    child->channel = channel[0];
    in.channel = channel[1];
    if (result == 0 && send_spawn(pool->zygotes[pool->serving].process.socket, shell, &in) < 0)
        result = sb_fail(err, "zygote", errno, "cannot ask the zygote for a child");
    child->control = steal_fd(&in.control);
    launch_close(&in);
    close_fd(&in.channel);
    return result;
}

/* One with other limits, or in which memory ran out, is as good as used up. */
bool pool_keep_cgroup(struct pool *pool, struct sb_run *run)
{
    const struct sb_limits *limits = &pool->policy->limits;
    if (pool->cgroups_count == CGROUPS_MAX || run->cause != CAUSE_NONE ||
        memcmp(&run->limits, limits, sizeof(*limits)) != 0 ||
        !cgroup_renew(&pool->sandbox->cgroup, &run->cgroup, limits))
        return false;
    pool->cgroups[pool->cgroups_count++] = run->cgroup;
    cgroup_job_init(&run->cgroup);
    return true;
}

void pool_drop_cgroups(struct pool *pool)
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
    if (child == NULL || (child->shell = run_new(pool->sandbox)) == NULL) {
        free(child);
        return sb_fail(err, "zygote", ENOMEM, "no memory for a child");
    }
    child->channel = child->control = -1;
    child->death = (struct source){.kind = SOURCE_WARM, .fd = -1};
    child->shell->policy = pool->policy;
    child->born_us = monotonic_us();
    if (ask_zygote(pool, child, err) < 0) {
        list_add(&pool->dead, child);
        return -1;
    }
    list_add(&pool->zygotes[pool->serving].spawning, child);
    return 0;
}

size_t pool_spawning(const struct pool *pool)
{
    return pool->zygotes[0].spawning.count + pool->zygotes[1].spawning.count;
}

/* ── Losing one ────────────────────────────────────────────────────────────────────────────── */

static void unwatch_death(struct child *child)
{
    if (child->death.fd >= 0)
        epoll_ctl(child->shell->sandbox->epoll, EPOLL_CTL_DEL, child->death.fd, NULL);
    child->death.fd = -1;
}

/* The zygote may have died between cloning a child and telling us: its cgroup knows it. */
static void find_lost(struct sb_run *shell)
{
    char text[64];
    if (shell->cgroup.dir[0] < 0 ||
        small_file_read(shell->cgroup.dir[0], "cgroup.procs", text, sizeof(text)) <= 0)
        return;
    shell->pid = (pid_t)strtol(text, NULL, 10);
    shell->source[SOURCE_PIDFD].fd = (int)syscall(SYS_pidfd_open, shell->pid, 0);
}

/* Kills what there is of it. Its memory stays until pool_bury: events of this turn may name it. */
void pool_lose(struct pool *pool, struct child *child)
{
    struct sb_run *shell = child->shell;
    unwatch_death(child);
    close_fd(&child->channel);
    close_fd(&child->control);
    if (shell->pid == 0)
        find_lost(shell);
    cgroup_kill(&pool->sandbox->cgroup, &shell->cgroup);
    if (shell->pid > 0 && shell->source[SOURCE_PIDFD].fd >= 0)
        launch_abandon(shell);
    close_fd(&shell->control);
    list_add(&pool->dead, child);
}

/* A child that has passed on what it had, or that is dead: false when its cgroup is not empty yet.
 */
static bool bury(struct pool *pool, struct child *child)
{
    struct sb_run *shell = child->shell;
    close_fd(&child->channel);
    close_fd(&child->control);
    if (cgroup_remove(&shell->sandbox->cgroup, &shell->cgroup) < 0 && errno == EBUSY)
        return false;
    pool_return(pool, shell);
    run_free(shell);
    free(child);
    return true;
}

void pool_bury(struct pool *pool)
{
    struct list left = pool->dead;
    pool->dead = (struct list){0};
    for (struct child *child; (child = list_take(&left)) != NULL;)
        if (!bury(pool, child))
            list_add(&pool->dead, child);
}

/* ── Giving one a job ──────────────────────────────────────────────────────────────────────── */

/* The run takes over all that the shell has. */
static void adopt(struct sb_run *run, struct child *child)
{
    static const enum source_kind passed[] = {SOURCE_PIDFD,  SOURCE_STDOUT, SOURCE_STDERR,
                                              SOURCE_RESULT, SOURCE_REPORT, SOURCE_STDIN};
    struct sb_run *shell = child->shell;
    unwatch_death(child);
    for (size_t i = 0; i < ARRAY_LEN(passed); i++)
        run->source[passed[i]].fd = steal_fd(&shell->source[passed[i]].fd);
    run->source[SOURCE_CHANNEL].fd = steal_fd(&child->channel);
    run->pid = shell->pid;
    for (size_t i = 0; i < HELD_NAMESPACES; i++)
        run->held[i] = steal_fd(&shell->held[i]);
    run->network = shell->network;
    shell->network = -1;
    run->control = steal_fd(&shell->control);
    run->cgroup = shell->cgroup;
    cgroup_job_init(&shell->cgroup);
    run->warm = true;
}

void pool_hand_over(struct pool *pool, struct child *child, struct sb_run *run)
{
    const struct cgroup_host *host = &pool->sandbox->cgroup;
    struct sb_error err, unwatched;
    adopt(run, child);
    list_add(&pool->dead, child);
    int64_t used = cgroup_number(host, &run->cgroup, CGROUP_CPU_TIME_US);
    run->cpu_time_before_us = used > 0 ? used : 0;
    run->started_us = monotonic_us();
    bool limited =
        cgroup_change_limits(host, &run->cgroup, &run->limits, &pool->policy->limits, &err) == 0;
    /* First of all: it wakes up while we do the rest. One that is dead already tells by its pidfd,
     * and the job goes elsewhere (warm.c, again). */
    bool sent =
        limited && send(run->source[SOURCE_CHANNEL].fd, run->warm_job->message, run->warm_job->size,
                        MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)run->warm_job->size;
    if (run_watch(run, &unwatched) < 0) {
        run_fail(run, unwatched.message);
        launch_abandon(run);
        run_end_unstarted(run);
    } else if (!limited) {
        run_fail(run, err.message);
    } else if (!sent) {
        run_kill(run, CAUSE_NONE);
    }
}

static void park(struct pool *pool, struct child *child)
{
    child->death.fd = child->shell->source[SOURCE_PIDFD].fd;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &child->death};
    if (epoll_ctl(pool->sandbox->epoll, EPOLL_CTL_ADD, child->death.fd, &event) < 0) {
        child->death.fd = -1;
        pool_lose(pool, child);
        return;
    }
    list_add(&pool->parked, child);
}

/* The last to let go of a mount namespace waits for all CPUs (RCU), and the end of an IPC namespace
 * is a kernel worker's, that comes first. Without this the last is the job, and who waits for its
 * end waits as well. Where one can't be held, so be it. */
static void hold_namespaces(struct sb_run *shell)
{
    static const struct {
        unsigned long get;
        const char *name;
    } namespaces[HELD_NAMESPACES] = {{PIDFD_GET_MNT_NAMESPACE, "mnt"},
                                     {PIDFD_GET_IPC_NAMESPACE, "ipc"}};
    char path[32];
    for (size_t i = 0; i < HELD_NAMESPACES; i++) {
        shell->held[i] = ioctl(shell->source[SOURCE_PIDFD].fd, namespaces[i].get, 0);
        if (shell->held[i] >= 0)
            continue;
        snprintf(path, sizeof(path), "/proc/%d/ns/%s", shell->pid, namespaces[i].name);
        shell->held[i] = open(path, O_RDONLY | O_CLOEXEC);
    }
}

int pool_arrived(struct pool *pool, struct zygote *zygote, pid_t pid, int errnum)
{
    struct child *child = list_take(&zygote->spawning);
    struct sb_error err;
    if (child == NULL)
        return -1;
    struct sb_run *shell = child->shell;
    shell->pid = pid > 0 ? pid : 0;
    if (pid > 0)
        shell->source[SOURCE_PIDFD].fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pid <= 0 || errnum != 0 || shell->source[SOURCE_PIDFD].fd < 0 ||
        launch_go(shell, &err) < 0) {
        pool_lose(pool, child);
        snprintf(pool->reason, sizeof(pool->reason), "a zygote cannot clone: %s",
                 strerror(errnum != 0 ? errnum : errno));
        return -1;
    }
    close_fd(&child->control);
    hold_namespaces(shell);
    struct sb_run *run = pool_next_waiting(pool);
    if (run != NULL)
        pool_hand_over(pool, child, run);
    else
        park(pool, child);
    return 0;
}

struct child *pool_take_parked(struct pool *pool)
{
    return list_take(&pool->parked);
}

void pool_lose_spawning(struct pool *pool, struct zygote *zygote)
{
    for (struct child *child; (child = list_take(&zygote->spawning)) != NULL;)
        pool_lose(pool, child);
}

bool pool_died(struct pool *pool, const struct source *source, struct report *report)
{
    struct child *child = pool->parked.first;
    while (child != NULL && &child->death != source)
        child = child->next;
    if (child == NULL)
        return false;
    list_drop(&pool->parked, child);
    if (read(child->shell->source[SOURCE_REPORT].fd, report, sizeof(*report)) !=
        (ssize_t)sizeof(*report))
        *report = (struct report){0};
    pool_lose(pool, child);
    return true;
}

/* ── Jobs that wait ────────────────────────────────────────────────────────────────────────── */

void pool_wait(struct pool *pool, struct sb_run *run)
{
    if (pool->waiting == NULL)
        pool->waiting_last = &pool->waiting;
    run->warm_job->next = NULL;
    *pool->waiting_last = run;
    pool->waiting_last = &run->warm_job->next;
    pool->waiting_count++;
}

struct sb_run *pool_next_waiting(struct pool *pool)
{
    struct sb_run *run = pool->waiting;
    if (run != NULL) {
        pool->waiting = run->warm_job->next;
        pool->waiting_count--;
    }
    return run;
}

void pool_start_rest_cold(struct pool *pool)
{
    while (pool->waiting_count > pool_spawning(pool))
        warm_job_start_cold(pool_next_waiting(pool));
}

bool pool_cancel(struct pool *pool, struct sb_run *run)
{
    bool found = false;
    size_t count = pool->waiting_count;
    for (size_t i = 0; i < count; i++) {
        struct sb_run *other = pool_next_waiting(pool);
        if (other == run)
            found = true;
        else
            pool_wait(pool, other);
    }
    return found;
}
