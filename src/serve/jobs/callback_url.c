/* See callback_url.h. */
#include "serve/jobs/callback_url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/error.h"
#include "common/util.h"

#define URL_MAX 2048

/* ── Addresses ───────────────────────────────────────────────────────────────────────────────── */

struct range {
    unsigned char bytes[16];
    unsigned prefix; /* bits */
    const char *kind;
};

/* What is not the public Internet: the registries of special purposes of the IANA, which RFC 6890
 * began, with multicast and what clouds have for themselves. */
static const struct range ranges_v4[] = {
    {{0}, 8, "unspecified"},
    {{10}, 8, "private"},
    {{100, 64}, 10, "shared by carriers (CGNAT)"},
    {{127}, 8, "loopback"},
    {{168, 63, 129, 16}, 32, "a cloud's own"}, /* Azure's services for its machines */
    {{169, 254}, 16, "link-local"},            /* metadata of most clouds: 169.254.169.254 */
    {{172, 16}, 12, "private"},
    {{192, 0, 0}, 24, "reserved"},
    {{192, 0, 2}, 24, "for documentation"},
    {{192, 88, 99}, 24, "a relay into IPv6"},
    {{192, 168}, 16, "private"},
    {{198, 18}, 15, "for benchmarks"},
    {{198, 51, 100}, 24, "for documentation"},
    {{203, 0, 113}, 24, "for documentation"},
    {{224}, 4, "multicast"},
    {{240}, 4, "reserved"}, /* broadcast is its last */
};

/* The first row that holds an address counts. What no row names is not given out by the IANA. */
static const struct range ranges_v6[] = {
    {{0}, 128, "unspecified"},
    {{[15] = 1}, 128, "loopback"},
    {{[10] = 0xff, 0xff}, 96, "IPv4 in IPv6"},
    {{0}, 96, "IPv4 in IPv6"},
    {{0x00, 0x64, 0xff, 0x9b}, 96, "IPv4 behind a translator (NAT64)"},
    {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48, "IPv4 behind a translator (NAT64)"},
    {{0x20, 0x01}, 32, "IPv4 in a tunnel (Teredo)"},
    {{0x20, 0x01}, 23, "reserved"},
    {{0x20, 0x01, 0x0d, 0xb8}, 32, "for documentation"},
    {{0x20, 0x02}, 16, "IPv4 in a tunnel (6to4)"},
    {{0x3f, 0xff}, 20, "for documentation"},
    {{0x20}, 3, NULL}, /* the public Internet */
    {{0xfc}, 7, "private"},
    {{0xfe, 0x80}, 10, "link-local"},
    {{0xfe, 0xc0}, 10, "site-local"},
    {{0xff}, 8, "multicast"},
    {{0}, 0, "reserved"},
};

static bool holds(const struct range *range, const unsigned char *bytes)
{
    unsigned whole = range->prefix / 8, rest = range->prefix % 8;
    if (memcmp(range->bytes, bytes, whole) != 0)
        return false;
    return rest == 0 || (range->bytes[whole] ^ bytes[whole]) >> (8 - rest) == 0;
}

static const char *kind_of(const struct range *ranges, size_t count, const unsigned char *bytes)
{
    for (size_t i = 0; i < count; i++)
        if (holds(&ranges[i], bytes))
            return ranges[i].kind;
    return NULL;
}

const char *callback_address_refused(const struct callback_host *host,
                                     const struct sockaddr *address)
{
    const unsigned char *bytes;
    if (address->sa_family == AF_INET)
        bytes = (const unsigned char *)&((const struct sockaddr_in *)address)->sin_addr;
    else if (address->sa_family == AF_INET6)
        bytes = (const unsigned char *)&((const struct sockaddr_in6 *)address)->sin6_addr;
    else
        return "not of the Internet";
    size_t size = address->sa_family == AF_INET ? 4 : 16;
    if (host->family == (int)address->sa_family && memcmp(host->bytes, bytes, size) == 0)
        return NULL;
    return address->sa_family == AF_INET ? kind_of(ranges_v4, ARRAY_LEN(ranges_v4), bytes)
                                         : kind_of(ranges_v6, ARRAY_LEN(ranges_v6), bytes);
}

/* ── Hosts ───────────────────────────────────────────────────────────────────────────────────── */

static bool read_port(uint16_t *port, const char *text)
{
    size_t size = strspn(text, "0123456789");
    long number = size >= 1 && size <= 5 && text[size] == '\0' ? strtol(text, NULL, 10) : 0;
    *port = (uint16_t)number;
    return number >= 1 && number <= 65535;
}

/* A name of the DNS: what would be read as a number, such as 127.1, is none. */
static bool is_name(const char *name)
{
    size_t size = strlen(name);
    const char *last = strrchr(name, '.');
    if (size == 0 || name[0] == '.' || strstr(name, "..") != NULL)
        return false;
    for (size_t i = 0; i < size; i++)
        if (!isalnum((unsigned char)name[i]) && strchr("-._", name[i]) == NULL)
            return false;
    return !isdigit((unsigned char)(last != NULL ? last[1] : name[0]));
}

/* Keeps a host's name as it is compared: an address in its usual form, a name in small letters and
 * without a dot at its end. */
static bool keep_name(struct callback_host *host, const char *text, size_t size)
{
    if (size == 0 || size >= sizeof(host->name))
        return false;
    for (size_t i = 0; i < size; i++)
        host->name[i] = (char)tolower((unsigned char)text[i]);
    host->name[size] = '\0';
    static const int families[] = {AF_INET, AF_INET6};
    for (size_t i = 0; i < ARRAY_LEN(families); i++) {
        if (inet_pton(families[i], host->name, host->bytes) != 1)
            continue;
        host->family = families[i];
        return inet_ntop(host->family, host->bytes, host->name, sizeof(host->name)) != NULL;
    }
    if (host->name[size - 1] == '.')
        host->name[size - 1] = '\0';
    return is_name(host->name);
}

/* "HOST", "HOST:PORT", "[IPV6]", "[IPV6]:PORT", "IPV6". */
static bool read_host(struct callback_host *host, const char *text)
{
    const char *colon = strchr(text, ':');
    *host = (struct callback_host){0};
    if (text[0] == '[') {
        const char *end = strchr(text, ']');
        return end != NULL && keep_name(host, text + 1, (size_t)(end - text - 1)) &&
               host->family == AF_INET6 &&
               (end[1] == '\0' || (end[1] == ':' && read_port(&host->port, end + 2)));
    }
    if (colon == NULL || strchr(colon + 1, ':') != NULL)
        return keep_name(host, text, strlen(text));
    return keep_name(host, text, (size_t)(colon - text)) && read_port(&host->port, colon + 1);
}

static bool is_localhost(const char *name)
{
    static const char localhost[] = "localhost";
    size_t size = strlen(name), tail = sizeof(localhost) - 1;
    return size >= tail && strcmp(name + size - tail, localhost) == 0 &&
           (size == tail || name[size - tail - 1] == '.');
}

int callback_hosts_read(struct callback_hosts *hosts, const char *const *texts,
                        struct sb_error *err)
{
    static const char field[] = "callback-host";
    size_t count = strings_count(texts);
    *hosts = (struct callback_hosts){calloc(count + 1, sizeof(*hosts->host)), count};
    if (hosts->host == NULL)
        return sb_fail(err, "memory", ENOMEM, "out of memory (the hosts of callbacks)");
    for (size_t i = 0; i < count; i++) {
        if (!read_host(&hosts->host[i], texts[i]))
            return sb_fail_field(err, "config", field,
                                 "--callback-host is HOST or HOST:PORT, such as hooks.example.org, "
                                 "192.0.2.7:8080 or [2001:db8::7]:8080, not '%.60s'",
                                 texts[i]);
        if (is_localhost(hosts->host[i].name))
            return sb_fail_field(err, "config", field,
                                 "--callback-host %.60s: callbacks go to this host only by its "
                                 "address: name 127.0.0.1 or ::1",
                                 texts[i]);
    }
    return 0;
}

void callback_hosts_free(struct callback_hosts *hosts)
{
    free(hosts->host);
    *hosts = (struct callback_hosts){0};
}

/* ── URLs ────────────────────────────────────────────────────────────────────────────────────── */

static const char url_field[] = "callback.url";

static int bad_url(struct sb_error *err, const char *what)
{
    return sb_fail_field(err, "request", url_field, "\"%s\" %s", url_field, what);
}

/* curl takes more than RFC 3986 has, such as "http:/host": that is refused. */
static int check_text(const char *text, struct sb_error *err)
{
    size_t size = strlen(text);
    const char *slashes = strstr(text, "://");
    if (size > URL_MAX)
        return bad_url(err, "must have at most 2048 characters");
    for (size_t i = 0; i < size; i++)
        if (text[i] <= ' ' || text[i] > '~' || strchr("\"<>\\^`{|}", text[i]) != NULL)
            return bad_url(err, "must be a URL, in which any other characters are "
                                "percent-encoded (a host's, in punycode)");
    if ((strncasecmp(text, "http://", 7) != 0 && strncasecmp(text, "https://", 8) != 0) ||
        slashes[3] == '/' || slashes[3] == '\0')
        return bad_url(err, "must begin with https:// or http://, and a host");
    if (strchr(text, '#') != NULL)
        return bad_url(err, "must have no fragment: leave away what comes from the '#' on");
    return 0;
}

/* The host and the port that curl will connect to. */
static bool read_parts(CURLU *url, struct callback_host *host, bool *standard_port)
{
    char *name = NULL, *port = NULL, *scheme = NULL, *zone = NULL;
    bool good = curl_url_get(url, CURLUPART_HOST, &name, CURLU_URLDECODE) == CURLUE_OK &&
                curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
                curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                curl_url_get(url, CURLUPART_ZONEID, &zone, 0) != CURLUE_OK;
    if (good) {
        size_t size = strlen(name);
        bool brackets = name[0] == '[' && name[size - 1] == ']';
        *host = (struct callback_host){0};
        good = keep_name(host, name + brackets, size - 2 * (size_t)brackets) &&
               brackets == (host->family == AF_INET6) && read_port(&host->port, port);
        *standard_port = strcmp(port, strcasecmp(scheme, "https") == 0 ? "443" : "80") == 0;
    }
    curl_free(name);
    curl_free(port);
    curl_free(scheme);
    curl_free(zone);
    return good;
}

static bool allows(const struct callback_host *allowed, const struct callback_host *asked,
                   bool standard_port)
{
    return strcmp(allowed->name, asked->name) == 0 &&
           (allowed->port == 0 ? standard_port : allowed->port == asked->port);
}

static int find_host(size_t *index, CURLU *url, const struct callback_hosts *hosts,
                     struct sb_error *err)
{
    struct callback_host asked;
    bool standard_port;
    if (!read_parts(url, &asked, &standard_port))
        return bad_url(err, "must have a host: a name, or an address without a zone");
    for (*index = 0; *index < hosts->count; (*index)++)
        if (allows(&hosts->host[*index], &asked, standard_port))
            return 0;
    return sb_fail_field(err, "request", url_field,
                         "\"%s\" leads to %.80s, port %u, to which this service may send nothing: "
                         "use another URL, or ask its administrator for --callback-host",
                         url_field, asked.name, asked.port);
}

int callback_url_read(CURLU **result, size_t *host, const struct callback_hosts *hosts,
                      const char *text, struct sb_error *err)
{
    *result = NULL;
    if (check_text(text, err) < 0)
        return -1;
    CURLU *url = curl_url();
    if (url == NULL)
        return sb_fail(err, "memory", ENOMEM, "out of memory (a callback)");
    CURLUcode code = curl_url_set(url, CURLUPART_URL, text, CURLU_DISALLOW_USER);
    int found;
    if (code == CURLUE_USER_NOT_ALLOWED)
        found = bad_url(err, "must hold no user and no password: the secret signs what is sent");
    else if (code != CURLUE_OK)
        found = bad_url(err, "must be a URL such as https://hooks.example.org/done");
    else
        found = find_host(host, url, hosts, err);
    if (found < 0) {
        curl_url_cleanup(url);
        return -1;
    }
    *result = url;
    return 0;
}
