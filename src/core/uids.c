/* See uids.h. */
#include "core/uids.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common/error.h"
#include "common/tool.h"
#include "common/util.h"
#include "core/errand.h"
#include "core/id_map.h"
#include "core/own_capability.h"
#include "core/subids.h"
#include "inside/attempt.h"
#include "inside/calls.h"
#include "inside/clone.h"

/* The default range of host uids for jobs: a part of the 32-bit range that systemd, login.defs and
 * the usual subuid allocations leave alone (https://systemd.io/UIDS-GIDS). */
#define UID_FIRST UINT32_C(0x70000000)
#define UID_COUNT UINT32_C(65536)

/* ── Inside the space ──────────────────────────────────────────────────────────────────────── */

struct in_space {
    int space;
    int (*act)(void *user);
    void *user;
};

/* Jobs must not have our supplementary groups. Makes the system call itself, as libc's function
 * acts on all threads. Where newgidmap has denied setgroups, the groups stay: see launch.c. */
static int leave_groups(void)
{
    return syscall(SYS_setgroups, 0, NULL) < 0 && errno != EPERM ? -1 : 0;
}

static int act_in_space(void *argument)
{
    const struct in_space *in = argument;
    bool entered = setns(in->space, CLONE_NEWUSER) == 0 && leave_groups() == 0;
    return entered ? in->act(in->user) : -1;
}

int uids_act(const struct sb_uids *uids, int (*act)(void *user), void *user)
{
    struct in_space in = {uids->space, act, user};
    return uids->space < 0 ? act(user) : errand_run(act_in_space, &in);
}

uint64_t uids_clone_flags(const struct sb_uids *uids)
{
    return uids->space >= 0 ? CLONE_PARENT : 0;
}

void uids_of_slot(const struct sb_uids *uids, uint32_t slot, uint32_t *uid, uint32_t *gid)
{
    bool shared = uids->way == SB_UIDS_SHARED;
    *uid = shared ? geteuid() : uids->uid_first + slot;
    *gid = shared ? getegid() : uids->gid_first + slot;
}

/* ── Making it ─────────────────────────────────────────────────────────────────────────────── */

/* A way to do uids_map by a privilege. −1: it failed, and uids->reason says why. */
typedef int map_function(struct sb_uids *uids, pid_t pid);

static int map_file(pid_t pid, const char *file, uint32_t own, uint32_t first, uint32_t count)
{
    char text[128];
    snprintf(text, sizeof(text), "%" PRIu32 " %" PRIu32 " 1\n%" PRIu32 " %" PRIu32 " %" PRIu32 "\n",
             own, own, first, first, count);
    return clone_write_proc(pid, file, text);
}

int uids_map(const struct sb_uids *uids, pid_t pid)
{
    if (map_file(pid, "uid_map", geteuid(), uids->uid_first, uids->count) < 0)
        return -1;
    return map_file(pid, "gid_map", getegid(), uids->gid_first, uids->count);
}

static int map_by_capabilities(struct sb_uids *uids, pid_t pid)
{
    if (uids_map(uids, pid) == 0)
        return 0;
    char why[ID_MAP_WHY_SIZE];
    int errnum = errno;
    snprintf(uids->reason, sizeof(uids->reason),
             "CAP_SETUID and CAP_SETGID do not map the uids %" PRIu32 " to %" PRIu32 ": %s; %s",
             uids->uid_first, uids->uid_first + uids->count - 1, strerror(errnum),
             id_map_why((struct id_range){uids->uid_first, uids->count},
                        (struct id_range){uids->gid_first, uids->count}, errnum, why));
    return -1;
}

static int call_helper(struct sb_uids *uids, const char *name, pid_t pid, uint32_t own,
                       uint32_t first)
{
    char text[4][16];
    const uint32_t numbers[] = {(uint32_t)pid, own, first, uids->count};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        snprintf(text[i], sizeof(text[i]), "%" PRIu32, numbers[i]);
    const char *const argv[] = {name,    text[0], text[1], text[1], "1",
                                text[2], text[2], text[3], NULL};
    if (tool_run(argv, -1) == 0)
        return 0;
    if (errno == ENOENT)
        snprintf(uids->reason, sizeof(uids->reason), "there is no program %s", name);
    else if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
        snprintf(uids->reason, sizeof(uids->reason), "no_new_privs keeps %s from its privilege",
                 name);
    else
        snprintf(uids->reason, sizeof(uids->reason), "%s refused to map %s from %s", name, text[3],
                 text[2]);
    return -1;
}

static int map_by_helpers(struct sb_uids *uids, pid_t pid)
{
    if (call_helper(uids, "newuidmap", pid, geteuid(), uids->uid_first) < 0)
        return -1;
    return call_helper(uids, "newgidmap", pid, getegid(), uids->gid_first);
}

/* The namespace lives on as long as this descriptor is open. */
static int open_namespace(pid_t pid)
{
    char path[48];
    snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
    return open(path, O_RDONLY | O_CLOEXEC);
}

static int make_space(struct sb_uids *uids, map_function *map)
{
    pid_t pid = attempt_start(CLONE_NEWUSER, attempt_wait);
    if (pid < 0)
        snprintf(uids->reason, sizeof(uids->reason), "no user namespace can be made: %s",
                 strerror(errno));
    else if (map(uids, pid) == 0 && (uids->space = open_namespace(pid)) < 0)
        snprintf(uids->reason, sizeof(uids->reason), "a user namespace can't be opened: %s",
                 strerror(errno));
    if (pid > 0) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, __WALL);
    }
    return uids->space < 0 ? -1 : 0;
}

/* ── The ways ──────────────────────────────────────────────────────────────────────────────── */

/* Where our user namespace lacks the default range, others of it take its place. If none is large
 * enough, the first job's error says so. */
static void find_default(struct sb_uids *uids)
{
    const struct id_range usual = {UID_FIRST, UID_COUNT};
    char map[2][ID_MAP_TEXT_SIZE];
    if (!id_map_read("/proc/self/uid_map", map[0]) || !id_map_read("/proc/self/gid_map", map[1]) ||
        (id_map_has(map[0], usual) && id_map_has(map[1], usual)))
        return;
    struct id_range uid = id_map_choose(map[0], geteuid(), UID_COUNT);
    struct id_range gid = id_map_choose(map[1], getegid(), UID_COUNT);
    if (uid.count == 0 || gid.count == 0)
        return;
    uids->uid_first = uid.first;
    uids->gid_first = gid.first;
    uids->count = MIN(uid.count, gid.count);
}

/* A range that wrapped around would reach uid 0, the host's root. */
int uids_init(struct sb_uids *uids, const struct sb_options *options, struct sb_error *err)
{
    *uids = (struct sb_uids){.way = geteuid() == 0 ? SB_UIDS_ROOT : SB_UIDS_SHARED, .space = -1};
    uids->uid_first = uids->gid_first = options->uid_first ? options->uid_first : UID_FIRST;
    uids->count = options->uid_count ? options->uid_count : UID_COUNT;
    if (options->uid_first == 0 && options->uid_count == 0)
        find_default(uids);
    if ((uint64_t)uids->uid_first + uids->count <= UINT32_MAX)
        return 0;
    return sb_fail_field(err, "open", "uid_range",
                         "the uids %" PRIu32 " and %" PRIu32
                         " after it reach beyond 4294967294: choose a lower --uid-range",
                         uids->uid_first, uids->count);
}

/* The space maps our own ids as well, and the kernel maps no id twice. */
static int check_range(const struct sb_uids *uids, struct sb_error *err)
{
    const uint32_t own[] = {geteuid(), getegid()};
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        if (own[i] - uids->uid_first <
            uids->count) /* unsigned: an id below the range becomes large */
            return sb_fail_field(err, "open", "uid_range",
                                 "the range of uids for jobs has our own id %" PRIu32
                                 " in it: choose another --uid-range",
                                 own[i]);
    return 0;
}

static int find_way(struct sb_uids *uids, struct sb_error *err)
{
    if (own_capability(CAP_SETUID) && own_capability(CAP_SETGID)) {
        if (check_range(uids, err) < 0)
            return -1;
        if (make_space(uids, map_by_capabilities) == 0)
            uids->way = SB_UIDS_CAPABILITIES;
    } else if (subids_find(uids) == 0 && make_space(uids, map_by_helpers) == 0) {
        uids->way = SB_UIDS_HELPERS;
    }
    return 0;
}

int sb_uids_open(struct sb_uids **out, const struct sb_options *options, struct sb_error *err)
{
    static const struct sb_options defaults;
    if (out == NULL)
        return sb_fail_null(err, "uids", "the address of a pointer");
    *out = NULL;
    if (options == NULL)
        options = &defaults;
    struct sb_uids *uids = calloc(1, sizeof(*uids));
    if (uids == NULL)
        return sb_fail(err, "uids", ENOMEM, "out of memory (host uids)");
    if (uids_init(uids, options, err) < 0 ||
        (uids->way == SB_UIDS_SHARED && find_way(uids, err) < 0)) {
        free(uids);
        return -1;
    }
    *out = uids;
    return 0;
}

void sb_uids_free(struct sb_uids *uids)
{
    if (uids != NULL)
        close_fd(&uids->space);
    free(uids);
}

struct sb_uids_state sb_uids_state(const struct sb_uids *uids)
{
    if (uids == NULL)
        return (struct sb_uids_state){.way = SB_UIDS_SHARED,
                                      .reason = "sb_uids_open was not called"};
    struct sb_uids_state state = {.way = uids->way, .reason = uids->reason};
    if (uids->way != SB_UIDS_SHARED) {
        state.first = uids->uid_first;
        state.count = uids->count;
    }
    return state;
}
