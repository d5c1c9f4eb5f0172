/* Writes a job's limits and reads what it used, in the same way for both back ends: their tables
 * (cgroup_v1.c, cgroup_v2.c) say which files. */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include "cgroup/cgroup.h"
#include "cgroup/cgroup_backend.h"
#include "cgroup/cgroup_weight.h"
#include "common/error.h"
#include "common/small_file.h"
#include "common/util.h"

/* What may stay charged to a cgroup without processes: the kernel charges 64 pages a CPU in
 * advance, and a little more. */
#define KEPT_BYTES (512 << 10)

/* ── Limits ────────────────────────────────────────────────────────────────────────────────── */

static int write_knob(const struct cgroup_host *host, const struct cgroup_job *job,
                      const struct cgroup_knob *knob, const struct sb_limits *limits,
                      struct sb_error *err)
{
    char text[64];
    const char *value = knob->text;
    if (!(host->controllers & knob->controller) || (knob->network && !job->network))
        return 0;
    /* The kernel rewrites its own code, on all CPUs, when the host's first cgroup gets such a limit
     * and when the last cgroup with one goes. So our parent directory keeps one. */
    if (knob->network)
        small_file_write(host->parent[knob->hierarchy], knob->file, "-1");
    if (knob->weight > 0) {
        int64_t weight = cgroup_weight(knob->weight);
        if (weight == knob->weight)
            return 0;
        snprintf(text, sizeof(text), "%" PRId64, weight);
        value = text;
    } else if (value == NULL) {
        snprintf(text, sizeof(text), "%" PRId64 "%s",
                 limits->value[knob->limit] * knob->multiply /
                         (knob->divide > 0 ? knob->divide : 1) +
                     knob->add,
                 knob->suffix ? knob->suffix : "");
        value = text;
    }
    if (small_file_write(job->dir[knob->hierarchy], knob->file, value) < 0 &&
        !(knob->optional && errno == ENOENT))
        return sb_fail(err, "cgroup", errno,
                       "cannot write %s to %s in %s: %m; see sandbox-run --doctor", value,
                       knob->file, host->place);
    return 0;
}

static int write_knobs(const struct cgroup_host *host, const struct cgroup_job *job,
                       const struct cgroup_knob *knobs, size_t count,
                       const struct sb_limits *limits, struct sb_error *err)
{
    for (size_t i = 0; i < count; i++)
        if (write_knob(host, job, &knobs[i], limits, err) < 0)
            return -1;
    return 0;
}

static int open_evidence(const struct cgroup_host *host, struct cgroup_job *job,
                         struct sb_error *err)
{
    for (int i = 0; i < CGROUP_NUMBERS; i++) {
        const struct cgroup_evidence *evidence = &host->backend->evidence[i];
        int dir = job->dir[evidence->hierarchy];
        if (!evidence->held || dir < 0)
            continue;
        job->number[i] = openat(dir, evidence->file, O_RDONLY | O_CLOEXEC);
        /* A missing controller has been reported already (start.c). */
        if (job->number[i] < 0 && errno != ENOENT)
            return sb_fail(err, "cgroup", errno,
                           "cannot open %s in %s: %m; see sandbox-run --doctor", evidence->file,
                           host->place);
    }
    return 0;
}

/* v1 has no memory.oom.group: an eventfd tells of the first kill, and the supervisor kills the
 * rest. See the kernel's Documentation/admin-guide/cgroup-v1/memory.rst, section 10. */
static int watch_oom(const struct cgroup_host *host, struct cgroup_job *job)
{
    const struct cgroup_evidence *kills = &host->backend->evidence[CGROUP_OOM_KILLS];
    int dir = job->dir[kills->hierarchy];
    _cleanup_close_ int control = openat(dir, kills->file, O_RDONLY | O_CLOEXEC);
    _cleanup_close_ int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    char text[64];
    snprintf(text, sizeof(text), "%d %d", event, control);
    if (control < 0 || event < 0 || small_file_write(dir, "cgroup.event_control", text) < 0)
        return -1;
    job->oom_event = steal_fd(&event);
    return 0;
}

int cgroup_limit(const struct cgroup_host *host, struct cgroup_job *job,
                 const struct sb_limits *limits, struct sb_error *err)
{
    if (host->backend == NULL)
        return 0;
    const struct cgroup_backend *backend = host->backend;
    if (cgroup_make_directories(host, job, err) < 0 ||
        write_knobs(host, job, backend->knobs, backend->knobs_count, limits, err) < 0 ||
        open_evidence(host, job, err) < 0)
        return -1;
    if (host->backend->attach_by_child && (host->controllers & CGROUP_MEMORY) &&
        watch_oom(host, job) < 0)
        return sb_fail(err, "cgroup", errno,
                       "cannot watch memory.oom_control in %s: %m; see sandbox-run --doctor",
                       host->place);
    return 0;
}

/* Raised limits are written from the last knob to the first, lowered limits from the first to the
 * last: on v1 the memory limit may never be above the limit of memory and swap together. */
int cgroup_change_limits(const struct cgroup_host *host, const struct cgroup_job *job,
                         const struct sb_limits *limits, const struct sb_limits *before,
                         struct sb_error *err)
{
    size_t count = host->backend != NULL ? host->backend->knobs_count : 0;
    for (size_t i = 0; i < 2 * count; i++) {
        bool raise = i < count;
        const struct cgroup_knob *knob = &host->backend->knobs[raise ? count - 1 - i : i - count];
        int64_t now = limits->value[knob->limit], then = before->value[knob->limit];
        if (knob->text == NULL && knob->weight == 0 && (raise ? now > then : now < then) &&
            write_knob(host, job, knob, limits, err) < 0)
            return -1;
    }
    return 0;
}

/* ── Evidence ──────────────────────────────────────────────────────────────────────────────── */

int64_t cgroup_number(const struct cgroup_host *host, const struct cgroup_job *job,
                      enum cgroup_number number)
{
    if (host->backend == NULL)
        return -1;
    const struct cgroup_evidence *evidence = &host->backend->evidence[number];
    char text[4096];
    ssize_t size = -1;
    if (job->number[number] >= 0)
        size = pread(job->number[number], text, sizeof(text) - 1, 0);
    else if (evidence->file != NULL && job->dir[evidence->hierarchy] >= 0)
        size = small_file_read(job->dir[evidence->hierarchy], evidence->file, text, sizeof(text));
    if (size < 0)
        return -1;
    text[size] = '\0';
    const char *at = text;
    if (evidence->key != NULL) {
        size_t length = strlen(evidence->key);
        for (at = text; strncmp(at, evidence->key, length) != 0 || at[length] != ' '; at++) {
            at = strchr(at, '\n');
            if (at == NULL)
                return -1;
        }
        at += length;
    }
    return strtoll(at, NULL, 10);
}

/* ── Another job ───────────────────────────────────────────────────────────────────────────── */

bool cgroup_renew(const struct cgroup_host *host, const struct cgroup_job *job,
                  const struct sb_limits *limits)
{
    const struct cgroup_backend *backend = host->backend;
    const unsigned all = CGROUP_MEMORY | CGROUP_CPU | CGROUP_PIDS;
    if (backend == NULL || backend->renewal == NULL || (host->controllers & all) != all)
        return false;
    struct sb_error ignored;
    if (cgroup_number(host, job, CGROUP_PIDS_NOW) != 0 ||
        cgroup_number(host, job, CGROUP_PIDS_PEAK) != FEWEST_PIDS ||
        cgroup_number(host, job, CGROUP_OOM_KILLS) != 0 ||
        write_knobs(host, job, backend->renewal, backend->renewal_count, limits, &ignored) < 0)
        return false;
    /* After the reset the peak is what is charged now. */
    int64_t memory = cgroup_number(host, job, CGROUP_MEMORY_PEAK);
    return memory >= 0 && memory <= KEPT_BYTES;
}
