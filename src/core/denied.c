/* Answers refused calls that are to be reported, and counts them. The kernel makes the caller wait
 * until we have read its call and arguments (seccomp_unotify(2)), and then returns the errno that
 * we send: the one that the filter alone would have given.
 *
 * We read arguments as numbers. Pointers lead into the job's memory, which may change at any time:
 * we never read it, and decide nothing by it.
 *
 * A job can make refused calls without end, and each call wakes us up; many jobs that make a few
 * each do the same. So the first calls are answered at once. Further ones are answered so seldom
 * that all jobs together take next to nothing of our time. The job waits meanwhile, and its time
 * runs. */
#include "core/denied.h"

#include <limits.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "common/util.h"
#include "core/filters.h"
#include "core/sources.h"
#include "seccomp/seccomp.h"
#include "seccomp/seccomp_profile.h"

enum {
    CALLS_MAX = 32, /* kinds of calls that are counted apart */
    TEXT_SIZE = 256,
};

/* Jobs that have not had to wait yet share one budget: AT_ONCE answers, refilled by one each
 * PAUSE_US. Jobs that have had to wait share another: one answer each PAUSE_US, in turn. */
#define AT_ONCE 256
#define PAUSE_US INT64_C(1000)

struct call {
    int nr;
    const struct seccomp_rule *rule; /* NULL: the profile cannot be read any more */
    uint32_t value;                  /* of the argument that is reported */
    int64_t count;
};

struct denied {
    struct call calls[CALLS_MAX];
    size_t count;
    int64_t others;
    bool seldom;
    int64_t resume_us; /* 0: nothing waits */
    struct sb_denied list[CALLS_MAX + 1];
    char text[CALLS_MAX][TEXT_SIZE];
};

/* ── The listener ──────────────────────────────────────────────────────────────────────────── */

/* Waiting and later calls return ENOSYS from then on. */
static void lose(struct sb_run *run)
{
    source_close(run, SOURCE_DENIED);
    run->process.listener = LISTENER_LOST;
}

void denied_begin(struct sb_run *run, int listener)
{
    source_close(run, SOURCE_DENIED);
    run->process.fd[SOURCE_DENIED] = listener;
    run->process.listener = listener == FD_DROPPED ? LISTENER_UNNEEDED : LISTENER_HELD;
    if (listener == FD_DROPPED)
        run->process.fd[SOURCE_DENIED] = -1;
    else if (listener < 0 || (run->listened && source_watch(run, SOURCE_DENIED, EPOLLIN) < 0))
        lose(run);
}

/* On a cold start pid 1 sends the listener, or closes the socket without sending one. */
static void receive_listener(struct sb_run *run)
{
    int listener;
    char byte = 0;
    ssize_t n =
        message_receive(run->process.fd[SOURCE_DENIED], &byte, sizeof(byte), true, &listener);
    if (n >= 0 || (errno != EAGAIN && errno != EINTR))
        denied_begin(run, listener);
}

/* ── Counting ──────────────────────────────────────────────────────────────────────────────── */

/* The part of an argument's value that is reported. */
static uint32_t told_value(const struct seccomp_report *report, const struct seccomp_data *call)
{
    uint32_t value = (uint32_t)call->args[report->arg], known = 0;
    for (size_t i = 0; i < report->names_count; i++)
        known |= report->names[i].value;
    return report->names == NULL ? 0 : report->flags ? value & known : value;
}

static void count(struct denied *denied, const struct filter *filter,
                  const struct seccomp_data *call)
{
    const struct seccomp_profile *profile = filter->names;
    const struct seccomp_rule *rule =
        profile != NULL ? seccomp_profile_decides(profile, call) : NULL;
    uint32_t value = rule != NULL ? told_value(&profile->groups[rule->group].report, call) : 0;
    size_t i = 0;
    while (i < denied->count && (denied->calls[i].nr != call->nr || denied->calls[i].rule != rule ||
                                 denied->calls[i].value != value))
        i++;
    if (i == CALLS_MAX) {
        denied->others++;
        return;
    }
    if (i == denied->count)
        denied->calls[denied->count++] =
            (struct call){.nr = call->nr, .rule = rule, .value = value};
    denied->calls[i].count++;
}

/* ── Answering ─────────────────────────────────────────────────────────────────────────────── */

static bool waits(int listener)
{
    struct pollfd call = {.fd = listener, .events = POLLIN};
    return poll(&call, 1, 0) > 0 && (call.revents & POLLIN) != 0;
}

/* SECCOMP_IOCTL_NOTIF_RECV would block without a waiting call, so ask first: a call that was there
 * then counts as one even if its caller has died since. ENOENT: its caller died, or a signal
 * interrupted the call. */
static int answer_one(int listener, struct denied *denied, const struct filter *filter)
{
    struct seccomp_notif call = {0};
    if (!waits(listener))
        return 0;
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0)
        return errno == ENOENT || errno == EINTR ? 0 : -1;
    uint32_t action = filter_run(&filter->program, &call.data);
    bool reported = (action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_USER_NOTIF;
    struct seccomp_notif_resp answer = {
        .id = call.id, .error = reported ? -(int)(action & SECCOMP_RET_DATA) : -EPERM};
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer) < 0 && errno != ENOENT)
        return -1;
    count(denied, filter, &call.data);
    return 0;
}

/* Takes an answer from the budget of those given at once. False: none is left. */
static bool take_answer(struct sb_sandbox *sandbox)
{
    int64_t now_us = monotonic_us();
    int64_t next_us = MAX(sandbox->denied_next_us, now_us - AT_ONCE * PAUSE_US) + PAUSE_US;
    if (next_us > now_us)
        return false;
    sandbox->denied_next_us = next_us;
    return true;
}

/* The more jobs have to wait, the longer each waits. */
static void answer_seldom(struct sb_run *run)
{
    struct denied *denied = run->denied;
    run->sandbox->denied_seldom += !denied->seldom;
    denied->seldom = true;
    denied->resume_us = monotonic_us() + PAUSE_US * (int64_t)run->sandbox->denied_seldom;
    source_watch(run, SOURCE_DENIED, 0);
}

bool denied_ready(struct sb_run *run, uint32_t events)
{
    if (run->phase >= RUN_DEAD)
        return false;
    if (run->process.listener == LISTENER_AWAITED) {
        receive_listener(run);
        return false;
    }
    if ((events & EPOLLIN) == 0) { /* the last process behind the filter has ended */
        source_close(run, SOURCE_DENIED);
        return false;
    }
    const struct filter *filter = filter_reporting(run->sandbox, run->asked.policy);
    if (run->denied == NULL)
        run->denied = calloc(1, sizeof(*run->denied));
    if (run->denied == NULL || filter == NULL ||
        answer_one(run->process.fd[SOURCE_DENIED], run->denied, filter) < 0)
        lose(run);
    else if (run->denied->seldom || !take_answer(run->sandbox)) {
        answer_seldom(run);
        return true;
    }
    return false;
}

int64_t denied_left(const struct sb_run *run, int64_t now_us)
{
    if (run->denied == NULL || run->denied->resume_us == 0)
        return INT64_MAX;
    return run->denied->resume_us > now_us ? run->denied->resume_us - now_us : 1;
}

void denied_resume(struct sb_run *run)
{
    if (denied_left(run, monotonic_us()) > 1)
        return;
    run->denied->resume_us = 0;
    if (source_watch(run, SOURCE_DENIED, EPOLLIN) < 0)
        lose(run);
}

/* ── Telling ───────────────────────────────────────────────────────────────────────────────── */

__attribute__((format(printf, 2, 3))) static void add(char *text, const char *format, ...)
{
    size_t used = strlen(text);
    va_list args;
    va_start(args, format);
    vsnprintf(text + used, TEXT_SIZE - used, format, args);
    va_end(args);
}

/* Writes a call's text, such as "mount", "socket(AF_NETLINK)", "unshare(CLONE_NEWUSER|CLONE_NEWNS)"
 * or "socket(46)". */
static void say(char *text, const struct call *call, const struct seccomp_profile *profile)
{
    text[0] = '\0';
    if (call->rule == NULL || profile == NULL) {
        add(text, "call %d", call->nr);
        return;
    }
    const struct seccomp_report *report = &profile->groups[call->rule->group].report;
    bool named = false;
    add(text, "%s", call->rule->name);
    for (size_t i = 0; i < report->names_count; i++) {
        uint32_t value = report->names[i].value;
        if (report->flags ? (call->value & value) == value : call->value == value) {
            add(text, "%s%s", named ? "|" : "(", report->names[i].text);
            named = true;
        }
    }
    if (named)
        add(text, ")");
    else if (report->names != NULL && !report->flags)
        add(text, "(%u)", call->value);
}

int64_t denied_list(const struct sb_run *run, const struct sb_denied **list)
{
    struct denied *denied = run->denied;
    *list = NULL;
    if (denied == NULL)
        return run->process.listener == LISTENER_LOST ? -1 : 0;
    const struct filter *filter = filter_reporting(run->sandbox, run->asked.policy);
    size_t count = 0;
    for (; count < denied->count; count++) {
        say(denied->text[count], &denied->calls[count], filter != NULL ? filter->names : NULL);
        denied->list[count] =
            (struct sb_denied){.call = denied->text[count], .count = denied->calls[count].count};
    }
    if (denied->others > 0)
        denied->list[count] = (struct sb_denied){.call = "others", .count = denied->others};
    count += denied->others > 0;
    *list = denied->list;
    return (int64_t)count;
}

void denied_free(struct sb_run *run)
{
    if (run->denied != NULL && run->denied->seldom)
        run->sandbox->denied_seldom--;
    free(run->denied);
    run->denied = NULL;
}
