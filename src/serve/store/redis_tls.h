/* TLS of a connection to Redis, on a socket that does not wait: the server shows a certificate, we
 * have none. */
#ifndef SERVE_REDIS_TLS_H
#define SERVE_REDIS_TLS_H

#include <gnutls/gnutls.h>
#include <stddef.h>
#include <sys/types.h>

struct redis_tls {
    gnutls_session_t session; /* NULL: there is no connection */
    gnutls_certificate_credentials_t trust;
    int fd;
    /* Of a connection that was lost: why, and what to do if trying again does not help, else NULL.
     */
    char lost[128];
    const char *remedy;
};

/* `ca`: a PEM file with the certificates to trust; NULL: those that the host trusts. Returns −1
 * with errno. */
int redis_tls_open(struct redis_tls *tls, const char *ca);
void redis_tls_close(struct redis_tls *tls);

/* A connection begins on a socket, to a host whose name is the certificate's. −1: it can't. */
int redis_tls_begin(struct redis_tls *tls, int fd, const char *host);
/* A connection has ended, or there was none. The socket is the caller's. */
void redis_tls_end(struct redis_tls *tls);

/* 1: the handshake is done; 0: later, at the next event; −1: lost. */
int redis_tls_shake_hands(struct redis_tls *tls);
/* As send(2) and recv(2); −1 with EAGAIN: later; with EPROTO: lost. */
ssize_t redis_tls_send(struct redis_tls *tls, const char *data, size_t size);
ssize_t redis_tls_receive(struct redis_tls *tls, char *data, size_t size);

#endif
