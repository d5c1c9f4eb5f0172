/* See redis_address.h. */
#include "serve/store/redis_address.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "common/error.h"
#include "common/util.h"
#include "serve/config/address.h"

#define FORM "redis://[USER:PASSWORD@]HOST[:PORT][/DB], rediss://… or redis+unix:///PATH"

static int wrong(struct sb_error *err, const char *what)
{
    return sb_fail_field(err, "store", "store", "--store: %s: write " FORM, what);
}

static int no_memory(struct sb_error *err)
{
    return sb_fail(err, "store", ENOMEM, "out of memory (--store)");
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;
    return at != NULL ? (int)((at - digits) % 16) : -1;
}

/* A copy with each %XX replaced; NULL: out of memory, or it is not well-formed. */
static char *decoded(const char *text, size_t size)
{
    char *copy = malloc(size + 1), *to = copy;
    for (size_t i = 0; copy != NULL && i < size; i++) {
        int high = i + 2 < size ? hex_digit(text[i + 1]) : -1;
        int low = i + 2 < size ? hex_digit(text[i + 2]) : -1;
        if (text[i] != '%') {
            *to++ = text[i];
        } else if (high < 0 || low < 0 || (high == 0 && low == 0)) {
            free(copy);
            return NULL;
        } else {
            *to++ = (char)(high * 16 + low);
            i += 2;
        }
    }
    if (copy != NULL)
        *to = '\0';
    return copy;
}

static void replace(char **old, char *new)
{
    free(*old);
    *old = new;
}

/* ── Parts of an address ─────────────────────────────────────────────────────────────────────── */

struct parts {
    const char *text;
    size_t size;
};

static bool is(const struct parts *part, const char *name)
{
    return part->size == strlen(name) && memcmp(part->text, name, part->size) == 0;
}

static int read_database(struct redis_address *address, const char *text, struct sb_error *err)
{
    char *end;
    errno = 0;
    long number = strtol(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || number > 65535)
        return wrong(err, "the database is not a number from 0 to 65535");
    address->database = (int)number;
    return 0;
}

/* The first line of a file; NULL with errno. */
static char *first_line(const char *path)
{
    char text[1024];
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    ssize_t size = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
    if (size < 0)
        return NULL;
    text[size] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    char *line = strdup(text);
    explicit_bzero(text, sizeof(text));
    return line;
}

static void replace_password(struct redis_address *address, char *password)
{
    if (address->password != NULL)
        explicit_bzero(address->password, strlen(address->password));
    replace(&address->password, password);
}

static int read_password_file(struct redis_address *address, const char *path, struct sb_error *err)
{
    char *password = first_line(path);
    if (password == NULL)
        return sb_fail_field(err, "store", "store",
                             "--store: can't read password-file %.200s: %s; name a file that the "
                             "service's user may read",
                             path, strerror(errno));
    replace_password(address, password);
    replace(&address->password_file, strdup(path));
    return address->password_file != NULL ? 0 : no_memory(err);
}

void redis_address_renew(struct redis_address *address)
{
    char *password = address->password_file != NULL ? first_line(address->password_file) : NULL;
    if (password != NULL)
        replace_password(address, password);
}

struct parameters {
    bool insecure;
};

static int read_parameter(struct redis_address *address, struct parameters *parameters,
                          const struct parts *name, const char *value, struct sb_error *err)
{
    if (is(name, "db"))
        return read_database(address, value, err);
    if (is(name, "password-file"))
        return read_password_file(address, value, err);
    if (is(name, "insecure") && strcmp(value, "yes") == 0) {
        parameters->insecure = true;
        return 0;
    }
    char **text = is(name, "prefix")               ? &address->prefix
                  : is(name, "user")               ? &address->user
                  : is(name, "ca") && address->tls ? &address->ca
                                                   : NULL;
    if (text == NULL)
        return wrong(err, "an unknown parameter; there are prefix, db, user, password-file, "
                          "insecure=yes, and with rediss: ca");
    if (text == &address->prefix && (*value == '\0' || strpbrk(value, "{}") != NULL))
        return wrong(err, "prefix must not be empty or have braces");
    replace(text, strdup(value));
    return *text != NULL ? 0 : no_memory(err);
}

static int read_parameters(struct redis_address *address, struct parameters *parameters,
                           const char *text, struct sb_error *err)
{
    while (*text != '\0') {
        size_t size = strcspn(text, "&"), name = strcspn(text, "=&");
        const struct parts part = {text, name};
        if (name == size)
            return wrong(err, "a parameter has no value");
        _cleanup_free_ char *value = decoded(text + name + 1, size - name - 1);
        if (value == NULL)
            return wrong(err, "a % in a parameter is not followed by two hexadecimal digits");
        if (read_parameter(address, parameters, &part, value, err) < 0)
            return -1;
        text += size + (text[size] == '&');
    }
    return 0;
}

/* "USER:PASSWORD" or "PASSWORD" */
static int read_user(struct redis_address *address, const char *text, size_t size,
                     struct sb_error *err)
{
    const char *colon = memchr(text, ':', size);
    size_t user = colon != NULL ? (size_t)(colon - text) : 0;
    const char *password = colon != NULL ? colon + 1 : text;
    if (user > 0)
        replace(&address->user, decoded(text, user));
    replace_password(address, decoded(password, size - (size_t)(password - text)));
    replace(&address->password_file, NULL);
    if (address->password == NULL || (user > 0 && address->user == NULL))
        return wrong(err, "a % in user or password is not followed by two hexadecimal digits");
    return 0;
}

/* ── Sockets ─────────────────────────────────────────────────────────────────────────────────── */

static int find_unix(struct redis_address *address, const char *path, struct sb_error *err)
{
    struct sockaddr_un *socket = (struct sockaddr_un *)&address->sockets[0];
    if (path[0] != '/' || strlen(path) >= sizeof(socket->sun_path))
        return wrong(err, "the path of the UNIX socket is not absolute, or too long");
    socket->sun_family = AF_UNIX;
    memcpy(socket->sun_path, path, strlen(path) + 1);
    address->sizes[0] = sizeof(*socket);
    address->count = 1;
    return 0;
}

/* Names are resolved once, at the start: the resolver waits, and the loop must not. */
static int find_host(struct redis_address *address, const char *port, struct sb_error *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *found = NULL;
    int result = getaddrinfo(address->host, port, &hints, &found);
    if (result != 0)
        return sb_fail_field(err, "store", "store", "--store: can't find the host %.200s: %s",
                             address->host, gai_strerror(result));
    for (const struct addrinfo *at = found; at != NULL && address->count < REDIS_SOCKETS;
         at = at->ai_next) {
        memcpy(&address->sockets[address->count], at->ai_addr, at->ai_addrlen);
        address->sizes[address->count++] = at->ai_addrlen;
    }
    freeaddrinfo(found);
    return 0;
}

static bool is_near(const struct redis_address *address)
{
    for (size_t i = 0; i < address->count; i++) {
        struct address socket;
        address_from_socket(&socket, (const struct sockaddr *)&address->sockets[i]);
        if (socket.family != AF_UNIX && !address_is_loopback(&socket))
            return false;
    }
    return true;
}

/* "HOST", "HOST:PORT", "[::1]:PORT" */
static int read_host(struct redis_address *address, const char *text, size_t size,
                     struct sb_error *err)
{
    bool bracket = size > 0 && text[0] == '[';
    const char *end = memchr(text, ']', size);
    if (bracket && end == NULL)
        return wrong(err, "a [ without ]");
    size_t host = bracket ? (size_t)(end - text) - 1 : strcspn(text, ":/?");
    host = MIN(host, size);
    const char *rest = bracket ? end + 1 : text + host;
    size_t left = size - (size_t)(rest - text);
    char port[8] = "6379";
    if (host == 0 || (left > 0 && rest[0] != ':') || left > 6 || left == 1)
        return wrong(err, "it has no host, or a port that is none");
    if (left > 0)
        snprintf(port, sizeof(port), "%.*s", (int)left - 1, rest + 1);
    if (strspn(port, "0123456789") != strlen(port))
        return wrong(err, "the port is not a number");
    replace(&address->host, strndup(text + bracket, host));
    return address->host != NULL ? find_host(address, port, err) : no_memory(err);
}

static int read_network(struct redis_address *address, const char *text, size_t size,
                        struct sb_error *err)
{
    const char *at = memrchr(text, '@', size);
    if (at != NULL && read_user(address, text, (size_t)(at - text), err) < 0)
        return -1;
    const char *host = at != NULL ? at + 1 : text;
    size_t left = size - (size_t)(host - text);
    const char *slash = memchr(host, '/', left);
    size_t host_size = slash != NULL ? (size_t)(slash - host) : left;
    if (slash != NULL && left > host_size + 1) {
        _cleanup_free_ char *database = strndup(slash + 1, left - host_size - 1);
        if (database == NULL)
            return no_memory(err);
        if (read_database(address, database, err) < 0)
            return -1;
    }
    return read_host(address, host, host_size, err);
}

/* ── The whole ───────────────────────────────────────────────────────────────────────────────── */

static int read_all(struct redis_address *address, const char *text, struct sb_error *err)
{
    struct parameters parameters = {false};
    const char *environment = getenv("SANDBOX_REDIS_PASSWORD");
    bool local = strncmp(text, "redis+unix://", 13) == 0;
    address->tls = strncmp(text, "rediss://", 9) == 0;
    if (!local && !address->tls && strncmp(text, "redis://", 8) != 0)
        return wrong(err, "it does not name a Redis server");
    const char *rest = strstr(text, "://") + 3;
    size_t size = strcspn(rest, "?");
    address->prefix = strdup("sb");
    address->password = environment != NULL ? strdup(environment) : NULL;
    if (address->prefix == NULL || (environment != NULL && address->password == NULL))
        return no_memory(err);
    if (rest[size] == '?' && read_parameters(address, &parameters, rest + size + 1, err) < 0)
        return -1;
    if (local) {
        _cleanup_free_ char *path = decoded(rest, size);
        return path != NULL ? find_unix(address, path, err) : wrong(err, "a wrong % in the path");
    }
    if (read_network(address, rest, size, err) < 0)
        return -1;
    if (!address->tls && !parameters.insecure && !is_near(address))
        return sb_fail_field(err, "store", "store",
                             "--store: code, output and the password would cross the network in "
                             "the clear: use rediss://, or add ?insecure=yes where the network "
                             "itself is trusted");
    return 0;
}

int redis_address_read(struct redis_address *address, const char *text, struct sb_error *err)
{
    *address = (struct redis_address){.tls = false};
    if (read_all(address, text, err) < 0)
        return -1;
    const char *scheme_end = strstr(text, "://") + 3;
    const char *at = strrchr(scheme_end, '@');
    const char *shown = at != NULL && address->host != NULL ? at + 1 : scheme_end;
    if (asprintf(&address->shown, "%.*s%.*s", (int)(scheme_end - text), text,
                 (int)strcspn(shown, "?"), shown) < 0) {
        address->shown = NULL;
        return no_memory(err);
    }
    return 0;
}

void redis_address_free(struct redis_address *address)
{
    free(address->host);
    free(address->shown);
    free(address->user);
    replace_password(address, NULL);
    free(address->password_file);
    free(address->prefix);
    free(address->ca);
    *address = (struct redis_address){.tls = false};
}
