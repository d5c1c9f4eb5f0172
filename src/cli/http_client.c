/* See http_client.h. The answer is treated as a stranger's: sizes are counted,
 * nothing is believed. */
#include "cli/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "cli/message.h"
#include "common/util.h"

#define TYPE_LINES "application/x-ndjson"

enum { HEAD_MOST = 64 * 1024, STANDARD_PORT = 80 };

/* ── Addresses ──────────────────────────────────────────────────────────────────────────────── */

static int parse_unix(struct http_address *address, const char *path, struct sb_error *err)
{
    struct sockaddr_un *to = (struct sockaddr_un *)&address->socket;
    if (path[0] != '/' || strlen(path) >= sizeof(to->sun_path))
        return fail(err, "via",
                    "--via %s: the path of a socket is absolute and has at most %zu bytes",
                    address->shown, sizeof(to->sun_path) - 1);
    to->sun_family = AF_UNIX;
    memcpy(to->sun_path, path, strlen(path));
    address->size = sizeof(*to);
    snprintf(address->host, sizeof(address->host), "localhost");
    return 0;
}

static bool parse_port(const char *text, in_port_t *port)
{
    long number = STANDARD_PORT;
    if (*text != '\0') {
        char *end;
        if (*text != ':' || text[1] < '0' || text[1] > '9')
            return false;
        number = strtol(text + 1, &end, 10);
        if (*end != '\0')
            return false;
    }
    *port = htons((uint16_t)number);
    return number > 0 && number <= UINT16_MAX;
}

/* The address without its port, which is `rest`; brackets around one with colons. */
static bool parse_loopback(struct http_address *address, char *host, const char **rest)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)&address->socket;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address->socket;
    bool brackets = host[0] == '[';
    char *end = brackets ? strchr(host, ']') : host + strcspn(host, ":");
    if (end == NULL)
        return false;
    *rest = address->host + (end - host) + (brackets ? 1 : 0);
    *end = '\0';
    if (brackets) {
        v6->sin6_family = AF_INET6;
        address->size = sizeof(*v6);
        return inet_pton(AF_INET6, host + 1, &v6->sin6_addr) == 1 &&
               IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
    }
    v4->sin_family = AF_INET;
    address->size = sizeof(*v4);
    const char *number = strcasecmp(host, "localhost") == 0 ? "127.0.0.1" : host;
    return inet_pton(AF_INET, number, &v4->sin_addr) == 1 &&
           ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

/* A token that leaves the host by http can be read on the way. */
static int parse_http(struct http_address *address, const char *text, struct sb_error *err)
{
    char host[sizeof(address->host)];
    size_t size = strcspn(text, "/");
    const char *rest;
    in_port_t port;
    if (size >= sizeof(host) || (text[size] == '/' && text[size + 1] != '\0'))
        return fail(err, "via", "--via %s: write http://127.0.0.1:PORT, without a path",
                    address->shown);
    snprintf(address->host, sizeof(address->host), "%.*s", (int)size, text);
    memcpy(host, address->host, sizeof(host));
    if (!parse_loopback(address, host, &rest))
        return fail(err, "via",
                    "--via %s: http is not encrypted, so the service must be on this host: "
                    "http://127.0.0.1:PORT, http://[::1]:PORT or unix:/PATH; for another host use "
                    "a tunnel, such as ssh -L",
                    address->shown);
    if (!parse_port(rest, &port))
        return fail(err, "via", "--via %s: a port is a number from 1 to 65535", address->shown);
    if (address->size == sizeof(struct sockaddr_in6))
        ((struct sockaddr_in6 *)&address->socket)->sin6_port = port;
    else
        ((struct sockaddr_in *)&address->socket)->sin_port = port;
    return 0;
}

int http_address_parse(struct http_address *address, const char *text, struct sb_error *err)
{
    static const char local[] = "unix:", http[] = "http://";
    *address = (struct http_address){.shown = text};
    if (strncmp(text, local, strlen(local)) == 0)
        return parse_unix(address, text + strlen(local), err);
    if (strncasecmp(text, http, strlen(http)) == 0)
        return parse_http(address, text + strlen(http), err);
    return fail(err, "via", "--via takes unix:/PATH or http://127.0.0.1:PORT, not '%s'", text);
}

/* ── Asking ─────────────────────────────────────────────────────────────────────────────────── */

int http_connect(struct http_client *client, const struct http_address *address,
                 struct sb_error *err)
{
    *client = (struct http_client){.fd = -1, .shown = address->shown};
    _cleanup_close_ int fd = socket(address->socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int result =
        fd < 0 ? -1 : connect(fd, (const struct sockaddr *)&address->socket, address->size);
    if (result == 0) {
        client->fd = steal_fd(&fd);
        return 0;
    }
    return fail(err, "via", "no service answers at %s: %s; %s", address->shown, strerror(errno),
                errno == EACCES
                    ? "only members of its socket's group may connect: see --socket-group in "
                      "sandbox-serve(8)"
                    : "start sandbox-serve there, or leave out --via to run the script without it");
}

int http_post(struct http_client *client, const struct http_address *address, const char *path,
              const char *token, const char *body, size_t size, bool lines, struct sb_error *err)
{
    /* By HTTP/1.0 lines come as they are, not in chunks. */
    int head =
        asprintf(&client->request,
                 "POST %s HTTP/1.%d\r\nHost: %s\r\nConnection: close\r\n%s"
                 "Content-Type: application/json\r\nContent-Length: %zu\r\n%s%s%s\r\n",
                 path, lines ? 0 : 1, address->host, lines ? "Accept: " TYPE_LINES "\r\n" : "",
                 size, token != NULL ? "Authorization: Bearer " : "", token != NULL ? token : "",
                 token != NULL ? "\r\n" : "");
    char *whole = head < 0 ? NULL : realloc(client->request, (size_t)head + size);
    if (whole == NULL) {
        if (head < 0)
            client->request = NULL; /* asprintf leaves it undefined */
        return fail(err, "", "out of memory (request)");
    }
    memcpy(whole + head, body, size);
    client->request = whole;
    client->request_size = (size_t)head + size;
    return 0;
}

short http_events(const struct http_client *client)
{
    return client->sent < client->request_size ? POLLIN | POLLOUT : POLLIN;
}

/* A service that refuses may close its end before it has read everything; its answer can still be
 * read.
 */
static void send_some(struct http_client *client)
{
    while (client->sent < client->request_size) {
        ssize_t n = send(client->fd, client->request + client->sent,
                         client->request_size - client->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        client->sent = n < 0 ? client->request_size : client->sent + (size_t)n;
    }
}

/* ── The answer ─────────────────────────────────────────────────────────────────────────────── */

static int not_http(const struct http_client *client, struct sb_error *err)
{
    return fail(err, "via",
                "the server at %s is not sandbox-serve: give the address of the service itself",
                client->shown);
}

/* The value of a header, which ends at the end of the line, or NULL. */
static const char *find_header(const char *head, const char *name)
{
    size_t size = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, size) == 0 && line[size] == ':')
            return line + size + 1 + strspn(line + size + 1, " \t");
    }
    return NULL;
}

/* The header, once it is all there; those of answers that another one follows (1xx) are dropped. */
static int read_head(struct http_client *client, struct sb_error *err)
{
    char *end;
    while (client->head_size == 0 && client->answer != NULL &&
           (end = strstr(client->answer, "\r\n\r\n")) != NULL) {
        size_t size = (size_t)(end + 4 - client->answer);
        char minor;
        end[2] = '\0'; /* the last line of the header ends where its lines are looked for */
        if (sscanf(client->answer, "HTTP/1.%c %3d ", &minor, &client->status) != 2)
            return not_http(client, err);
        if (client->status < 200) {
            memmove(client->answer, client->answer + size, client->answer_size - size + 1);
            client->answer_size -= size;
            continue;
        }
        const char *length = find_header(client->answer, "Content-Length");
        char *behind = NULL;
        errno = 0;
        client->body_size = length != NULL ? strtoull(length, &behind, 10) : SIZE_MAX;
        if (find_header(client->answer, "Transfer-Encoding") != NULL || errno != 0 ||
            (length != NULL && (*length < '0' || *length > '9' || *behind != '\r')))
            return not_http(client, err);
        client->head_size = size;
    }
    return client->head_size == 0 && client->answer_size > HEAD_MOST ? not_http(client, err) : 0;
}

static int make_room(struct http_client *client, struct sb_error *err)
{
    if (client->allocated - client->answer_size > 4096)
        return 0;
    size_t more = client->allocated * 2 + 16 * 1024;
    char *larger = realloc(client->answer, more);
    if (larger == NULL)
        return fail(err, "", "out of memory (answer): lower --output");
    client->answer = larger;
    client->allocated = more;
    return 0;
}

static bool is_whole(const struct http_client *client)
{
    return client->head_size > 0 && client->body_size != SIZE_MAX &&
           client->answer_size - client->head_size >= client->body_size;
}

static int ended_early(struct http_client *client, int errnum, struct sb_error *err)
{
    if (errnum == 0 && client->head_size > 0 && client->body_size == SIZE_MAX)
        return 1;
    return fail(err, "via",
                "the service at %s closed the connection before it answered%s%s; see its log",
                client->shown, errnum != 0 ? ": " : "", errnum != 0 ? strerror(errnum) : "");
}

int http_turn(struct http_client *client, struct sb_error *err)
{
    send_some(client);
    while (!is_whole(client)) {
        if (make_room(client, err) < 0)
            return -1;
        ssize_t n = recv(client->fd, client->answer + client->answer_size,
                         client->allocated - client->answer_size - 1, MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            return 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ended_early(client, n < 0 ? errno : 0, err);
        client->answer_size += (size_t)n;
        client->answer[client->answer_size] = '\0';
        if (read_head(client, err) < 0)
            return -1;
    }
    client->answer[client->head_size + client->body_size] = '\0';
    return 1;
}

const char *http_body(const struct http_client *client, size_t *size)
{
    size_t there = client->answer_size - client->head_size;
    *size = client->body_size < there ? client->body_size : there;
    return client->answer + client->head_size;
}

const char *http_line(struct http_client *client, size_t *size)
{
    if (client->head_size == 0 || client->status != 200)
        return NULL;
    const char *type = find_header(client->answer, "Content-Type");
    if (type == NULL || strncmp(type, TYPE_LINES, strlen(TYPE_LINES)) != 0)
        return NULL;
    size_t there;
    const char *body = http_body(client, &there);
    const char *newline = memchr(body + client->searched, '\n', there - client->searched);
    client->searched = newline != NULL ? (size_t)(newline - body) : there;
    *size = client->searched;
    return newline != NULL ? body : NULL;
}

void http_drop_line(struct http_client *client)
{
    size_t drop = client->searched + 1, from = client->head_size + drop;
    memmove(client->answer + client->head_size, client->answer + from,
            client->answer_size - from + 1);
    client->answer_size -= drop;
    client->searched = 0;
}

void http_close(struct http_client *client)
{
    close_fd(&client->fd);
    free(client->request);
    free(client->answer);
    *client = (struct http_client){.fd = -1};
}
