/* What keeps a browser from being used against the service: pages of other sites, and names that
 * were made to point here (DNS rebinding). A person's browser reaches what listens on localhost;
 * a page that the person visits must not. */
#ifndef SERVE_GUARD_H
#define SERVE_GUARD_H

#include "serve/config/config.h"

struct guard_input {
    const char *method;
    const char *host;         /* of the target, or the Host header; NULL in HTTP/1.0 without one */
    const char *ignored_host; /* the Host header, where the target names the host; else NULL */
    const char *origin;       /* NULL: not sent */
    const char *fetch_site;
    bool private_socket; /* a UNIX socket: no browser speaks to it */
};

/* 0 when the request may go on; otherwise an HTTP status, with err->message and err->field. */
unsigned guard_check(const struct config *config, const struct guard_input *input,
                     struct sb_error *err);

/* 0 when a body of this Content-Type and Content-Encoding (NULL: none was sent) is plain JSON;
 * otherwise 415. A page of another site can send text/plain, forms, or no type without asking
 * first; JSON it can't. */
unsigned guard_body(const char *content_type, const char *encoding, struct sb_error *err);

/* Whether the origin is one of those configured, whose pages may ask and read answers (CORS). */
bool guard_origin_configured(const struct config *config, const char *origin);

#endif
