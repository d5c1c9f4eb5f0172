/* Host, Origin, Sec-Fetch-Site and Content-Type. See guard.h. */
#include "serve/http/guard.h"

#include <string.h>
#include <strings.h>

#include "common/error.h"
#include "serve/config/address.h"
#include "serve/contracts/multipart.h"

enum { BAD_REQUEST = 400, FORBIDDEN = 403, UNSUPPORTED_TYPE = 415, MISDIRECTED = 421 };

/* The size of the name in "name:port" or "[address]:port", brackets included. */
static size_t name_size(const char *host)
{
    const char *bracket = *host == '[' ? strchr(host, ']') : NULL;
    return bracket != NULL ? (size_t)(bracket + 1 - host) : strcspn(host, ":");
}

/* A name, and behind it a port or nothing. */
static bool is_well_formed(const char *host)
{
    size_t size = name_size(host);
    const char *rest = host + size;
    if (size == 0 || strpbrk(host, "/\\@ \t,") != NULL)
        return false;
    return *rest == '\0' || (*rest == ':' && rest[1 + strspn(rest + 1, "0123456789")] == '\0');
}

static bool same_name(const char *name, size_t size, const char *other)
{
    if (size > 0 && name[size - 1] == '.')
        size--;
    return strlen(other) == size && strncasecmp(name, other, size) == 0;
}

/* Whether only this host's own user can have made the name point here. */
static bool host_is_safe(const struct config *config, const char *host)
{
    static const char below[] = ".localhost"; /* RFC 6761: always loopback */
    struct address address;
    size_t size = name_size(host);
    if (address_parse(&address, host, size) || same_name(host, size, "localhost"))
        return true;
    if (size > sizeof(below) - 1 &&
        strncasecmp(host + size - (sizeof(below) - 1), below, sizeof(below) - 1) == 0)
        return true;
    for (char **name = config->hosts; name != NULL && *name != NULL; name++)
        if (strcmp(*name, "*") == 0 || same_name(host, size, *name) || strcasecmp(host, *name) == 0)
            return true;
    return false;
}

/* "https://example.org:443" and "example.org" name the same place: the scheme does not count, since
 * a proxy in front may end TLS, and a scheme's default port is left out. */
static bool origin_is_own(const char *origin, const char *host)
{
    static const struct {
        const char *scheme, *port;
    } schemes[] = {{"http://", ":80"}, {"https://", ":443"}};
    for (size_t i = 0; i < 2; i++) {
        size_t skip = strlen(schemes[i].scheme);
        if (strncasecmp(origin, schemes[i].scheme, skip) != 0)
            continue;
        const char *place = origin + skip;
        size_t place_name = name_size(place), host_name = name_size(host);
        const char *place_port = place + place_name, *host_port = host + host_name;
        if (strcmp(place_port, schemes[i].port) == 0)
            place_port = "";
        if (strcmp(host_port, schemes[i].port) == 0)
            host_port = "";
        return place_name > 0 && place_name == host_name &&
               strncasecmp(place, host, place_name) == 0 && strcmp(place_port, host_port) == 0;
    }
    return false;
}

bool guard_origin_configured(const struct config *config, const char *origin)
{
    for (char **own = config->origins; own != NULL && *own != NULL; own++)
        if (strcmp(*own, "*") == 0 || strcasecmp(*own, origin) == 0)
            return true;
    return false;
}

/* A page under a foreign name does not know a token, so any name is accepted where tokens are
 * required. */
static bool host_is_known(const struct config *config, const struct guard_input *input,
                          const char *host)
{
    return input->private_socket || config->tokens != NULL || host_is_safe(config, host);
}

static unsigned check_host(const struct config *config, const struct guard_input *input,
                           struct sb_error *err)
{
    if (input->host == NULL || input->private_socket)
        return 0;
    /* RFC 9112, 3.2: even a Host header that does not count must be well-formed. */
    if (!is_well_formed(input->host) ||
        (input->ignored_host != NULL && !is_well_formed(input->ignored_host))) {
        sb_fail_field(err, "guard", "Host",
                      "the host of the request is malformed: send NAME or NAME:PORT");
        return BAD_REQUEST;
    }
    if (host_is_known(config, input, input->host))
        return 0;
    sb_fail_field(err, "guard", "Host",
                  "this service does not answer to the name '%.100s': use its address or "
                  "localhost, or start it with --host %.*s",
                  input->host, (int)name_size(input->host), input->host);
    return MISDIRECTED;
}

/* "name:port" of an origin; NULL: it is not a web site's. */
static const char *place_of(const char *origin)
{
    const char *colon = strstr(origin, "://");
    bool http = strncasecmp(origin, "http://", 7) == 0 || strncasecmp(origin, "https://", 8) == 0;
    return http && is_well_formed(colon + 3) ? colon + 3 : NULL;
}

/* The origin of the page differs from the Host. A proxy may have put another name there. Then the
 * browser itself says that the page comes from the place that it asks: "same-origin", which no page
 * can set. That place must be one of our names, as a Host must: a name that was made to point here
 * is same-origin, too. Browsers don't say it over http: from other hosts (Fetch Metadata, 2.1: only
 * for trustworthy places). */
static unsigned check_foreign(const struct config *config, const struct guard_input *input,
                              struct sb_error *err)
{
    const char *origin = input->origin, *site = input->fetch_site, *place = place_of(origin);
    bool own = site != NULL && strcmp(site, "same-origin") == 0 && place != NULL;
    if (own && host_is_known(config, input, place))
        return 0;
    if (own) {
        sb_fail_field(err, "guard", "Origin",
                      "this service does not answer to the name '%.100s', which the browser uses: "
                      "start it with --host %.*s",
                      place, (int)name_size(place), place);
        return MISDIRECTED;
    }
    if (site == NULL && place != NULL && input->host != NULL)
        sb_fail_field(
            err, "guard", "Origin",
            "pages of %.100s may not use this service under the name '%.100s': if a proxy has "
            "changed that name, let it send the browser's (nginx: proxy_set_header Host "
            "$http_host); to allow pages of another site, start it with --origin %.100s",
            origin, input->host, origin);
    else
        sb_fail_field(err, "guard", "Origin",
                      "pages of %.100s may not use this service: to allow them, start it with "
                      "--origin %.100s",
                      origin, place != NULL ? origin : "ORIGIN");
    return FORBIDDEN;
}

static unsigned check_origin(const struct config *config, const struct guard_input *input,
                             struct sb_error *err)
{
    const char *origin = input->origin;
    if (origin != NULL) {
        if ((input->host != NULL && origin_is_own(origin, input->host)) ||
            guard_origin_configured(config, origin))
            return 0;
        return check_foreign(config, input, err);
    }
    /* Links from other sites to our pages are allowed: they can't run anything. */
    bool reads = strcmp(input->method, "GET") == 0 || strcmp(input->method, "HEAD") == 0;
    if (reads || input->fetch_site == NULL || strcmp(input->fetch_site, "same-origin") == 0 ||
        strcmp(input->fetch_site, "none") == 0)
        return 0;
    sb_fail_field(err, "guard", "Sec-Fetch-Site",
                  "pages of other sites may not use this service: use its own page, or start it "
                  "with --origin");
    return FORBIDDEN;
}

unsigned guard_check(const struct config *config, const struct guard_input *input,
                     struct sb_error *err)
{
    unsigned status = check_host(config, input, err);
    return status != 0 ? status : check_origin(config, input, err);
}

static unsigned check_type(const char *content_type, bool form, struct sb_error *err)
{
    static const char json[] = "application/json", charset[] = "charset=";
    if (form && multipart_is_form(content_type))
        return 0;
    if (content_type != NULL) {
        size_t size = strcspn(content_type, "; \t");
        const char *rest = content_type + size + strspn(content_type + size, "; \t");
        if (size == sizeof(json) - 1 && strncasecmp(content_type, json, size) == 0) {
            if (strncasecmp(rest, charset, sizeof(charset) - 1) != 0)
                return 0;
            rest += sizeof(charset) - 1;
            if (strcasecmp(rest, "utf-8") == 0 || strcasecmp(rest, "\"utf-8\"") == 0)
                return 0;
        }
    }
    sb_fail_field(err, "guard", "Content-Type",
                  "the body must be JSON in UTF-8 and declared as such: send the header "
                  "'Content-Type: application/json'%s",
                  form ? ", or send a form: curl -F code=@script.py -F file=@data.csv" : "");
    return UNSUPPORTED_TYPE;
}

unsigned guard_body(const char *content_type, const char *encoding, bool form, struct sb_error *err)
{
    static const char identity[] = "identity";
    size_t size = encoding != NULL ? strcspn(encoding, " \t") : 0;
    if (size == 0 || (size == sizeof(identity) - 1 && strncasecmp(encoding, identity, size) == 0))
        return check_type(content_type, form, err);
    sb_fail_field(err, "guard", "Content-Encoding",
                  "the body must not be compressed or otherwise encoded (Content-Encoding: %.40s): "
                  "send it without an encoding",
                  encoding);
    return UNSUPPORTED_TYPE;
}

unsigned guard_form(const char *origin, const char *fetch_site, const char *user_agent,
                    struct sb_error *err)
{
    static const char browser[] = "Mozilla/"; /* all of them begin like that */
    if (origin != NULL || fetch_site != NULL || user_agent == NULL ||
        strncasecmp(user_agent, browser, sizeof(browser) - 1) != 0)
        return 0;
    sb_fail_field(err, "guard", "Origin",
                  "a form of a browser must name its page's origin, which this one does not: send "
                  "JSON, or use a newer browser");
    return FORBIDDEN;
}
