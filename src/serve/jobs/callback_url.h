/* Where callbacks may go. A client chooses their URLs, and this service sends from inside
 * somebody's network: so only to hosts that the administrator has named, and even there only to
 * addresses of the public Internet. An address is judged when it is connected to, as a name may
 * lead elsewhere by then. */
#ifndef SERVE_CALLBACK_URL_H
#define SERVE_CALLBACK_URL_H

#include <curl/curl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "sandbox.h"

/* One --callback-host. */
struct callback_host {
    char name[254];          /* in small letters, an address without brackets */
    int family;              /* AF_INET, AF_INET6: the name is an address; AF_UNSPEC: it is none */
    unsigned char bytes[16]; /* the address; 4 of them for AF_INET */
    uint16_t port;           /* 0: the one of the URL's scheme, 80 or 443 */
};

struct callback_hosts {
    struct callback_host *host;
    size_t count;
};

/* Reads "HOST", "HOST:PORT", "[IPV6]:PORT", …; a NULL list is empty. The caller frees the result
 * with callback_hosts_free, after a failure, too. */
int callback_hosts_read(struct callback_hosts *hosts, const char *const *texts,
                        struct sb_error *err);
void callback_hosts_free(struct callback_hosts *hosts);

/* Reads a URL that a client gave. *host becomes the index of the host that allows it; *url what is
 * handed to curl, so that nobody reads the URL a second time, in another way. The caller frees it
 * with curl_url_cleanup. */
int callback_url_read(CURLU **url, size_t *host, const struct callback_hosts *hosts,
                      const char *text, struct sb_error *err);

/* Why nothing may be sent to an address: "loopback", "private", …; NULL: it may. A host that is
 * named by its address may have any. */
const char *callback_address_refused(const struct callback_host *host,
                                     const struct sockaddr *address);

#endif
