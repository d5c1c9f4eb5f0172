/* sandbox-run: runs an untrusted Python script. See sandbox-run(1).
 * Only main() exits; everything else returns what went wrong. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "cli/cases.h"
#include "cli/findings.h"
#include "cli/list.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/run_here.h"
#include "cli/selftest.h"
#include "cli/status.h"
#include "cli/via.h"
#include "common/set_id.h"
#include "common/util.h"

/* A program may be started with stdin, stdout or stderr closed. The next file that it opens would
 * get that number, and messages for a person would end up in it. */
static int fill_standard_descriptors(bool closed[3])
{
    for (int fd = 0; fd <= 2; fd++) {
        closed[fd] = fcntl(fd, F_GETFD) < 0;
        if (closed[fd] && open("/dev/null", O_RDWR) != fd)
            return -1;
    }
    return 0;
}

/* If only the script prints to a closed stdout, it gets the error itself, as with python3. */
static bool prints(const struct options *options)
{
    return options->action != ACTION_RUN || options->json;
}

/* The verdict of a job that could not be run, for readers of --json. */
static void print_failure(const struct sb_error *err)
{
    const struct sb_verdict verdict = sb_verdict_unstarted("", err->message);
    _cleanup_free_ char *json = sb_verdict_json(&verdict, 0);
    if (json != NULL)
        puts(json);
}

static int run(const struct options *options)
{
    struct sb_error err;
    int status = options->via != NULL     ? run_via(options, &err)
                 : options->cases != NULL ? cases_run_here(options, &err)
                                          : run_script(options, &err);
    if (status >= 0)
        return status;
    if (options->json)
        print_failure(&err);
    if (!options->quiet)
        say("%s", err.message);
    return STATUS_FAILED;
}

static int print_policy(const struct options *options)
{
    struct sb_error err;
    struct sb_policy *policy;
    if (sb_policy_load(&policy, options->policy_directory, options->policy, &err) < 0) {
        say("%s", err.message);
        return STATUS_FAILED;
    }
    _cleanup_free_ char *json = sb_policy_json(policy);
    sb_policy_free(policy);
    if (json == NULL) {
        say("out of memory (policy)");
        return STATUS_FAILED;
    }
    puts(json);
    return 0;
}

static int act(const struct options *options)
{
    switch (options->action) {
    case ACTION_RUN:
        return run(options);
    case ACTION_DOCTOR:
        return doctor(options);
    case ACTION_SELFTEST:
        return selftest(options);
    case ACTION_LIST_POLICIES:
        return list_policies(options);
    case ACTION_PRINT_POLICY:
        return print_policy(options);
    case ACTION_VERSION:
        printf("sandbox-run %s\n", sb_version());
        return 0;
    case ACTION_HELP:
        options_usage(stdout);
        return 0;
    }
    return STATUS_FAILED;
}

int main(int argc, char **argv)
{
    bool closed[3];
    if (fill_standard_descriptors(closed) < 0)
        return STATUS_FAILED;
    if (is_set_id()) {
        say("refuses to run as a set-user-ID or set-group-ID program, as every caller would get "
            "those rights: remove them (chmod ug-s)");
        return STATUS_FAILED;
    }
    struct sb_error err;
    struct options options;
    int status = STATUS_FAILED;
    if (options_parse(&options, argc, argv, &err) < 0)
        say("%s; see sandbox-run --help", err.message);
    else if (closed[STDOUT_FILENO] && prints(&options))
        say("standard output is closed, and the result would be written to it: open it (>FILE)");
    else
        status = act(&options);
    options_free(&options);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        say("can't write standard output: %s", strerror(errno));
        status = STATUS_FAILED;
    }
    return status;
}
