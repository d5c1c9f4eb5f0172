/* Keeps web pages from using a visitor's browser against the service: pages of other sites, and
 * names that were made to point here (DNS rebinding). A browser reaches services that listen on
 * localhost; a page that it shows must not. */
#ifndef SERVE_GUARD_H
#define SERVE_GUARD_H

#include "serve/config/config.h"

struct guard_input {
    const char *method;
    const char *host;         /* of the target, else of the Host header; NULL: neither */
    const char *ignored_host; /* the Host header, if the target names the host; else NULL */
    const char *origin;       /* NULL: not sent */
    const char *fetch_site;
    bool private_socket; /* a UNIX socket, to which no browser connects */
};

/* 0: the request is allowed. Otherwise an HTTP status, with err->message and err->field. */
unsigned guard_check(const struct config *config, const struct guard_input *input,
                     struct sb_error *err);

/* 0 if a body of this Content-Type and Content-Encoding (NULL: not sent) is plain JSON or, with
 * `form`, a form (multipart/form-data); otherwise 415. A page of another site can send text/plain,
 * forms, or no type without asking first, but not JSON. For forms, guard_check and
 * guard_form keep such a page out. */
unsigned guard_body(const char *content_type, const char *encoding, bool form,
                    struct sb_error *err);

/* 0, or 403 for a form of a browser that names neither the page's origin nor its site, so that
 * guard_check could not tell whose page it is. Any of these may be NULL: not sent. */
unsigned guard_form(const char *origin, const char *fetch_site, const char *user_agent,
                    struct sb_error *err);

/* Whether the origin is a configured one, whose pages may send requests and read answers (CORS). */
bool guard_origin_configured(const struct config *config, const char *origin);

#endif
