/* libsandbox: run an untrusted Python script, and get its verdict.
 *
 * A job goes in (struct sb_job), a verdict comes out (struct sb_verdict). Between them the script
 * has run in namespaces, a root file system and a cgroup of its own, without capabilities and
 * behind a seccomp filter. Nothing of it is left when the verdict is given.
 *
 * The library never prints, never exits, starts no thread and keeps no global state except for a
 * list of the open sandboxes. One thread supervises any number of jobs: poll sb_fd() and call
 * sb_turn() when it is readable. Other threads may come and go, and have sandboxes of their own; a
 * sandbox and its jobs belong to the thread that opened it, which must not be cancelled inside a
 * function here (pthread_cancel(3)) and has a stack of at least 128 KiB.
 *
 *     struct sb_error err;
 *     struct sb_sandbox *sandbox;
 *     struct sb_policy *policy;
 *     if (sb_open(&sandbox, NULL, &err) < 0 ||
 *         sb_policy_load(&policy, NULL, "default", &err) < 0)
 *         … err.message is one sentence for a person …
 *     struct sb_job job = {.policy = policy, .code = "print(1)", .code_size = 8,
 *                          .on_done = done, .user = &me};
 *     sb_start(sandbox, &job, NULL, &err);
 *     while (sb_running(sandbox) > 0)
 *         sb_turn(sandbox, -1, &err);
 *
 * Functions that can fail return 0, or −1 with *err filled in; their result (*sandbox, *policy,
 * *run, …) is NULL then. `err` and options may be NULL; options are then the defaults. Any other
 * NULL pointer is an error that names it in err.field; a function that can't fail does nothing with
 * it and returns an empty value: −1, 0, "", NULL. The same holds for an unknown value of an enum.
 * See libsandbox(3). */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SB_API __attribute__((visibility("default")))

/* ── Errors ─────────────────────────────────────────────────────────────────────────────────── */

/* An error. `message` is one sentence for a person: what failed, why, and what to do next. */
struct sb_error {
    int errnum;    /* errno of the failed step, 0 when none applies */
    char step[32]; /* the step that failed: "policy", "rootfs", "cgroup", "clone", "seccomp", … */
    char field[64];    /* the key, option or argument at fault, "" when none is */
    char message[512]; /* one sentence, UTF-8, without a newline at the end */
};

/* ── Limits ─────────────────────────────────────────────────────────────────────────────────── */

/* The limits of a policy, which a request may change. Units are in the names. */
enum sb_limit {
    SB_WALL_TIME_MS,  /* time from the start of the code, except for time in which the host withheld
                         the CPU, milliseconds */
    SB_CPU_TIME_MS,   /* user + system time of all the job's processes together, milliseconds */
    SB_MEMORY_BYTES,  /* all memory of the job, its tmpfs files included */
    SB_MILLICPUS,     /* thousandths of a CPU; JSON "cpus": 0.5 is 500 here */
    SB_PIDS,          /* processes and threads alive at the same time */
    SB_OUTPUT_BYTES,  /* shown of stdout and of stderr, each: the first and the last part */
    SB_OPEN_FILES,    /* RLIMIT_NOFILE: descriptors open in one process */
    SB_TMP_BYTES,     /* size of /tmp, /work and /dev/shm together */
    SB_TMP_FILES,     /* files and directories there */
    SB_CODE_CHARS,    /* length of the code, in Unicode characters */
    SB_RESULT_BYTES,  /* size of the JSON text of the called function's value */
    SB_DISPLAYS,      /* displays kept of a notebook cell */
    SB_DISPLAY_BYTES, /* size of their JSON texts together */
    SB_COLLECT_FILES, /* how many files come back: sb_job.collect */
    SB_COLLECT_BYTES, /* their size, all together */
    SB_LIMITS
};

#define SB_UNSET INT64_C(-1)

/* One row of the table of limits. The table is constant; its order is enum sb_limit's. */
struct sb_limit_info {
    const char *name;    /* key in policies and requests: "memory_bytes" */
    const char *option;  /* long option of sandbox-run: "memory" */
    const char *unit;    /* "ms", "bytes", "cpus", "count" or "chars" */
    int64_t min, max;    /* allowed values, both included */
    const char *meaning; /* a few words for a person */
};

/* NULL for an unknown limit. */
SB_API const struct sb_limit_info *sb_limit_info(enum sb_limit limit);

/* A value for each limit, or SB_UNSET. */
struct sb_limits {
    int64_t value[SB_LIMITS];
};

/* All values SB_UNSET. */
SB_API struct sb_limits sb_limits_unset(void);

/* Reads "500ms", "2m", "1.5" (seconds), "128M", "1G", "0.5": a number with a unit that fits the
 * limit. Times without a unit are seconds, sizes without one bytes. Values out of range are errors
 * that name the option and what is allowed. */
SB_API int sb_limit_parse(enum sb_limit limit, const char *text, int64_t *value,
                          struct sb_error *err);

/* ── Policies ───────────────────────────────────────────────────────────────────────────────── */

/* A policy: limits, caps, environment, mounts, seccomp profile. See sandbox-policy(5). */
struct sb_policy;

/* Loads a policy. `name` is the name of one in `directory` ("default"), or a path when it has a
 * slash or ends with .json. `directory` NULL: the one that was configured when the library was
 * built. The caller frees *policy with sb_policy_free, after the last job that names it has its
 * verdict. */
SB_API int sb_policy_load(struct sb_policy **policy, const char *directory, const char *name,
                          struct sb_error *err);
/* NULL is allowed. */
SB_API void sb_policy_free(struct sb_policy *policy);

SB_API const char *sb_policy_name(const struct sb_policy *policy);
SB_API const char *sb_policy_description(const struct sb_policy *policy);
SB_API int64_t sb_policy_limit(const struct sb_policy *policy, enum sb_limit limit);
SB_API int64_t sb_policy_cap(const struct sb_policy *policy, enum sb_limit limit);
/* The modules that its warm interpreters have imported already ("preload"), each once,
 * NULL-terminated, never NULL. */
SB_API const char *const *sb_policy_preload(const struct sb_policy *policy);
/* Whether its jobs may write files ("writable"). */
SB_API bool sb_policy_writable(const struct sb_policy *policy);
/* For a program that allows its clients less than the policy does: the cap becomes `most`, where it
 * is above that, but never less than the policy's own limit. Call it before any job names the
 * policy. */
SB_API void sb_policy_lower_cap(struct sb_policy *policy, enum sb_limit limit, int64_t most);

/* The policy as JSON text, every key with the value in force. The caller frees it. */
SB_API char *sb_policy_json(const struct sb_policy *policy);

/* The names of the policies in a directory, sorted, NULL-terminated. The caller frees each and the
 * array: sb_strv_free. */
SB_API int sb_policy_list(char ***names, const char *directory, struct sb_error *err);
SB_API void sb_strv_free(char **strings);

/* ── The sandbox ────────────────────────────────────────────────────────────────────────────── */

/* The kind of cgroup that enforces memory, CPU and pids. */
enum sb_cgroup {
    SB_CGROUP_AUTO,         /* the first of those below that this host offers */
    SB_CGROUP_V2_DELEGATED, /* cgroup v2, below the cgroup that systemd delegated to us */
    SB_CGROUP_V2_SCOPE,     /* cgroup v2, a delegated scope that we ask systemd for */
    SB_CGROUP_V2_ROOT,      /* cgroup v2, below its root, as root or a container's owner */
    SB_CGROUP_V1,           /* controllers on v1 (hybrid hierarchy), as root */
    SB_CGROUP_NONE          /* none: for best effort, or what allow_missing names */
};

/* "auto", "v2-delegated", "v2-scope", "v2-root", "v1", "none"; −1 for any other name. */
SB_API int sb_cgroup_from_name(const char *name);

/* The host uids of jobs. The kernel counts some resources by uid (epoll watches, descriptors under
 * way in sockets, pages of pipes): a job can use them up for all processes of its uid, so it should
 * have a uid of its own. Root gives each job one of a range. For an ordinary user's process this
 * finds a way to do the same: the capabilities CAP_SETUID and CAP_SETGID, which the process may
 * give up afterwards, or newuidmap(1) with ranges of subuid(5). */
struct sb_uids;

enum sb_uids_way {
    SB_UIDS_SHARED,       /* no way was found: jobs have the uid of this process */
    SB_UIDS_ROOT,         /* each job has its own, here and in the cases below */
    SB_UIDS_CAPABILITIES, /* CAP_SETUID and CAP_SETGID */
    SB_UIDS_HELPERS       /* newuidmap and newgidmap */
};

struct sb_uids_state {
    enum sb_uids_way way;
    uint32_t first, count; /* SB_UIDS_SHARED: 0 */
    const char *reason;    /* SB_UIDS_SHARED: why no other way was found, else "" */
};

/* What a job may do without where the host can't enforce it, if its caller or its policy allows it:
 * one bit each. A verdict lists, by their names, those that were not enforced for its job. Whatever
 * has no name here is never left out. In a container with a name of its own, a job may see that
 * name, and no "hostname" is missing. */
enum sb_missing {
    SB_MISSING_MEMORY = 1,    /* "memory": memory_bytes */
    SB_MISSING_CPU = 2,       /* "cpu": cpus */
    SB_MISSING_PIDS = 4,      /* "pids": pids, for all processes of the job together */
    SB_MISSING_CPU_TIME = 8,  /* "cpu_time": cpu_time_ms, for all of them together */
    SB_MISSING_RLIMITS = 16,  /* "rlimits": where our own limits (ulimit) are lower than a job's */
    SB_MISSING_PROC = 32,     /* "proc": the job's own /proc; it finds an empty directory */
    SB_MISSING_HOSTNAME = 64, /* "hostname": the job sees this host's name; see sandbox-run(1) */
    SB_MISSING_ALL = 127
};

/* Reads names with commas between them, "memory,proc", into bits. An unknown name is an error that
 * lists the names. */
SB_API int sb_missing_parse(const char *names, unsigned *missing, struct sb_error *err);

struct sb_options {
    const char *rootfs; /* root file system; NULL: the configured one (see sandbox-rootfs(1)) */
    const char *python; /* interpreter in it; NULL: the one that its record names */
    enum sb_cgroup cgroup;
    /* Host uids for jobs, one for each, as root or by capabilities; 0: the configured range. */
    uint32_t uid_first, uid_count;
    /* As an ordinary user: the result of sb_uids_open, which must outlive the sandbox. NULL: jobs
     * have the uid of this process. */
    const struct sb_uids *uids;
    bool best_effort; /* go on where the host can't enforce a limit or layer; verdicts list these */
    unsigned allow_missing; /* bits of enum sb_missing: go on without these only */
    /* Memory that must remain available on the host (MemAvailable in proc_meminfo(5)) while jobs
     * run: below this floor the job that grew last is ended, SB_INTERNAL with host_busy. 0: a
     * fortieth of the host's memory, at least 64 MiB; 1: no floor */
    int64_t memory_floor_bytes;
};

/* Called once for all sandboxes of a process and its forks. If no way is found, that is not an
 * error: see sb_uids_state. Only the range of the options is used. The caller frees *uids with
 * sb_uids_free, after sb_close. */
SB_API int sb_uids_open(struct sb_uids **uids, const struct sb_options *options,
                        struct sb_error *err);
/* NULL is allowed. */
SB_API void sb_uids_free(struct sb_uids *uids);
SB_API struct sb_uids_state sb_uids_state(const struct sb_uids *uids);

/* For a program that gives up root's capabilities before sb_open: makes the directory for the
 * cgroups of jobs, if that needs CAP_DAC_OVERRIDE. If it fails, sb_open tells why. */
SB_API void sb_cgroup_prepare(enum sb_cgroup wanted);

struct sb_sandbox;

/* Finds out the features of the host and opens the root file system. Fails when the host lacks a
 * feature that every job needs. The caller closes the sandbox with sb_close, which kills the jobs
 * that still run, without verdicts. */
SB_API int sb_open(struct sb_sandbox **sandbox, const struct sb_options *options,
                   struct sb_error *err);
/* Does nothing in a callback: stop calling sb_turn, then close. A second call does nothing, unless
 * another sandbox has been opened meanwhile, which may have the same address. */
SB_API void sb_close(struct sb_sandbox *sandbox);

/* A descriptor that polls readable when sb_turn has something to do. Owned by the sandbox. */
SB_API int sb_fd(const struct sb_sandbox *sandbox);

/* Handles events, waiting for them for up to timeout_ms (0: not at all, −1: for ever). Callbacks of
 * jobs are called from here alone. They may start, kill and pause jobs, but must not call this:
 * that is an error. The first call (or the first job) also removes the cgroups that dead processes
 * left behind: a program that waits for its first job calls it once, with 0. */
SB_API int sb_turn(struct sb_sandbox *sandbox, int timeout_ms, struct sb_error *err);

/* How many jobs have no verdict yet. */
SB_API size_t sb_running(const struct sb_sandbox *sandbox);

/* How many CPUs this process and its jobs may use, in thousandths: by its affinity, and by the
 * quotas of the cgroups that it is in. */
SB_API int64_t sb_millicpus(void);

/* The host's memory, as last read. */
struct sb_host_memory {
    int64_t available_bytes; /* MemAvailable; −1: not known */
    int64_t floor_bytes;     /* see struct sb_options */
    bool low;                /* less than the floor is available: do not start another job */
};

/* The memory is read while jobs run and when one has ended, at least once a second. With `look` it
 * is read now, unless it was in the last tenth of a second; that may end a job. */
SB_API struct sb_host_memory sb_host_memory(struct sb_sandbox *sandbox, bool look);

/* ── Warm starts ────────────────────────────────────────────────────────────────────────────── */

/* For a program that runs many jobs: interpreters are kept ready for the policies with "start":
 * "warm". A job that finds one begins much sooner, with every layer of isolation of a cold start.
 * When none is ready, jobs start cold. When a warm job has its verdict, only the directory of its
 * cgroup is left, which one of the next calls of sb_turn, or sb_close, removes. */
struct sb_warm_options {
    size_t parked_max;    /* children that wait for jobs, for each policy; 0: 16 */
    int64_t memory_bytes; /* all of them may take about this much together; 0: 256 MiB */
    size_t renew_jobs;    /* a zygote is renewed after this many children; 0: 10000 */
    int64_t renew_ms;     /* and after this time; 0: an hour */
};

/* Enables warm starts. A second call for a sandbox, or a call while jobs run, is an error. */
SB_API int sb_warm_enable(struct sb_sandbox *sandbox, const struct sb_warm_options *options,
                          struct sb_error *err);

/* Starts to make interpreters ready for a policy; otherwise its first job does. Does nothing for a
 * policy that starts cold. */
SB_API void sb_warm_prepare(struct sb_sandbox *sandbox, const struct sb_policy *policy);

/* Ends the interpreters that are kept ready for a policy: call it before sb_policy_free. Running
 * jobs are not affected; jobs that wait for an interpreter start cold. */
SB_API void sb_warm_forget(struct sb_sandbox *sandbox, const struct sb_policy *policy);

/* The warm interpreters of a policy. */
struct sb_warm_state {
    bool ready;         /* its zygote has imported all modules to preload */
    size_t parked;      /* children that wait for a job */
    size_t children;    /* children that its zygotes have cloned so far */
    pid_t zygote;       /* 0: none */
    size_t failed;      /* how often in a row it could not be made ready, or died */
    const char *reason; /* why it is not ready, "" when it is or is about to be */
    const char *broken; /* why the last zygote could not import a module to preload, "" if it could;
                           kept until another zygote is ready or ends for another reason */
};
SB_API struct sb_warm_state sb_warm_state(const struct sb_sandbox *sandbox,
                                          const struct sb_policy *policy);

/* ── Jobs ───────────────────────────────────────────────────────────────────────────────────── */

enum sb_stream { SB_STDOUT, SB_STDERR, SB_STREAMS };

struct sb_file {
    const char *path; /* below /work; "./a", "a//b" and "c/../a" are simplified as text: "a", "a/b",
                         "a". Any bytes except for NUL; up to 1024, each name up to 255 */
    const void *data;
    size_t size;
    bool text; /* Unicode text in UTF-8: in a Python source (*.py) a declaration of another encoding
                  is ignored. Otherwise the bytes are used as they are */
};

struct sb_verdict;
struct sb_run; /* a job that is running */

/* A job to run. Everything that it points to may be freed when sb_start returns, except for the
 * policy; stdin_fd must stay open until on_done. */
struct sb_job {
    const struct sb_policy *policy;
    const char *id;   /* for logs and the verdict; NULL: one is generated */
    const char *name; /* sys.argv[0] and the name in tracebacks; NULL: "main.py". The code is put at
                         /work/<last part of name>, unless the name is "-c", "-" or "<…>" */
    const void *code; /* without NUL: UTF-8 text, in which a declaration of another encoding is
                         ignored, or with code_encoded … */
    size_t code_size;
    /* … the bytes of a source file, in the encoding that it declares (PEP 263) */
    bool code_encoded;
    const char *module; /* in place of code: run this module, as `python3 -m` does, searching /work
                           first. The name is not used */
    const struct sb_file *files; /* more files for /work */
    size_t files_count;
    const char *const *args; /* sys.argv[1:], NULL-terminated, or NULL */
    const char *const *env;  /* "NAME=value", on top of the policy's, NULL-terminated, or NULL */
    const char *call; /* function to call after the code; its value becomes the result. Its name, or
                         JSON: {"name": "main", "args": […], "kwargs": {…}}. It is called once: code
                         under `if __name__ == "__main__":` is left out. A coroutine is run to its
                         end */
    const void *stdin_data; /* the script's standard input, or with stdin_from_fd … */
    size_t stdin_size;
    bool stdin_from_fd; /* … relayed from stdin_fd, which never enters the sandbox */
    int stdin_fd;
    bool merge_stderr; /* stderr goes to stdout, in the order written */
    bool notebook;     /* the code is a notebook cell: the value of its last expression is
                          displayed, `await` works at the top level, and figures that it shows or
                          leaves open come back. Not with module */
    /* Which files come back: patterns of names below /work, or of absolute ones below /tmp;
     * NULL-terminated, or NULL for none. "**" is for all files. A file comes back if it is new or
     * has changed. sandbox-api(7) describes patterns. */
    const char *const *collect;
    struct sb_limits limits; /* values of 0 or SB_UNSET: the policy's. Above a cap: an error */
    bool best_effort;        /* as options.best_effort, for this job … */
    unsigned allow_missing;  /* … and as options.allow_missing */

    /* When set, output is handed over as it comes instead of being kept for the verdict. Near the
     * end of the first part that SB_OUTPUT_BYTES allows, only whole lines are handed over; the last
     * part, and the line that stands for missing bytes, come just before on_done. May be NULL. */
    void (*on_output)(void *user, enum sb_stream stream, const void *data, size_t size);
    /* When set, each display of a notebook cell is handed over as it comes, too: JSON text of an
     * object {MIME type: data}, as in the verdict's `display`. It comes in the order in which the
     * cell displayed and wrote: the cell waits at each display until sb_turn has read it, and what
     * was written before it. May be NULL. */
    void (*on_display)(void *user, const char *json, size_t size);
    /* Called once, from sb_turn. The verdict and the run are freed when it returns. May be NULL. */
    void (*on_done)(void *user, const struct sb_verdict *verdict);
    void *user;
};

/* Fails if sb_start would refuse the job on any host: a bad field, a limit above its cap. For a
 * caller that lets jobs wait before it starts them. */
SB_API int sb_check(const struct sb_job *job, struct sb_error *err);

/* Starts a job. *run (may be NULL) stays valid until on_done has been called. Fails without having
 * run anything: for a bad job (err.field names the field), a limit above its cap, or a host that
 * can't enforce the policy. */
SB_API int sb_start(struct sb_sandbox *sandbox, const struct sb_job *job, struct sb_run **run,
                    struct sb_error *err);

/* A search for the modules that a policy preloads. It must stay valid until on_found has been
 * called, from sb_turn, or the sandbox is closed. */
struct sb_search {
    /* `missing`: the packages, and modules outside of packages, that the root file system lacks:
     * "numpy, pandas"; "" when it has them all; NULL when the search failed. `remedy`: a command.
     * Both are freed when the callback returns. */
    void (*on_found)(void *user, const char *missing, const char *remedy);
    void *user;
};

/* Starts a search: a small job under that policy, which imports none of the modules. */
SB_API int sb_find_modules(struct sb_sandbox *sandbox, const struct sb_policy *policy,
                           struct sb_search *search, struct sb_error *err);

/* Kills a job: its verdict will be "signal" with `signal` (SIGKILL, if that is not a signal's
 * number), and `reason` (one sentence, copied; NULL: a default sentence) as error. Does nothing to
 * a job that has ended; of several calls the first one counts. */
SB_API void sb_kill(struct sb_run *run, int signal, const char *reason);

/* How many CPUs a job demands, in thousandths: those that it uses and those that it waits for, at
 * most its limit. Measured from time to time; −1 in its first moments. For a program that decides
 * whether to start another job. */
SB_API int64_t sb_demand(const struct sb_run *run);

/* Stops or resumes reading a stream of the job, for a reader that can't take more just now. */
SB_API void sb_pause(struct sb_run *run, enum sb_stream stream, bool paused);

/* ── Verdicts ───────────────────────────────────────────────────────────────────────────────── */

enum sb_word {
    SB_OK,        /* ran to its end with exit status 0 */
    SB_EXCEPTION, /* ended by an exception that nothing caught */
    SB_EXIT,      /* ended itself with an exit status other than 0 */
    SB_SIGNAL,    /* ended by a signal, its own or sb_kill's */
    SB_TIMEOUT,   /* wall_time_ms ran out */
    SB_CPU_TIME,  /* cpu_time_ms ran out */
    SB_MEMORY,    /* memory_bytes ran out: the kernel's out-of-memory killer ended it */
    SB_OUTPUT,    /* more output than output_bytes, under a policy with "output": "kill"; or too
                     large a result */
    SB_INTERNAL   /* the sandbox itself failed, or the host lacked memory or CPU for the job */
};

/* "ok", "exception", … */
SB_API const char *sb_word_name(enum sb_word word);

/* A call that was refused: "mount", "socket(AF_NETLINK)", "unshare(CLONE_NEWUSER|CLONE_NEWNS)". */
struct sb_denied {
    const char *call;
    int64_t count; /* how often */
};

/* A file that comes back. */
struct sb_collected {
    const char *path; /* below /work, or "/tmp/…"; UTF-8 */
    const void *data; /* with a NUL behind it */
    size_t size;
};

/* A file or directory that was asked for and does not come back. An empty path: `why` is about the
 * search as a whole. */
struct sb_left_out {
    const char *path; /* UTF-8: other bytes are replaced by U+FFFD */
    const char *why;
};

/* How a job ended. Texts belong to the library, which frees them when on_done returns. Numbers are
 * −1 where they are unknown or do not apply. */
struct sb_verdict {
    enum sb_word word;
    bool host_busy; /* SB_INTERNAL because the host had too little CPU or memory just then: the same
                       job may succeed another time */
    const char *id;
    /* An explanation; NULL when word is SB_OK. For a script that ended itself (SB_EXCEPTION,
     * SB_EXIT) and wrote to stderr it is text[SB_STDERR], which may hold NULs. */
    const char *error;
    /* Output, NUL-terminated (it may hold NULs); "" with on_output. Where bytes are missing, the
     * line "… N bytes left out …" stands between whole lines (between characters of very long
     * ones): at most SB_OUTPUT_BYTES and that line. */
    const char *text[SB_STREAMS];
    size_t text_size[SB_STREAMS];
    int64_t written_bytes[SB_STREAMS]; /* written by the script, shown or not */
    int64_t dropped_bytes[SB_STREAMS]; /* of these, not shown: the N of that line, or 0 */
    int exit_code;                     /* of the script, −1 when it ended otherwise */
    int signal;                        /* that ended it, 0 when none did */
    const char *exception; /* name of the exception's class; NULL except with SB_EXCEPTION */
    const char *result;    /* JSON text of the called function's value; NULL when none */
    /* The displays of a notebook cell: JSON text of an array of objects {MIME type: data}, each
     * with "text/plain", which is a string like all types text/… and image/…; pictures other than
     * SVG in base64. NULL: the job is not a cell. The script chooses the data: show HTML and SVG
     * only where their scripts can't run. */
    const char *display;
    int64_t displays_left_out; /* past SB_DISPLAYS or SB_DISPLAY_BYTES, or not of that form */
    int64_t wall_time_us;      /* the whole time that went by */
    int64_t cpu_time_us;
    int64_t memory_peak_bytes;
    int64_t pids_peak;
    const char *cgroup; /* "v2", "v1" or "none" */
    const char *start;  /* "cold" or "warm" */
    /* Names of what was not enforced (enum sb_missing), NULL-terminated. Empty, unless best_effort
     * or allow_missing allowed it */
    const char *const *missing;
    /* With the policy's "report_denied": refused calls that the seccomp profile marks, in the order
     * of their first time. Up to 32, and "others" for all further ones. −1: this host can't tell.
     */
    const struct sb_denied *denied;
    int64_t denied_count;
    /* With the job's "collect", also for a job that was killed: at most SB_COLLECT_FILES with
     * SB_COLLECT_BYTES, in the order of their names. */
    const struct sb_collected *files;
    size_t files_count;
    const struct sb_left_out *left_out; /* up to 100, and how many more there are */
    size_t left_out_count;
};

/* The verdict on a job that never ran: SB_INTERNAL, without measurements. It points to both texts;
 * NULL: no id, and a default sentence. */
SB_API struct sb_verdict sb_verdict_unstarted(const char *id, const char *error);

enum sb_json_flags {
    SB_JSON_NO_OUTPUT = 1, /* "output", "stdout", "stderr" and "display" are null; "files" have no
                              contents */
    SB_JSON_BASE64 = 2,    /* "stdout" and "stderr" in base64, byte for byte */
    /* With either, "error" is always one sentence, never the script's stderr. */
    SB_JSON_SPEND = 4 /* the memory of `files` is given back while the text grows: their contents
                         are gone then, and the two never take much more than one of them */
};

/* The verdict as one JSON object on one line: the native answer of POST /run. Always valid UTF-8:
 * other bytes become U+FFFD. The caller frees it. NULL when out of memory, and for NULL. */
SB_API char *sb_verdict_json(const struct sb_verdict *verdict, unsigned flags);

/* ── The host ───────────────────────────────────────────────────────────────────────────────── */

/* One line of `sandbox-run --doctor`. Texts are freed when the callback returns. */
struct sb_finding {
    const char *name; /* "user namespaces" */
    bool ok;
    bool required;       /* without it the default policy can't be enforced */
    const char *detail;  /* the observation, and how it was made */
    const char *meaning; /* the consequence when it is missing */
    const char *remedy;  /* a command, or NULL */
};

/* Tries each feature of this host, one finding at a time. Returns how many required ones are
 * missing. `on_finding` NULL: counts only. */
SB_API int sb_doctor(const struct sb_options *options, const char *policy_directory,
                     void (*on_finding)(void *user, const struct sb_finding *finding), void *user);

/* "1.0.0" */
SB_API const char *sb_version(void);

#ifdef __cplusplus
}
#endif
#endif
