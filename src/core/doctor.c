/* Finds by trying what this host can enforce: makes each namespace, mounts /proc, and at the end
 * runs a job under the default policy. Reads settings only to name a remedy. Leaves nothing
 * behind. doctor_ids.c finds out about the ids of jobs. */
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup/cgroup.h"
#include "cgroup/scope.h"
#include "common/error.h"
#include "common/small_file.h"
#include "common/util.h"
#include "core/container.h"
#include "core/doctor_state.h"
#include "core/remedy.h"
#include "core/rootfs.h"
#include "core/schedstat.h"
#include "inside/attempt.h"
#include "inside/inside.h"

void doctor_say(struct doctor *doctor, struct sb_finding finding, const char *format, ...)
{
    char detail[512];
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof(detail), format, args);
    va_end(args);
    finding.detail = detail;
    if (finding.ok)
        finding.remedy = NULL;
    if (finding.required && !finding.ok)
        doctor->missing++;
    if (doctor->on_finding != NULL)
        doctor->on_finding(doctor->user, &finding);
}

/* ── Settings ──────────────────────────────────────────────────────────────────────────────── */

long doctor_setting(const char *path)
{
    char text[64];
    return small_file_read(AT_FDCWD, path, text, sizeof(text)) < 0 ? -1 : strtol(text, NULL, 10);
}

/* Settings that forbid user namespaces, and how to change them. */
static const struct {
    const char *name, *path;
    long forbids;
    const char *remedy;
} switches[] = {
    {"user.max_user_namespaces", "/proc/sys/user/max_user_namespaces", 0,
     "sysctl -w user.max_user_namespaces=10000"},
    {"kernel.unprivileged_userns_clone", "/proc/sys/kernel/unprivileged_userns_clone", 0,
     "sysctl -w kernel.unprivileged_userns_clone=1"},
    {"kernel.apparmor_restrict_unprivileged_userns",
     "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 1,
     "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"},
};

static void check_settings(struct doctor *doctor)
{
    for (size_t i = 0; i < ARRAY_LEN(switches); i++) {
        long value = doctor_setting(switches[i].path);
        struct sb_finding finding = {.name = switches[i].name,
                                     .ok =
                                         value != switches[i].forbids || (i > 0 && geteuid() == 0),
                                     .meaning = "user namespaces are forbidden to ordinary users",
                                     .remedy = switches[i].remedy};
        doctor->host.settings_forbid |= !finding.ok;
        if (value < 0)
            doctor_say(doctor, finding, "this kernel does not have this setting");
        else
            doctor_say(doctor, finding, "is %ld", value);
    }
}

/* ── Namespaces ────────────────────────────────────────────────────────────────────────────── */

/* Tries something in a child. Returns 0, or the errno of what failed. */
static int try_in_child(uint64_t flags, int (*attempt)(void))
{
    pid_t pid = attempt_start(flags, attempt);
    if (pid < 0)
        return errno;
    int status;
    while (waitpid(pid, &status, __WALL) < 0)
        if (errno != EINTR)
            return errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
}

static const struct {
    const char *name;
    uint64_t flags; /* of clone3 */
    int (*attempt)(void);
    bool required;
    const char *meaning;
} trials[] = {
    {"clone3", 0, attempt_nothing, true, "jobs cannot be started"},
    {"user namespace", CLONE_NEWUSER, attempt_nothing, true,
     "nothing can be isolated without root"},
    {"pid namespace", CLONE_NEWUSER | CLONE_NEWPID, attempt_nothing, true,
     "a script would see other processes"},
    {"network namespace", CLONE_NEWUSER | CLONE_NEWNET, attempt_nothing, true,
     "a script would have the host's network"},
    {"mount namespace", CLONE_NEWUSER | CLONE_NEWNS, attempt_nothing, true,
     "a script would see the host's files"},
    {"ipc namespace", CLONE_NEWUSER | CLONE_NEWIPC, attempt_nothing, true,
     "a script would share the host's System V IPC"},
    {"uts namespace", CLONE_NEWUSER | CLONE_NEWUTS, attempt_nothing, true,
     "a script would see the host's name"},
    {"cgroup namespace", CLONE_NEWUSER | CLONE_NEWCGROUP, attempt_nothing, true,
     "a script would see where its cgroup is"},
    {"hostname", CLONE_NEWUSER | CLONE_NEWUTS, attempt_hostname, true,
     "a script would see this host's name (--allow-missing hostname)"},
    {"/proc", CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS, attempt_mount_proc, true,
     "a job cannot have a /proc of its own (--allow-missing proc)"},
    {"mount_setattr", 0, attempt_mount_setattr, false,
     "mounts are remounted one by one instead, a little slower"},
    {"seccomp listener", 0, attempt_listener, false,
     "verdicts can't name refused calls (report_denied)"},
};

static void check_trials(struct doctor *doctor)
{
    for (size_t i = 0; i < ARRAY_LEN(trials); i++) {
        int failed = try_in_child(trials[i].flags, trials[i].attempt);
        struct sb_finding finding = {.name = trials[i].name,
                                     .ok = failed == 0,
                                     .required = trials[i].required,
                                     .meaning = trials[i].meaning,
                                     .remedy = remedy_of(trials[i].name, failed, &doctor->host)};
        if (trials[i].attempt == attempt_hostname && container_has_name()) {
            finding.required = false;
            finding.meaning = "jobs see this container's name";
        }
        if (trials[i].flags == CLONE_NEWUSER)
            doctor->host.no_user_namespace = failed != 0;
        doctor_say(doctor, finding, "tried: %s", failed == 0 ? "works" : strerror(failed));
    }
}

/* Reads which actions of a filter the kernel offers. */
static void check_seccomp(struct doctor *doctor)
{
    char actions[256] = "none";
    ssize_t size = small_file_read(AT_FDCWD, "/proc/sys/kernel/seccomp/actions_avail", actions,
                                   sizeof(actions));
    actions[size > 0 ? strcspn(actions, "\n") : strlen("none")] = '\0';
    struct sb_finding finding = {.name = "seccomp",
                                 .ok = strstr(actions, "errno") && strstr(actions, "kill_process"),
                                 .required = true,
                                 .meaning = "system calls cannot be filtered",
                                 .remedy = "a kernel with CONFIG_SECCOMP_FILTER=y"};
    doctor_say(doctor, finding, "actions: %s", actions);
}

static void check_landlock(struct doctor *doctor)
{
    int version = landlock_version();
    struct sb_finding finding = {.name = "Landlock",
                                 .ok = version >= LANDLOCK_VERSION_NEEDED,
                                 .meaning = "the other walls stand, without this one behind them",
                                 .remedy =
                                     remedy_of("Landlock", version < 0 ? errno : 0, &doctor->host)};
    if (version > 0)
        doctor_say(doctor, finding, "version %d of its interface", version);
    else
        doctor_say(doctor, finding, "this kernel has none");
}

static void check_schedstat(struct doctor *doctor)
{
    bool ok = schedstat_available();
    struct sb_finding finding = {
        .name = "schedstat",
        .ok = ok,
        .meaning = "wall_time_ms counts time in which the host was busy with other things, too",
        .remedy = "a kernel with CONFIG_SCHED_INFO=y (of CONFIG_TASK_DELAY_ACCT or "
                  "CONFIG_SCHEDSTATS)"};
    doctor_say(doctor, finding,
               ok ? "the kernel tells how long a task waits for a CPU"
                  : "/proc/self/schedstat does not tell how long a task waits for a CPU");
}

/* ── cgroup ────────────────────────────────────────────────────────────────────────────────── */

static const struct {
    enum cgroup_controller controller;
    const char *name, *meaning;
} controllers[] = {
    {CGROUP_MEMORY, "memory controller",
     "memory_bytes cannot be enforced (--allow-missing memory)"},
    {CGROUP_CPU, "cpu controller", "cpus cannot be enforced (--allow-missing cpu)"},
    {CGROUP_PIDS, "pids controller", "a fork bomb cannot be held (--allow-missing pids)"},
};

static const char *how_found(enum sb_cgroup mode)
{
    static const char *const texts[] = {
        [SB_CGROUP_V2_DELEGATED] = "delegated to this process by systemd",
        [SB_CGROUP_V2_SCOPE] = "a delegated scope, asked of systemd",
        [SB_CGROUP_V2_ROOT] = "below the root",
        [SB_CGROUP_V1] = "controllers on v1 (hybrid hierarchy), as root",
        [SB_CGROUP_NONE] = "none",
    };
    return texts[mode];
}

/* Lines of /proc/cgroups are like "memory  9  80  1"; the last number is 0 if the controller was
 * disabled at boot. */
static const char *controller_remedy(const struct doctor *doctor, const char *finding)
{
    char table[4096], name[16] = "", line[80];
    bool listed = false, enabled = false;
    ssize_t size = small_file_read(AT_FDCWD, "/proc/cgroups", table, sizeof(table) - 1);
    table[size > 0 ? size : 0] = '\0';
    sscanf(finding, "%15s", name);
    for (const char *at = table; *at != '\0' && !listed; at += strcspn(at, "\n")) {
        at += strspn(at, "\n");
        snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"), at);
        char found[16];
        int on = 0;
        listed = sscanf(line, "%15s %*d %*d %d", found, &on) == 2 && strcmp(found, name) == 0;
        enabled = on != 0;
    }
    /* Without the table (ProcSubset=pid) assume the best. */
    bool unknown = size <= 0;
    return remedy_of_controller(listed || unknown, enabled || unknown, &doctor->host);
}

static void check_cgroup(struct doctor *doctor, enum sb_cgroup wanted)
{
    struct cgroup_host host;
    struct sb_error err = {.message = "--cgroup none asks for no cgroup"};
    bool found = cgroup_open(&host, wanted, SB_MISSING_ALL, &err) == 0 && host.backend != NULL;
    struct sb_finding finding = {.name = "cgroup",
                                 .ok = found,
                                 .required = true,
                                 .meaning = "memory, CPU and pids cannot be limited "
                                            "(--allow-missing for memory, cpu, pids and cpu_time)",
                                 .remedy = remedy_of_cgroup(&doctor->host)};
    doctor->host.no_cgroup = !found;
    if (found)
        doctor_say(doctor, finding, "%s at %s: %s", cgroup_name(&host), host.place,
                   how_found(host.mode));
    else
        doctor_say(doctor, finding, "%s", err.message);
    for (size_t i = 0; i < ARRAY_LEN(controllers); i++) {
        finding = (struct sb_finding){.name = controllers[i].name,
                                      .ok = (host.controllers & controllers[i].controller) != 0,
                                      .required = true,
                                      .meaning = controllers[i].meaning,
                                      .remedy = controller_remedy(doctor, controllers[i].name)};
        doctor_say(doctor, finding, finding.ok ? "usable" : "not there");
    }
    finding = (struct sb_finding){.name = "cgroup.kill",
                                  .ok = false,
                                  .meaning = "processes are killed one by one instead",
                                  .remedy = remedy_of("cgroup.kill", 0, &doctor->host)};
    struct cgroup_job job;
    cgroup_job_init(&job);
    if (found && cgroup_create(&host, &job, UINT32_MAX, &err) == 0)
        finding.ok = job.dir[0] >= 0 && faccessat(job.dir[0], "cgroup.kill", W_OK, 0) == 0;
    doctor_say(doctor, finding, finding.ok ? "there" : "not there");
    cgroup_remove(&host, &job);
    cgroup_close(&host);
}

/* ── Root file system and a real job ───────────────────────────────────────────────────────── */

static void check_rootfs(struct doctor *doctor, const struct sb_options *options)
{
    struct rootfs rootfs;
    struct sb_error err;
    bool ok = rootfs_open(&rootfs, options->rootfs, options->python, &err) == 0;
    struct sb_finding finding = {.name = "root file system",
                                 .ok = ok,
                                 .required = true,
                                 .meaning = "there is no Python to run scripts with",
                                 .remedy = "sandbox-rootfs build /var/lib/sandbox-run/rootfs"};
    if (ok)
        doctor_say(doctor, finding, "%s: %s, Python %s", rootfs.path, rootfs.python,
                   rootfs.version);
    else
        doctor_say(doctor, finding, "%s", err.message);
    rootfs_close(&rootfs);
}

struct outcome {
    bool ok;
    char text[512];
};

static void keep_outcome(void *user, const struct sb_verdict *verdict)
{
    struct outcome *outcome = user;
    outcome->ok =
        verdict->word == SB_OK && verdict->missing[0] == NULL && verdict->text_size[SB_STDOUT] == 2;
    if (outcome->ok)
        snprintf(outcome->text, sizeof(outcome->text), "a job ran, everything enforced");
    else
        snprintf(outcome->text, sizeof(outcome->text), "%s: %s", sb_word_name(verdict->word),
                 verdict->error ? verdict->error : "something was not enforced");
}

static int run_job(const struct sb_options *options, const char *policy_directory,
                   struct outcome *outcome, struct sb_error *err)
{
    struct sb_policy *policy;
    struct sb_sandbox *sandbox;
    if (sb_policy_load(&policy, policy_directory, "default", err) < 0)
        return -1;
    struct sb_options strict = *options;
    strict.best_effort = false;
    strict.allow_missing = 0;
    int result = sb_open(&sandbox, &strict, err);
    if (result == 0) {
        struct sb_job job = {.policy = policy,
                             .code = "print(1)",
                             .code_size = strlen("print(1)"),
                             .on_done = keep_outcome,
                             .user = outcome};
        result = sb_start(sandbox, &job, NULL, err);
        while (result == 0 && sb_running(sandbox) > 0)
            result = sb_turn(sandbox, -1, err);
        sb_close(sandbox);
    }
    sb_policy_free(policy);
    return result;
}

static void check_job(struct doctor *doctor, const struct sb_options *options,
                      const char *policy_directory)
{
    struct outcome outcome = {0};
    struct sb_error err;
    if (run_job(options, policy_directory, &outcome, &err) < 0)
        snprintf(outcome.text, sizeof(outcome.text), "%s", err.message);
    /* The user is running --doctor already. */
    char *hint = strstr(outcome.text, "; see sandbox-run --doctor");
    if (hint != NULL)
        *hint = '\0';
    struct sb_finding finding = {.name = "default policy",
                                 .ok = outcome.ok,
                                 .required = true,
                                 .meaning = "scripts cannot be run with everything enforced",
                                 .remedy = "provide what is missing above"};
    doctor_say(doctor, finding, "%s", outcome.text);
}

/* ── Policies that preload modules ──────────────────────────────────────────────────────────── */

struct preload {
    struct doctor *doctor;
    const struct sb_policy *policy;
};

static void say_preload(void *user, const char *missing, const char *remedy)
{
    const struct preload *preload = user;
    char name[80];
    if (missing == NULL)
        return; /* no job can run; an earlier finding says so */
    snprintf(name, sizeof(name), "policy %.60s", sb_policy_name(preload->policy));
    const struct sb_finding finding = {
        .name = name,
        .ok = missing[0] == '\0',
        .meaning = "sandbox-serve does not offer it; sandbox-run does, without these modules",
        .remedy = remedy,
    };
    if (finding.ok)
        doctor_say(preload->doctor, finding,
                   "the root file system has the modules that it preloads");
    else
        doctor_say(preload->doctor, finding, "the root file system has no %s", missing);
}

static void check_preload(struct doctor *doctor, struct sb_sandbox *sandbox, const char *directory,
                          const char *name)
{
    struct sb_policy *policy;
    struct sb_error ignored;
    if (sb_policy_load(&policy, directory, name, &ignored) < 0)
        return; /* the policy's users get the error */
    struct preload preload = {doctor, policy};
    struct sb_search search = {say_preload, &preload};
    if (sb_policy_preload(policy)[0] != NULL &&
        sb_find_modules(sandbox, policy, &search, &ignored) == 0)
        while (sb_running(sandbox) > 0 && sb_turn(sandbox, -1, &ignored) == 0)
            ;
    sb_policy_free(policy);
}

static void check_preloads(struct doctor *doctor, const struct sb_options *options,
                           const char *directory)
{
    char **names;
    struct sb_sandbox *sandbox;
    struct sb_error ignored;
    if (sb_open(&sandbox, options, &ignored) < 0)
        return;
    if (sb_policy_list(&names, directory, &ignored) == 0) {
        for (size_t i = 0; names[i] != NULL; i++)
            check_preload(doctor, sandbox, directory, names[i]);
        sb_strv_free(names);
    }
    sb_close(sandbox);
}

static struct remedy_host look_at_host(const struct utsname *host)
{
    return (struct remedy_host){
        .version = remedy_version(host->release),
        .root = geteuid() == 0,
        .container = container_kind(),
        .systemd = scope_offered(),
        .cgroup2 = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0,
    };
}

int sb_doctor(const struct sb_options *options, const char *policy_directory,
              void (*on_finding)(void *user, const struct sb_finding *finding), void *user)
{
    struct doctor doctor = {.on_finding = on_finding, .user = user};
    struct utsname host;
    struct sb_options used = options != NULL ? *options : (struct sb_options){0};
    struct sb_uids *uids = NULL;
    struct sb_error ignored;
    uname(&host);
    doctor.host = look_at_host(&host);
    if (sb_uids_open(&uids, &used, &ignored) == 0)
        used.uids = uids;
    doctor_say(&doctor, (struct sb_finding){.name = "kernel", .ok = true}, "%s %s %s, as %s",
               host.sysname, host.release, host.machine,
               geteuid() == 0 ? "root" : "an ordinary user");
    check_settings(&doctor);
    check_trials(&doctor);
    check_seccomp(&doctor);
    check_landlock(&doctor);
    check_schedstat(&doctor);
    if (uids != NULL)
        doctor_check_ids(&doctor, uids);
    check_cgroup(&doctor, used.cgroup);
    check_rootfs(&doctor, &used);
    check_job(&doctor, &used, policy_directory);
    check_preloads(&doctor, &used, policy_directory);
    sb_uids_free(uids);
    return doctor.missing;
}
