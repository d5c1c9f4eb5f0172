/* The sockets to listen on: all of the configuration's, or those that systemd passes. Several
 * workers share each of them, and take connections in turn (accept.c). With SO_REUSEPORT, a socket
 * for each, the kernel would choose by a hash: of 64 connections, eight workers had 2 to 16. The
 * parent keeps the sockets open, too: when workers have died, waiting connections are there for the
 * next ones. */
#include "serve/http/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

#include "common/error.h"
#include "common/util.h"
#include "serve/http/listen_open.h"

/* ── systemd ────────────────────────────────────────────────────────────────────────────────── */

#ifdef HAVE_SYSTEMD
static int take_passed(struct listeners *listeners, const struct listen_as *as,
                       const struct config *config, int fd, struct sb_error *err)
{
    struct sockaddr_storage bound = {0};
    socklen_t size = sizeof(bound);
    struct listener *listener = listener_add(listeners, err);
    if (listener == NULL)
        return -1;
    listener->fd = fd;
    if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0 ||
        getsockname(fd, (struct sockaddr *)&bound, &size) < 0)
        return sb_fail(
            err, "listen", 0,
            "descriptor %d from systemd is not a socket that listens: use ListenStream= in "
            "the socket unit",
            fd);
    if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)
        return sb_fail(err, "listen", errno, "can't use descriptor %d from systemd", fd);
    listener->local = bound.ss_family == AF_UNIX;
    if (listener->local)
        snprintf(listener->name, sizeof(listener->name), "unix:%.100s",
                 ((struct sockaddr_un *)(void *)&bound)->sun_path);
    else
        listener_name_tcp(listener, as->scheme);
    listener->remote = !listener->local && listener_is_remote((struct sockaddr *)&bound);
    return listener->local
               ? 0
               : listener_check_reach((struct sockaddr *)&bound, listener->name, as, config, err);
}

static int passed_count(void)
{
    return sd_listen_fds(1);
}
#else
static int take_passed(struct listeners *listeners, const struct listen_as *as,
                       const struct config *config, int fd, struct sb_error *err)
{
    (void)listeners, (void)as, (void)config, (void)fd;
    return sb_fail(err, "listen", 0, "this sandbox-serve was built without libsystemd");
}

static int passed_count(void)
{
    return 0;
}
#endif

/* ── All ────────────────────────────────────────────────────────────────────────────────────── */

int listeners_open(struct listeners *listeners, const struct config *config, struct sb_error *err)
{
    enum { FIRST_PASSED = 3 }; /* SD_LISTEN_FDS_START */
    const struct listen_as as = {.option = "listen",
                                 .scheme = config->tls_cert != NULL ? "https" : "http"};
    *listeners = (struct listeners){0};
    int passed = passed_count();
    if (passed < 0)
        return sb_fail(err, "listen", -passed, "can't take the sockets from systemd");
    for (int i = 0; i < passed; i++)
        if (take_passed(listeners, &as, config, FIRST_PASSED + i, err) < 0)
            return -1;
    if (passed > 0)
        return 0;
    for (char **text = config->listen; *text != NULL; text++)
        if (listener_open(listeners, &as, *text, config, err) < 0)
            return -1;
    return 0;
}

/* One socket for all workers: connections are few and short, and any worker can answer them. Who
 * reaches it learns how busy the service is, and can do nothing. */
int listeners_open_agent(struct listeners *listeners, const struct config *config,
                         struct sb_error *err)
{
    static const struct listen_as as = {.option = "agent", .scheme = "tcp", .harmless = true};
    *listeners = (struct listeners){0};
    return config->agent == NULL ? 0 : listener_open(listeners, &as, config->agent, config, err);
}

/* sandbox-run --via sends no token to such a service. */
static void warn_of_clear_text(const struct listener *listener, const struct config *config,
                               struct log *log)
{
    if (listener->remote && config->tokens != NULL && config->tls_cert == NULL)
        log_say(log, LOG_WARNING,
                "tokens are sent to %s in clear text, and can be read and used by anybody on the "
                "way: set --tls-cert and --tls-key, or listen on 127.0.0.1 or a UNIX socket behind "
                "a proxy that ends TLS",
                listener->name);
}

/* Whether clients on a UNIX socket are told apart by more than a user id: by tokens, or by a
 * trusted proxy. */
static bool tells_local_apart(const struct config *config)
{
    bool trusted = config->tokens != NULL;
    for (char **net = config->trusted_proxies; net != NULL && *net != NULL; net++)
        trusted |= strcmp(*net, "unix") == 0;
    return trusted;
}

void listeners_say(const struct listeners *listeners, const struct config *config, struct log *log)
{
    const struct listener *local = NULL;
    for (size_t i = 0; i < listeners->count; i++) {
        const struct log_field field = {
            .name = "listen", .text = listeners->list[i].name, .detail = true};
        char message[256];
        snprintf(message, sizeof(message), "listening on %s", listeners->list[i].name);
        log_record(log, LOG_INFO, message, &field, 1);
        warn_of_clear_text(&listeners->list[i], config, log);
        if (local == NULL && listeners->list[i].local)
            local = &listeners->list[i];
    }
    if (local != NULL && !tells_local_apart(config))
        log_say(log, LOG_NOTICE,
                "on %s each user of this host counts as one client, and so do all clients of a "
                "proxy together, with one turn and one rate: if there is a proxy, start with "
                "--trusted-proxy unix, and let it send X-Forwarded-For",
                local->name);
}

void listeners_close(struct listeners *listeners, bool remove)
{
    for (size_t i = 0; i < listeners->count; i++) {
        struct listener *listener = &listeners->list[i];
        struct stat status;
        close_fd(&listener->fd);
        if (remove && listener->path != NULL && lstat(listener->path, &status) == 0 &&
            status.st_dev == listener->device && status.st_ino == listener->inode)
            unlink(listener->path);
        free(listener->path);
    }
    free(listeners->list);
    *listeners = (struct listeners){0};
}
