/* Connections that are closed while their clients still send (linger.c). */
#ifndef SERVE_LINGER_H
#define SERVE_LINGER_H

struct http;

/* Keeps a connection open that is being closed while its client still sends, and throws away what
 * comes, for a moment. Otherwise the kernel would reset the connection, and the answer with it. */
void linger(struct http *http, int fd);
void linger_close_all(struct http *http);

#endif
