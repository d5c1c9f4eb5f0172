/* The part of --doctor on host ids: see doctor_state.h. */
#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/util.h"
#include "core/doctor_state.h"
#include "core/id_map.h"
#include "core/own_capability.h"
#include "core/uids.h"
#include "inside/attempt.h"
#include "inside/clone.h"

/* The memory that each watch costs its job. If as many watches are allowed as fit into the host's
 * memory, no job can use them up for others. */
#define WATCH_BYTES 128

static void say_shared(struct doctor *doctor, struct sb_finding finding, const char *reason)
{
    char meaning[256], remedy[512];
    snprintf(
        meaning, sizeof(meaning),
        "a job can use up what the kernel counts for uid %ld, and so stop a sandbox-serve that "
        "runs as it: epoll watches (fs.epoll.max_user_watches is %ld), descriptors under way "
        "in sockets, pages of pipes",
        (long)geteuid(), doctor_setting("/proc/sys/fs/epoll/max_user_watches"));
    snprintf(remedy, sizeof(remedy),
             "start it by its unit, sandbox-serve.service; or install newuidmap (package uidmap) "
             "and give this user a range: a line USER:FIRST:65536 in /etc/subuid and in "
             "/etc/subgid; or at least: sysctl -w fs.epoll.max_user_watches=%lld",
             (long long)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE) / WATCH_BYTES);
    finding.meaning = meaning;
    finding.remedy = remedy;
    doctor_say(doctor, finding, "jobs have this user's uid: %s", reason);
}

/* Maps the first and the last id of the range, as a job's start does. 0, or the errno. */
static int try_to_map(const struct sb_uids *uids, uint32_t slot)
{
    uint32_t uid, gid;
    uids_of_slot(uids, slot, &uid, &gid);
    pid_t pid = attempt_start(CLONE_NEWUSER, attempt_wait);
    if (pid < 0)
        return 0; /* an earlier finding says so */
    int failed = clone_map_ids(pid, uid, gid) < 0 ? errno : 0;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, __WALL);
    return failed;
}

static void check_root(struct doctor *doctor, struct sb_finding finding, const struct sb_uids *uids)
{
    int failed = try_to_map(uids, 0);
    if (failed == 0)
        failed = try_to_map(uids, uids->count - 1);
    char why[ID_MAP_WHY_SIZE];
    finding.required = true;
    finding.ok = failed == 0;
    finding.meaning = "jobs cannot be started";
    finding.remedy = id_map_why((struct id_range){uids->uid_first, uids->count},
                                (struct id_range){uids->gid_first, uids->count}, failed, why);
    if (finding.ok)
        doctor_say(doctor, finding, "each job has its own, from %u to %u: as root", uids->uid_first,
                   uids->uid_first + uids->count - 1);
    else
        doctor_say(doctor, finding, "tried to map %u to %u: %s", uids->uid_first,
                   uids->uid_first + uids->count - 1, strerror(failed));
    finding = (struct sb_finding){.name = "CAP_CHOWN",
                                  .ok = own_capability(CAP_CHOWN),
                                  .meaning = "jobs start cold, as the python of a warm start "
                                             "cannot get into their cgroups",
                                  .remedy = remedy_of("CAP_CHOWN", EPERM, &doctor->host)};
    doctor_say(doctor, finding, finding.ok ? "in effect" : "not in effect");
}

void doctor_check_ids(struct doctor *doctor, const struct sb_uids *uids)
{
    static const char *const texts[] = {
        [SB_UIDS_CAPABILITIES] =
            "each job of sandbox-serve has its own, from %u to %u: by CAP_SETUID and CAP_SETGID",
        [SB_UIDS_HELPERS] = "each job of sandbox-serve has its own, from %u to %u: by newuidmap",
    };
    const struct sb_uids_state state = sb_uids_state(uids);
    struct sb_finding finding = {.name = "host uids of jobs", .ok = state.way != SB_UIDS_SHARED};
    char detail[128];
    if (state.way == SB_UIDS_ROOT) {
        check_root(doctor, finding, uids);
        return;
    }
    if (!finding.ok) {
        say_shared(doctor, finding, state.reason);
        return;
    }
    snprintf(detail, sizeof(detail), texts[state.way], state.first, state.first + state.count - 1);
    doctor_say(doctor, finding, "%s", detail);
}
