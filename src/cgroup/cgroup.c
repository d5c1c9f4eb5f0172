/* Control groups, common to both back ends: choosing a back end, the directories of jobs, and their
 * owners. See cgroup.h; cgroup_limits.c writes limits and reads evidence in these directories. */
#include "cgroup/cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "cgroup/cgroup_backend.h"
#include "cgroup/scope.h"
#include "common/error.h"
#include "common/util.h"

/* ── Finding one ───────────────────────────────────────────────────────────────────────────── */

static const char *const mode_names[] = {
    [SB_CGROUP_AUTO] = "auto",
    [SB_CGROUP_V2_DELEGATED] = "v2-delegated",
    [SB_CGROUP_V2_SCOPE] = "v2-scope",
    [SB_CGROUP_V2_ROOT] = "v2-root",
    [SB_CGROUP_V1] = "v1",
    [SB_CGROUP_NONE] = "none",
};

int sb_cgroup_from_name(const char *name)
{
    for (size_t i = 0; name != NULL && i < ARRAY_LEN(mode_names); i++)
        if (strcmp(name, mode_names[i]) == 0)
            return (int)i;
    return -1;
}

static int open_mode(struct cgroup_host *host, enum sb_cgroup mode, struct sb_error *err)
{
    host->mode = mode;
    if (mode == SB_CGROUP_V1)
        return cgroup_v1_open(host, err);
    return cgroup_v2_open(host, mode, err);
}

const char *cgroup_name(const struct cgroup_host *host)
{
    return host->backend != NULL ? host->backend->name : "none";
}

void cgroup_host_init(struct cgroup_host *host)
{
    *host = (struct cgroup_host){.mode = SB_CGROUP_NONE, .parent = {-1, -1, -1, -1}};
}

/* What only a cgroup can enforce. */
#define BY_CGROUP (SB_MISSING_MEMORY | SB_MISSING_CPU | SB_MISSING_PIDS | SB_MISSING_CPU_TIME)

int cgroup_open(struct cgroup_host *host, enum sb_cgroup wanted, unsigned may_lack,
                struct sb_error *err)
{
    cgroup_host_init(host);
    if (wanted == SB_CGROUP_NONE)
        return 0;
    if ((unsigned)wanted > SB_CGROUP_NONE)
        return sb_fail_field(err, "cgroup", "cgroup",
                             "unknown cgroup mode %d: give a value of enum sb_cgroup", (int)wanted);
    if (wanted != SB_CGROUP_AUTO)
        return open_mode(host, wanted, err);
    static const enum sb_cgroup order[] = {SB_CGROUP_V2_DELEGATED, SB_CGROUP_V2_SCOPE,
                                           SB_CGROUP_V2_ROOT, SB_CGROUP_V1};
    struct sb_error first = {.errnum = 0};
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        struct sb_error why;
        if (open_mode(host, order[i], &why) == 0)
            return 0;
        cgroup_close(host);
        /* Usually nothing is delegated, and a missing tree explains least: report another reason if
         * there is one. */
        if (order[i] == SB_CGROUP_V2_SCOPE || first.errnum == ENOENT)
            first = why;
    }
    if ((may_lack & BY_CGROUP) == BY_CGROUP) {
        if (err != NULL)
            *err = first;
        return 0;
    }
    return sb_fail(
        err, "cgroup", 0,
        "no usable cgroup to limit memory, CPU and pids (%.200s); see sandbox-run --doctor, or "
        "go on without these limits: --allow-missing for memory, cpu, pids and cpu_time, or "
        "--best-effort",
        first.message);
}

/* Only these modes make a directory in the root of a hierarchy. Its permissions (0555) let nobody
 * write there: root makes the directory by CAP_DAC_OVERRIDE. */
void sb_cgroup_prepare(enum sb_cgroup wanted)
{
    static const enum sb_cgroup order[] = {SB_CGROUP_V2_ROOT, SB_CGROUP_V1};
    if (wanted == SB_CGROUP_AUTO && cgroup_v2_delegated())
        return;
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        struct cgroup_host host;
        struct sb_error ignored; /* sb_open meets the same error again, and reports it */
        /* Where systemd offers a scope, make nothing in the root of v2. */
        bool may = wanted == SB_CGROUP_AUTO ? order[i] != SB_CGROUP_V2_ROOT || !scope_offered()
                                            : wanted == order[i];
        cgroup_host_init(&host);
        bool made = may && open_mode(&host, order[i], &ignored) == 0;
        cgroup_close(&host);
        if (made)
            return;
    }
}

void cgroup_close(struct cgroup_host *host)
{
    for (int h = 0; h < CGROUP_HIERARCHIES; h++)
        close_fd(&host->parent[h]);
    cgroup_host_init(host);
}

/* ── A job's directories ───────────────────────────────────────────────────────────────────── */

static void slot_name(char *name, size_t size, uint32_t slot)
{
    snprintf(name, size, CGROUP_JOB, slot);
}

void cgroup_job_init(struct cgroup_job *job)
{
    job->slot = job->let_in = 0;
    job->network = false;
    job->oom_event = -1;
    for (size_t i = 0; i < ARRAY_LEN(job->dir); i++)
        job->dir[i] = -1;
    for (size_t i = 0; i < ARRAY_LEN(job->number); i++)
        job->number[i] = -1;
}

/* The mode is exact, whatever the caller's umask is. */
static int make_directory(int parent, const char *name, mode_t mode)
{
    struct stat st;
    if (mkdirat(parent, name, mode) < 0 || fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return -1;
    return (st.st_mode & 0777) == mode ? 0 : fchmodat(parent, name, mode, 0);
}

/* A child is cloned into its directory of the first hierarchy: this takes a descriptor, and no
 * access by path. It joins the other directories by path. */
#define FIRST_MODE 0700
#define JOINED_MODE 0755

static int open_directory(int parent, const char *name)
{
    return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Takes the lock by which a process owns a job's directory. False: another process has it, or the
 * directory was removed between open and lock, and its name may already belong to a new one. */
static bool lock_directory(int dir)
{
    return flock(dir, LOCK_EX | LOCK_NB) == 0 && faccessat(dir, "cgroup.procs", F_OK, 0) == 0;
}

/* Makes and locks the directory in the first hierarchy. EEXIST: the slot is taken, or another
 * process that removes stale directories found this one before we locked it. */
static int take_slot(const struct cgroup_host *host, const char *name)
{
    _cleanup_close_ int dir = -1;
    if (make_directory(host->parent[0], name, FIRST_MODE) == 0) {
        dir = open_directory(host->parent[0], name);
        if (dir >= 0 && lock_directory(dir))
            return steal_fd(&dir);
        int failed = errno;
        if (dir < 0)
            unlinkat(host->parent[0], name, AT_REMOVEDIR);
        errno = dir >= 0 ? EEXIST : failed;
    }
    if (errno == ENOENT) /* removed before we locked it */
        errno = EEXIST;
    return -1;
}

int cgroup_create(const struct cgroup_host *host, struct cgroup_job *job, uint32_t slots,
                  struct sb_error *err)
{
    /* Owners begin the search at different slots, so that the first one tried is nearly always
     * free. */
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    job->slot = ((uint32_t)getpid() * 2654435761U + (uint32_t)now.tv_nsec) % slots;
    if (host->backend == NULL)
        return 0;
    char name[32];
    for (uint32_t tries = 0; job->dir[0] < 0; tries++) {
        job->slot = (job->slot + 1) % slots;
        slot_name(name, sizeof(name), job->slot);
        job->dir[0] = take_slot(host, name);
        if (job->dir[0] < 0 && (errno != EEXIST || tries == slots))
            return sb_fail(err, "cgroup", errno,
                           "cannot make cgroup %s in %s: %m; see sandbox-run --doctor", name,
                           host->place);
    }
    return 0;
}

struct cgroup_entry cgroup_entry(const struct cgroup_host *host, const struct cgroup_job *job)
{
    struct cgroup_entry entry = {.slot = job->slot, .join = {-1, -1, -1, -1}};
    if (host->backend != NULL && host->backend->attach_by_child)
        for (int h = 1; h < CGROUP_HIERARCHIES; h++)
            entry.join[h] = host->parent[h];
    return entry;
}

/* A directory that an earlier job left behind would bring its counters along: make a new one. */
static int make_fresh(int parent, const char *name)
{
    if (make_directory(parent, name, JOINED_MODE) == 0)
        return 0;
    if (errno != EEXIST || unlinkat(parent, name, AT_REMOVEDIR) < 0)
        return -1;
    return make_directory(parent, name, JOINED_MODE);
}

int cgroup_make_directories(const struct cgroup_host *host, struct cgroup_job *job,
                            struct sb_error *err)
{
    char name[32];
    slot_name(name, sizeof(name), job->slot);
    for (int h = 1; h < CGROUP_HIERARCHIES; h++)
        if (host->parent[h] >= 0 && (make_fresh(host->parent[h], name) < 0 ||
                                     (job->dir[h] = open_directory(host->parent[h], name)) < 0))
            return sb_fail(err, "cgroup", errno,
                           "cannot make cgroup %s in %s: %m; see sandbox-run --doctor", name,
                           host->place);
    return 0;
}

int cgroup_let_in(const struct cgroup_host *host, struct cgroup_job *job, uint32_t uid)
{
    if (job->let_in == uid)
        return 0;
    for (int h = 0; h < CGROUP_HIERARCHIES; h++)
        if (job->dir[h] >= 0 && (h == 0 || host->backend->attach_by_child) &&
            fchownat(job->dir[h], h == 0 ? "cgroup.procs" : "tasks", uid, (gid_t)-1, 0) < 0)
            return -1;
    job->let_in = uid;
    return 0;
}

int cgroup_let_clone(const struct cgroup_host *host)
{
    if (host->backend == NULL)
        return 0;
    return fchmod(host->parent[0], 0700) < 0 ? -1
                                             : fchmodat(host->parent[0], "cgroup.procs", 0666, 0);
}

void cgroup_job_close(struct cgroup_job *job)
{
    close_fd(&job->oom_event);
    for (int i = 0; i < CGROUP_NUMBERS; i++)
        close_fd(&job->number[i]);
    for (int h = 0; h < CGROUP_HIERARCHIES; h++)
        close_fd(&job->dir[h]);
}

int cgroup_remove(const struct cgroup_host *host, struct cgroup_job *job)
{
    char name[32];
    slot_name(name, sizeof(name), job->slot);
    /* By name, even where the directory could not be opened: the slot is ours as long as we hold
     * the lock on the first directory. */
    for (int h = CGROUP_HIERARCHIES - 1; h >= 0 && job->dir[0] >= 0; h--)
        if (host->parent[h] >= 0 && unlinkat(host->parent[h], name, AT_REMOVEDIR) < 0 &&
            errno != ENOENT)
            return -1;
    cgroup_job_close(job);
    return 0;
}

/* ── What dead owners left ─────────────────────────────────────────────────────────────────── */

static void clear_one(const struct cgroup_host *host, uint32_t slot, const char *name)
{
    struct cgroup_job job;
    cgroup_job_init(&job);
    job.slot = slot;
    job.dir[0] = open_directory(host->parent[0], name);
    if (job.dir[0] < 0 || !lock_directory(job.dir[0])) {
        close_fd(&job.dir[0]);
        return; /* its owner lives */
    }
    for (int h = 1; h < CGROUP_HIERARCHIES; h++)
        if (host->parent[h] >= 0)
            job.dir[h] = open_directory(host->parent[h], name);
    cgroup_kill(host, &job);
    /* Killed processes leave their cgroups within moments. The next start removes what stays. */
    for (int tries = 0; cgroup_remove(host, &job) < 0 && tries < 200; tries++)
        poll(NULL, 0, 5);
    cgroup_job_close(&job);
}

void cgroup_clear_stale(const struct cgroup_host *host)
{
    if (host->backend == NULL)
        return;
    int fd = openat(host->parent[0], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    if (list == NULL) {
        close_fd(&fd);
        return;
    }
    for (struct dirent *entry; (entry = readdir(list)) != NULL;) {
        char *end;
        if (strncmp(entry->d_name, "job-", 4) != 0)
            continue;
        unsigned long slot = strtoul(entry->d_name + 4, &end, 10);
        if (*end == '\0' && end != entry->d_name + 4)
            clear_one(host, (uint32_t)slot, entry->d_name);
    }
    closedir(list);
}
