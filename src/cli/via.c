/* A run through a service, see via.h: one request, whose output comes as the script writes it (with
 * --json one answer at the end), and the same words and statuses as a local run has. Nothing blocks
 * but poll once the request is on its way. */
#include "cli/via.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>

#include "cli/cases.h"
#include "cli/collect_into.h"
#include "cli/http_client.h"
#include "cli/message.h"
#include "cli/presenter.h"
#include "cli/status.h"
#include "cli/via_answer.h"
#include "common/util.h"

enum { UNAUTHORIZED = 401 };

struct via {
    struct presenter presenter;
    struct http_client client;
    bool streams;          /* output has begun to come in events */
    bool over;             /* the verdict has been given */
    struct case_run cases; /* with --cases */
};

/* ── The answer ─────────────────────────────────────────────────────────────────────────────── */

static void give_output(struct via *via, const struct sb_verdict *verdict)
{
    for (int i = 0; i < SB_STREAMS; i++)
        relay_put(&via->presenter.streams[i], verdict->text[i], verdict->text_size[i]);
}

static int refused(const struct via *via, const char *refusal, struct sb_error *err)
{
    if (via->client.status == UNAUTHORIZED)
        return fail(err, "via", "the service at %s: %s; set the token in SANDBOX_TOKEN",
                    via->client.shown, refusal);
    return fail(err, "via", "%s", refusal);
}

static int not_a_verdict(const struct via *via, struct sb_error *err)
{
    return fail(err, "via",
                "the answer of %s is not a verdict (HTTP status %d): give the address of "
                "sandbox-serve itself",
                via->client.shown, via->client.status);
}

static int take_event(struct via *via, const char *line, size_t size, struct sb_error *err)
{
    struct answer answer;
    int result = event_read(&answer, line, size);
    if (result < 0)
        not_a_verdict(via, err);
    else if (answer.is_verdict)
        presenter_verdict(&via->presenter, &answer.verdict);
    else if (answer.is_display)
        presenter_display(&via->presenter, line, size);
    else
        give_output(via, &answer.verdict);
    via->streams = true;
    via->over = result == 0 && answer.is_verdict;
    answer_free(&answer);
    return result;
}

/* Takes the events that have come. A line without an object only says that the service is there. */
static int take_events(struct via *via, struct sb_error *err)
{
    size_t size;
    const char *line;
    while (!via->over && (line = http_line(&via->client, &size)) != NULL) {
        if (size > 0 && take_event(via, line, size, err) < 0)
            return -1;
        http_drop_line(&via->client);
    }
    if (via->over)
        http_close(&via->client);
    return 0;
}

static int take_cases(struct via *via, const char *body, size_t size, struct sb_error *err)
{
    _cleanup_free_ char *refusal = NULL;
    if (cases_take_answer(&via->cases, body, size, &refusal) < 0)
        return not_a_verdict(via, err);
    if (refusal != NULL)
        return refused(via, refusal, err);
    cases_finish(&via->cases);
    via->over = true;
    http_close(&via->client);
    return 0;
}

static int take_answer(struct via *via, struct sb_error *err)
{
    size_t size;
    const char *body = http_body(&via->client, &size);
    struct answer answer;
    if (via->over)
        return 0;
    if (via->presenter.options->cases != NULL)
        return take_cases(via, body, size, err);
    if (via->streams)
        return fail(err, "via",
                    "the service at %s closed the connection before the verdict; see its log",
                    via->client.shown);
    int result = answer_read(&answer, body, size);
    if (result < 0) {
        not_a_verdict(via, err);
    } else if (answer.refusal != NULL) {
        result = refused(via, answer.refusal, err);
    } else {
        if (!via->presenter.options->json)
            give_output(via, &answer.verdict);
        presenter_verdict(&via->presenter, &answer.verdict);
        via->over = true;
    }
    answer_free(&answer);
    http_close(&via->client);
    return result;
}

/* ── Signals ────────────────────────────────────────────────────────────────────────────────── */

/* The service kills a job whose client leaves. Its verdict does not arrive any more, so this one is
 * made here. */
static void give_up(struct via *via)
{
    char reason[INTERRUPTED_SIZE];
    struct sb_verdict verdict =
        sb_verdict_unstarted("", interrupted(reason, via->presenter.signal));
    verdict.word = SB_SIGNAL;
    verdict.signal = via->presenter.signal;
    http_close(&via->client);
    via->presenter.killed = true;
    via->over = true;
    if (via->presenter.options->cases != NULL) {
        for (size_t i = 0; i < via->cases.cases.count; i++)
            cases_left_out(&via->cases, i, reason);
        cases_finish(&via->cases);
        via->presenter.status = STATUS_SIGNAL + via->presenter.signal;
        return;
    }
    presenter_verdict(&via->presenter, &verdict);
}

/* Whether a signal came. Afterwards nothing is waited for. */
static bool signalled(struct via *via)
{
    struct signalfd_siginfo info;
    if (read(via->presenter.signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
        return false;
    via->presenter.signal = (int)info.ssi_signo;
    if (!via->over)
        give_up(via);
    return true;
}

/* ── The loop ───────────────────────────────────────────────────────────────────────────────── */

static int converse(struct via *via, struct sb_error *err)
{
    struct presenter *presenter = &via->presenter;
    while (!via->over || presenter_waits(presenter)) {
        struct pollfd ready[] = {
            {.fd = presenter->signals, .events = POLLIN},
            {.fd = via->client.fd, .events = http_events(&via->client)},
            {.fd = relay_fd(&presenter->streams[SB_STDOUT]), .events = POLLOUT},
            {.fd = relay_fd(&presenter->streams[SB_STDERR]), .events = POLLOUT},
        };
        if (poll(ready, ARRAY_LEN(ready), -1) < 0 && errno != EINTR)
            return fail(err, "", "can't wait for the service: %s", strerror(errno));
        if (ready[0].revents != 0 && signalled(via))
            return 0;
        int turned = ready[1].revents != 0 ? http_turn(&via->client, err) : 0;
        if (turned < 0 || take_events(via, err) < 0 || (turned > 0 && take_answer(via, err) < 0))
            return -1;
        for (int i = 0; i < SB_STREAMS; i++)
            if (ready[2 + i].revents != 0)
                relay_flush(&presenter->streams[i]);
    }
    return 0;
}

/* Policies are the service's own, by name. */
static int check_policy(const struct options *options, struct sb_error *err)
{
    const char *name = options->policy, *dot = strrchr(name, '.');
    if (strchr(name, '/') == NULL && (dot == NULL || strcmp(dot, ".json") != 0))
        return 0;
    return fail(err, "policy",
                "--policy %s is a file of this host, which --via does not send: give the name of "
                "one of the service's policies",
                name);
}

static int check_token(const char *token, struct sb_error *err)
{
    for (; token != NULL && *token != '\0'; token++)
        if (*token <= ' ' || *token > '~')
            return fail(err, "via",
                        "SANDBOX_TOKEN holds characters that no token has: set it to "
                        "what `sandbox-serve token add` printed");
    return 0;
}

/* Before signals are taken, one ends this process like any other: there is no job yet. */
static int ask(struct via *via, struct sb_error *err)
{
    const struct options *options = via->presenter.options;
    struct http_address address;
    size_t size;
    if (http_address_parse(&address, options->via, err) < 0 || check_policy(options, err) < 0 ||
        check_token(options->token, err) < 0)
        return -1;
    if (options->cases != NULL && cases_open(&via->cases, &via->presenter, err) < 0)
        return -1;
    _cleanup_free_ char *body = via_request(options, via->cases.text, &size, err);
    if (body == NULL || presenter_open_meta(&via->presenter, err) < 0 ||
        collect_open(&via->presenter, err) < 0 || http_connect(&via->client, &address, err) < 0 ||
        http_post(&via->client, &address, "/run", options->token, body, size,
                  !options->json && options->cases == NULL, err) < 0)
        return -1;
    return presenter_take_signals(&via->presenter, err);
}

int run_via(const struct options *options, struct sb_error *err)
{
    struct via via = {.client.fd = -1, .cases.junit = -1};
    presenter_open(&via.presenter, options);
    int status = ask(&via, err);
    if (status == 0)
        status = converse(&via, err);
    if (status == 0)
        status = presenter_status(&via.presenter, via.over);
    http_close(&via.client);
    cases_close(&via.cases);
    presenter_close(&via.presenter);
    return status;
}
