/* Connections that are closed while their clients still send (linger.c). */
#ifndef SERVE_LINGER_H
#define SERVE_LINGER_H

struct http;

/* Takes over a connection that is being closed while its client still sends: what comes is thrown
 * away for a moment, or the kernel would reset the connection and the answer with it. */
void linger(struct http *http, int fd);
void linger_close_all(struct http *http);

#endif
