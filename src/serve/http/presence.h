/* Whether a client that has closed its sending half is still there. TCP says of both the same: it
 * closes that half (shutdown(2)) and waits for its answer, or all of it (close(2)) and is gone.
 * What tells them apart is the client's own socket, where it is on this host: one that nobody has
 * open any more has no inode (sock_diag(7)). */
#ifndef SERVE_PRESENCE_H
#define SERVE_PRESENCE_H

enum presence { PRESENCE_HERE, PRESENCE_GONE, PRESENCE_UNKNOWN };

/* `fd`: our end of a TCP connection. Unknown: the client is on another host, or the kernel does not
 * tell. */
enum presence presence_of_peer(int fd);

#endif
