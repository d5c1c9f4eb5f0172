/* Opens the socket of one address, TCP or UNIX. */
#include "serve/http/listen_open.h"

#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "common/error.h"
#include "common/util.h"
#include "serve/config/address.h"

enum { BACKLOG = 4096 }; /* the kernel lowers it to net.core.somaxconn */

static const char unix_prefix[] = "unix:";

struct listener *listener_add(struct listeners *listeners, struct sb_error *err)
{
    struct listener *more = reallocarray(listeners->list, listeners->count + 1, sizeof(*more));
    if (more == NULL) {
        sb_fail(err, "listen", 0, "out of memory (sockets)");
        return NULL;
    }
    listeners->list = more;
    struct listener *listener = &more[listeners->count++];
    *listener = (struct listener){.fd = -1};
    return listener;
}

/* ── TCP ────────────────────────────────────────────────────────────────────────────────────── */

bool listener_is_remote(const struct sockaddr *socket)
{
    struct address address;
    address_from_socket(&address, socket);
    return !address_is_loopback(&address);
}

int listener_check_reach(const struct sockaddr *socket, const char *where,
                         const struct listen_as *as, const struct config *config,
                         struct sb_error *err)
{
    if (as->harmless || !listener_is_remote(socket) || config->tokens != NULL || config->insecure)
        return 0;
    return sb_fail_field(err, "listen", as->option,
                         "%.100s can be reached from other hosts, where anybody could run code: "
                         "set --tokens FILE (sandbox-serve token add NAME makes one), or listen on "
                         "127.0.0.1, or allow it with --insecure",
                         where);
}

void listener_name_tcp(struct listener *listener, const char *scheme)
{
    struct sockaddr_storage bound = {0};
    socklen_t size = sizeof(bound);
    char text[ADDRESS_TEXT_SIZE];
    struct address address = {0};
    if (getsockname(listener->fd, (struct sockaddr *)&bound, &size) < 0)
        return;
    address_from_socket(&address, (struct sockaddr *)&bound);
    /* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign): getsockname has filled it in */
    in_port_t port = bound.ss_family == AF_INET6
                         ? ((struct sockaddr_in6 *)(void *)&bound)->sin6_port
                         : ((struct sockaddr_in *)(void *)&bound)->sin_port;
    bool brackets = address.family == AF_INET6;
    snprintf(listener->name, sizeof(listener->name), "%s://%s%s%s:%u", scheme, brackets ? "[" : "",
             address_text(&address, text), brackets ? "]" : "", ntohs(port));
}

static int bind_tcp(struct listener *listener, const struct addrinfo *where)
{
    static const int on = 1;
    int fd = socket(where->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    listener->fd = fd;
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (where->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    return bind(fd, where->ai_addr, where->ai_addrlen) < 0 ? -1 : listen(fd, BACKLOG);
}

static const char *tcp_remedy(int error)
{
    return error == EADDRINUSE      ? "; find the process that does: ss -ltnp"
           : error == EACCES        ? "; ports below 1024 need CAP_NET_BIND_SERVICE"
           : error == EADDRNOTAVAIL ? "; give an address of this host (ip address shows them)"
                                    : "";
}

static int open_tcp_at(struct listeners *listeners, const struct listen_as *as,
                       const struct config *config, const char *text, struct addrinfo *where,
                       struct sb_error *err)
{
    if (listener_check_reach(where->ai_addr, text, as, config, err) < 0)
        return -1;
    struct listener *listener = listener_add(listeners, err);
    if (listener == NULL)
        return -1;
    if (bind_tcp(listener, where) < 0)
        return sb_fail_field(err, "listen", as->option, "can't listen on %.100s: %s%s", text,
                             strerror(errno), tcp_remedy(errno));
    listener_name_tcp(listener, as->scheme);
    listener->remote = listener_is_remote(where->ai_addr);
    return 0;
}

/* The C library accepts larger numbers, modulo 65536. */
static bool port_valid(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return text[digits] == '\0' && digits > 0 && digits <= 5 && strtol(text, NULL, 10) <= 65535;
}

/* Splits "host:port" or "[host]:port" into its parts. */
static bool split(const char *text, char host[256], const char **port)
{
    const char *colon = strrchr(text, ':');
    if (colon == NULL || colon == text || !port_valid(colon + 1))
        return false;
    const char *begin = text, *end = colon;
    if (*begin == '[') {
        if (end[-1] != ']')
            return false;
        begin++;
        end--;
    } else if (memchr(begin, ':', (size_t)(end - begin)) != NULL) {
        return false; /* an IPv6 address without brackets, in which no port can be told */
    }
    size_t size = (size_t)(end - begin);
    if (size == 0 || size >= 256)
        return false;
    memcpy(host, begin, size);
    host[size] = '\0';
    *port = colon + 1;
    return true;
}

static int open_tcp(struct listeners *listeners, const struct listen_as *as,
                    const struct config *config, const char *text, struct sb_error *err)
{
    char host[256];
    const char *port;
    if (!split(text, host, &port))
        return sb_fail_field(err, "listen", as->option,
                             "'%.100s' is not an address to listen on: give HOST:PORT such as "
                             "127.0.0.1:8000 or [::1]:8000, or unix:PATH",
                             text);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found;
    int failed = getaddrinfo(host, port, &hints, &found);
    if (failed != 0)
        return sb_fail_field(err, "listen", as->option,
                             "can't listen on %.100s: %s; give HOST:PORT such as 127.0.0.1:8000",
                             text, gai_strerror(failed));
    int result = 0;
    for (struct addrinfo *one = found; one != NULL && result == 0; one = one->ai_next)
        result = open_tcp_at(listeners, as, config, text, one, err);
    freeaddrinfo(found);
    return result;
}

/* ── UNIX ───────────────────────────────────────────────────────────────────────────────────── */

/* Removes a socket file on which no process listens any more. */
static int remove_stale(const struct listen_as *as, const struct sockaddr_un *where,
                        struct sb_error *err)
{
    struct stat status;
    if (lstat(where->sun_path, &status) < 0)
        return errno == ENOENT
                   ? 0
                   : sb_fail(err, "listen", errno, "can't examine %.100s", where->sun_path);
    if (!S_ISSOCK(status.st_mode))
        return sb_fail_field(err, "listen", as->option,
                             "%.100s exists and is not a socket: remove it, or choose another path",
                             where->sun_path);
    _cleanup_close_ int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe >= 0 &&
        (connect(probe, (const struct sockaddr *)where, sizeof(*where)) == 0 || errno == EAGAIN))
        return sb_fail_field(err, "listen", as->option,
                             "another process listens on %.100s: stop it, or choose another path",
                             where->sun_path);
    if (unlink(where->sun_path) < 0 && errno != ENOENT)
        return sb_fail(err, "listen", errno, "can't remove the old socket %.100s", where->sun_path);
    return 0;
}

static int set_access(const char *path, const struct config *config, struct sb_error *err)
{
    if (config->socket_group != NULL) {
        const struct group *group = getgrnam(config->socket_group);
        if (group == NULL)
            return sb_fail_field(err, "listen", "socket-group",
                                 "there is no group '%.60s': create it, or name another",
                                 config->socket_group);
        if (chown(path, (uid_t)-1, group->gr_gid) < 0)
            return sb_fail(err, "listen", errno, "can't give %.100s to the group %.60s", path,
                           config->socket_group);
    }
    if (chmod(path, config->socket_mode) < 0)
        return sb_fail(err, "listen", errno, "can't set the mode of %.100s", path);
    return 0;
}

static int open_unix(struct listeners *listeners, const struct listen_as *as,
                     const struct config *config, const char *path, struct sb_error *err)
{
    struct sockaddr_un where = {.sun_family = AF_UNIX};
    if (*path != '/' || strlen(path) >= sizeof(where.sun_path))
        return sb_fail_field(err, "listen", as->option,
                             "unix: takes an absolute path of up to %zu bytes, not '%.100s'",
                             sizeof(where.sun_path) - 1, path);
    memcpy(where.sun_path, path, strlen(path) + 1);
    struct listener *listener = listener_add(listeners, err);
    if (listener == NULL || remove_stale(as, &where, err) < 0)
        return -1;
    listener->local = true;
    listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* No client may connect before owner and mode are set. */
    mode_t mask = umask(0777);
    int failed = bind(listener->fd, (struct sockaddr *)&where, sizeof(where));
    int saved = errno;
    umask(mask);
    if (failed < 0)
        return sb_fail_field(err, "listen", as->option, "can't listen on unix:%.100s: %s%s", path,
                             strerror(saved),
                             saved == ENOENT   ? "; create its directory first"
                             : saved == EACCES ? "; this user may not write to its directory"
                                               : "");
    struct stat status;
    listener->path = strdup(path);
    if (stat(path, &status) == 0) {
        listener->device = status.st_dev;
        listener->inode = status.st_ino;
    }
    snprintf(listener->name, sizeof(listener->name), "unix:%s", path);
    if (set_access(path, config, err) < 0)
        return -1;
    if (listen(listener->fd, BACKLOG) < 0)
        return sb_fail(err, "listen", errno, "can't listen on unix:%.100s", path);
    return 0;
}

/* ── Both ───────────────────────────────────────────────────────────────────────────────────── */

int listener_open(struct listeners *listeners, const struct listen_as *as, const char *text,
                  const struct config *config, struct sb_error *err)
{
    const size_t skip = sizeof(unix_prefix) - 1;
    return strncmp(text, unix_prefix, skip) == 0
               ? open_unix(listeners, as, config, text + skip, err)
               : open_tcp(listeners, as, config, text, err);
}
