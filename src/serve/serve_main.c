/* sandbox-serve: runs untrusted Python for HTTP clients. See sandbox-serve(8). */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "common/error.h"
#include "common/util.h"
#include "serve/config/command.h"
#include "serve/config/token_command.h"
#include "serve/http/spool.h"
#include "serve/jobs/capacity.h"
#include "serve/jobs/job_uids.h"
#include "serve/process/privileges.h"
#include "serve/server.h"
#include "serve/workers.h"

enum { STATUS_OK, STATUS_FAILED, STATUS_USAGE };

/* Writes "sandbox-serve: …" to stderr, before there is a log. */
__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
    char sentence[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);
    dprintf(2, "sandbox-serve: %s\n", sentence);
}

/* A program may be started with stdin, stdout or stderr closed. The next file that it opens would
 * get that number, and receive messages. */
static int fill_standard_descriptors(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
            return -1;
    return 0;
}

/* The loops take signals as events. The process that starts us may have ignored some; jobs inherit
 * none of this. */
static void block_signals(void)
{
    static const int events[] = {SIGTERM, SIGINT, SIGHUP};
    /* The log's reader is gone, its terminal's foreground is another process group, its file is as
     * large as it may be: then writing fails, and we go on. */
    static const int ignored[] = {SIGPIPE, SIGTTOU, SIGXFSZ};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    for (size_t i = 0; i < ARRAY_LEN(events); i++) {
        signal(events[i], SIG_DFL);
        sigaddset(&set, events[i]);
    }
    signal(SIGCHLD, SIG_DFL);
    for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
        signal(ignored[i], SIG_IGN);
    sigprocmask(SIG_SETMASK, &set, NULL);
}

/* For connections, for their bodies, and for what each job keeps open: pipes, timers, its pidfd,
 * listener and cgroup.
 */
static void raise_descriptor_limit(const struct config *config, struct log *log)
{
    enum { EACH_JOB = 17, OURS = 128 };
    int64_t jobs = config->jobs > 0 ? config->jobs : capacity_jobs();
    jobs += config_extra_jobs(jobs);
    int64_t files = config->connections < SPOOL_FILES_MAX ? config->connections : SPOOL_FILES_MAX;
    rlim_t needed = (rlim_t)(config->connections + files + jobs * EACH_JOB + OURS);
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= needed)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < needed)
        log_say(log, LOG_WARNING,
                "the limit on open files is %llu, but --connections and --jobs may need %llu: "
                "lower them, or raise the limit (LimitNOFILE= in the unit, or ulimit -Hn)",
                (unsigned long long)limit.rlim_cur, (unsigned long long)needed);
}

static void *shared_memory(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory != MAP_FAILED ? memory : NULL;
}

/* A notice of the only worker, which is this process. */
static void notify(void *user, enum notice notice)
{
    const struct server_setup *setup = user;
    char status[512];
    metrics_status(setup->metrics, 1, status, sizeof(status));
    manager_tell(setup->manager, notice, notice == NOTICE_READY ? status : NULL);
}

static int serve_with(const struct config *config, struct log *log, const struct sb_uids *uids,
                      struct listeners *listeners, const struct listeners *agent,
                      struct sb_error *err)
{
    struct server_setup setup = {
        .config = config,
        .log = log,
        .manager = manager_open(config_stop_ms(config)),
        .uids = uids,
        .listeners = listeners,
        .agent_listeners = agent,
        .metrics = shared_memory((size_t)config->workers * sizeof(struct metrics)),
        .rates = shared_memory(rates_size()),
        .alive_ms = notify_interval_ms(),
        .notify = notify,
        .user = &setup,
    };
    if (setup.metrics == NULL || setup.rates == NULL || setup.manager == NULL)
        return sb_fail(err, "serve", errno, "out of memory (the service)");
    rates_begin(setup.rates);
    int result = config->workers > 1 ? workers_run(&setup, err) : server_run(&setup, err);
    manager_close(setup.manager);
    return result;
}

static int serve(const struct config *config)
{
    struct sb_error err;
    struct listeners listeners, agent = {0};
    struct sb_uids *uids = NULL;
    block_signals();
    struct log *log = log_open();
    if (log == NULL) {
        say("out of memory (the log)");
        return STATUS_FAILED;
    }
    raise_descriptor_limit(config, log);
    int result = listeners_open(&listeners, config, &err);
    if (result == 0)
        result = listeners_open_agent(&agent, config, &err);
    if (result == 0)
        result = job_uids_open(&uids, config, log, &err);
    sb_cgroup_prepare(config->cgroup);
    if (result == 0)
        result = privileges_give_up(&err);
    /* Also after an error, which is logged. */
    if (log_begin(log) < 0 && result == 0)
        result = sb_fail(&err, "log", errno, "can't start a process that writes the log");
    if (result == 0)
        result = serve_with(config, log, uids, &listeners, &agent, &err);
    listeners_close(&listeners, true);
    listeners_close(&agent, true);
    sb_uids_free(uids);
    if (result < 0)
        log_say(log, LOG_ERR, "%s", err.message);
    log_close(log);
    return result == 0 ? STATUS_OK : STATUS_FAILED;
}

static int act(const struct command *command)
{
    struct sb_error err;
    switch (command->action) {
    case ACTION_SERVE:
        return serve(&command->config);
    case ACTION_TOKEN_ADD:
    case ACTION_TOKEN_LIST:
    case ACTION_TOKEN_REMOVE:
        if (token_command(command, &err) == 0)
            return STATUS_OK;
        say("%s", err.message);
        return STATUS_FAILED;
    case ACTION_VERSION:
        printf("sandbox-serve %s\n", sb_version());
        return STATUS_OK;
    case ACTION_HELP:
        command_usage(stdout);
        return STATUS_OK;
    }
    return STATUS_FAILED;
}

int main(int argc, char **argv)
{
    if (fill_standard_descriptors() < 0)
        return STATUS_FAILED;
    struct sb_error err;
    struct command command;
    int status = STATUS_USAGE;
    if (command_parse(&command, argc, argv, &err) == 0)
        status = act(&command);
    else
        say("%s; see sandbox-serve --help", err.message);
    command_free(&command);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        say("can't write standard output: %s", strerror(errno));
        status = STATUS_FAILED;
    }
    return status;
}
