/* Where a Redis server is, as --store names it:
 *
 *     redis://[[USER:]PASSWORD@]HOST[:PORT][/DB][?prefix=NAME&insecure=yes&password-file=PATH]
 *     rediss://…                     the same, by TLS; ?ca=FILE: certificates to trust
 *     redis+unix:///PATH[?db=N&user=NAME&…]
 *
 * %XX stands for a byte in user, password and parameters. A password in the address is seen by
 * every user of the host (ps): password-file, or the environment SANDBOX_REDIS_PASSWORD, is not. */
#ifndef SERVE_REDIS_ADDRESS_H
#define SERVE_REDIS_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

#include "sandbox.h"

enum { REDIS_SOCKETS = 8 };

struct redis_address {
    bool tls;
    char *host;            /* NULL: a UNIX socket */
    char *shown;           /* for messages: without the password */
    char *user, *password; /* NULL: none */
    char *password_file;   /* that the password is from; NULL: none */
    char *prefix;          /* of keys: "sb" */
    char *ca;              /* PEM file; NULL: what the host trusts */
    int database;
    struct sockaddr_storage sockets[REDIS_SOCKETS]; /* what the host's name stands for */
    socklen_t sizes[REDIS_SOCKETS];
    size_t count;
};

/* Reads an address, and resolves the host's name. The caller frees it with redis_address_free,
 * after a failure, too. */
int redis_address_read(struct redis_address *address, const char *text, struct sb_error *err);
/* Reads the password's file again, if there is one: it may have changed since. One that can't be
 * read leaves the password as it was. */
void redis_address_renew(struct redis_address *address);
void redis_address_free(struct redis_address *address);

#endif
