/* A worker from its start to its end. Signals: SIGTERM and SIGINT let it serve on for --linger,
 * while it says that it is about to stop; then, or at a second one, it stops when its jobs have
 * ended or
 * --grace has passed; a further one kills its jobs at once. SIGHUP reads policies, tokens and
 * certificates again; each is kept as it was if the new one is wrong. */
#include "serve/server.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/error.h"
#include "common/util.h"
#include "serve/agent.h"
#include "serve/http/http.h"
#include "serve/jobs/service.h"
#include "serve/process/dontfork.h"

struct server {
    const struct server_setup *setup;
    struct loop *loop;
    struct service *service;
    struct http *http;
    struct watch signals;
    struct agent *agent; /* NULL: without --agent */
    struct timer linger, grace, alive;
    bool lingering, stopping, finishing;
    bool idle, empty; /* no job is left; no connection is left */
};

static void send_notice(struct server *server, enum notice notice)
{
    server->setup->notify(server->setup->user, notice);
}

/* ── Stopping ───────────────────────────────────────────────────────────────────────────────── */

static void stop_when_done(struct server *server)
{
    if (server->idle && server->empty)
        loop_stop(server->loop);
    else if (server->idle && !server->finishing)
        timer_set(&server->grace, LAST_ANSWERS_MS);
    server->finishing = server->finishing || server->idle;
}

static void service_idle(void *user)
{
    struct server *server = user;
    server->idle = true;
    stop_when_done(server);
}

static void http_empty(void *user)
{
    struct server *server = user;
    server->empty = true;
    stop_when_done(server);
}

/* Kills jobs, which get a verdict. If that has been done already, stops at once. */
static void kill_jobs(struct server *server, const char *why)
{
    if (server->finishing) {
        loop_stop(server->loop);
        return;
    }
    server->finishing = true;
    log_say(server->setup->log, LOG_NOTICE, "jobs that still run are killed: %s", why);
    timer_set(&server->grace, LAST_ANSWERS_MS);
    service_kill_jobs(server->service, "the service is being stopped");
}

static void grace_over(void *user)
{
    kill_jobs(user, "--grace has passed");
}

static void drain(void *user)
{
    struct server *server = user;
    server->stopping = true;
    timer_set(&server->linger, -1);
    log_say(server->setup->log, LOG_INFO, "stopping: no new requests are accepted");
    timer_set(&server->grace, server->setup->config->grace_ms);
    http_drain(server->http, http_empty, server);
    listeners_close(server->setup->listeners, server->setup->config->workers == 1);
    service_drain(server->service, service_idle, server);
}

/* Load balancers go on sending requests until they have seen that this service is about to stop. */
static void linger(struct server *server)
{
    int64_t linger_ms = server->setup->config->linger_ms;
    server->lingering = true;
    log_say(server->setup->log, LOG_INFO,
            "about to stop: requests are served for %" PRId64 ".%03" PRId64 " s more (--linger)",
            linger_ms / 1000, linger_ms % 1000);
    timer_set(&server->linger, linger_ms);
    http_close_answered(server->http);
    service_linger(server->service);
}

static void stop(struct server *server)
{
    if (server->stopping) {
        kill_jobs(server, "told to stop once more");
        return;
    }
    if (!server->lingering)
        send_notice(server, NOTICE_STOPPING);
    if (!server->lingering && server->setup->config->linger_ms > 0)
        linger(server);
    else
        drain(server);
}

/* ── Reloading ──────────────────────────────────────────────────────────────────────────────── */

static int reload_policies(struct server *server, struct sb_error *err)
{
    return service_reload(server->service, err);
}

static int reload_tokens(struct server *server, struct sb_error *err)
{
    return http_reload_tokens(server->http, err);
}

static int reload_tls(struct server *server, struct sb_error *err)
{
    return http_reload_tls(server->http, err);
}

static void warn_of_failure(const struct server *server, const char *what,
                            const struct sb_error *err)
{
    const struct log_field field = {.name = "worker", .number = (int64_t)server->setup->worker};
    char message[640];
    snprintf(message, sizeof(message),
             "the reload failed in worker %zu, which keeps the old %s: %s", server->setup->worker,
             what, err->message);
    log_record(server->setup->log, LOG_WARNING, message, &field, 1);
}

static void reload(struct server *server)
{
    static const struct {
        const char *what;
        int (*read)(struct server *server, struct sb_error *err);
    } parts[] = {
        {"policies", reload_policies}, {"tokens", reload_tokens}, {"certificates", reload_tls}};
    bool wrong = false;
    char error[256] = "";
    send_notice(server, NOTICE_RELOADING);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        struct sb_error err;
        if (parts[i].read(server, &err) == 0)
            continue;
        wrong = true;
        warn_of_failure(server, parts[i].what, &err);
        if (error[0] == '\0')
            snprintf(error, sizeof(error), "the old %s are kept: %.*s", parts[i].what, 200,
                     err.message);
    }
    metrics_reload(&server->setup->metrics[server->setup->worker], wrong ? error : NULL);
    log_say(server->setup->log, LOG_INFO, "policies, tokens and certificates %s",
            wrong ? "could not all be read again" : "were read again");
    send_notice(server, NOTICE_READY);
}

/* ── Beginning ──────────────────────────────────────────────────────────────────────────────── */

static void signal_ready(void *user, uint32_t events)
{
    (void)events;
    struct server *server = user;
    struct signalfd_siginfo info;
    if (read(server->signals.fd, &info, sizeof(info)) != sizeof(info))
        return;
    if (info.ssi_signo == SIGHUP)
        reload(server);
    else
        stop(server);
}

static void say_alive(void *user)
{
    struct server *server = user;
    send_notice(server, NOTICE_ALIVE);
    timer_set(&server->alive, server->setup->alive_ms);
}

static int open_watches(struct server *server, struct sb_error *err)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    server->signals =
        (struct watch){signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), signal_ready, server};
    if (server->signals.fd < 0 || loop_add(server->loop, &server->signals, EPOLLIN) < 0 ||
        timer_open(&server->linger, server->loop, drain, server) < 0 ||
        timer_open(&server->grace, server->loop, grace_over, server) < 0 ||
        timer_open(&server->alive, server->loop, say_alive, server) < 0)
        return sb_fail(err, "server", errno, "can't create descriptors for signals and timers");
    return 0;
}

static int open_server(struct server *server, struct sb_error *err)
{
    const struct server_setup *setup = server->setup;
    if (loop_open(&server->loop, err) < 0 || open_watches(server, err) < 0)
        return -1;
    if (log_attach(setup->log, server->loop, &setup->metrics[setup->worker].log_lost) < 0 ||
        (setup->manager != NULL && manager_attach(setup->manager, server->loop) < 0))
        return sb_fail(err, "server", errno, "can't create timers");
    const struct service_setup service = {.config = setup->config,
                                          .loop = server->loop,
                                          .log = setup->log,
                                          .uids = setup->uids,
                                          .metrics = setup->metrics,
                                          .worker = setup->worker,
                                          .seat = setup->seat};
    if (service_open(&server->service, &service, err) < 0)
        return -1;
    const struct http_setup http = {.config = setup->config,
                                    .loop = server->loop,
                                    .log = setup->log,
                                    .service = server->service,
                                    .metrics = &setup->metrics[setup->worker],
                                    .all_metrics = setup->metrics,
                                    .rates = setup->rates};
    if (http_open(&server->http, &http, err) < 0)
        return -1;
    service_know_tokens(server->service, http_tokens(server->http));
    if (http_listen(server->http, setup->listeners, err) < 0)
        return -1;
    const struct agent_setup agent = {.loop = server->loop,
                                      .service = server->service,
                                      .listeners = setup->agent_listeners,
                                      .metrics = setup->metrics,
                                      .workers = (size_t)setup->config->workers};
    return agent_open(&server->agent, &agent, err);
}

static void close_server(struct server *server)
{
    agent_close(server->agent);
    if (server->http != NULL)
        http_clients_leave(server->http);
    service_close(server->service);
    http_close(server->http);
    log_detach(server->setup->log);
    if (server->setup->manager != NULL)
        manager_detach(server->setup->manager);
    if (server->loop != NULL) {
        timer_close(&server->linger, server->loop);
        timer_close(&server->grace, server->loop);
        timer_close(&server->alive, server->loop);
        if (server->signals.fd >= 0)
            loop_remove(server->loop, &server->signals);
    }
    close_fd(&server->signals.fd);
    loop_close(server->loop);
}

void server_say_listening(const struct server_setup *setup)
{
    const struct listeners *agent = setup->agent_listeners;
    listeners_say(setup->listeners, setup->config, setup->log);
    for (size_t i = 0; i < agent->count; i++)
        log_say(setup->log, LOG_INFO, "answering agent checks on %s", agent->list[i].name);
}

int server_run(const struct server_setup *setup, struct sb_error *err)
{
    struct server server = {.setup = setup, .signals.fd = -1};
    dontfork_libraries();
    int result = open_server(&server, err);
    if (result == 0) {
        if (setup->config->workers == 1)
            server_say_listening(setup);
        send_notice(&server, NOTICE_READY);
        if (setup->alive_ms > 0)
            say_alive(&server);
        result = loop_run(server.loop, err);
    }
    close_server(&server);
    return result;
}
