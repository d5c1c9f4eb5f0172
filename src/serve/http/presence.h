/* Whether a client that has closed its sending half is still there. With TCP, two cases look the
 * same: a client that closes that half (shutdown(2)) and waits for its answer, and one that closes
 * the whole socket (close(2)) and is gone. If the client is on this host, its own socket tells: a
 * socket that no process has open any more has no inode (sock_diag(7)). */
#ifndef SERVE_PRESENCE_H
#define SERVE_PRESENCE_H

enum presence { PRESENCE_HERE, PRESENCE_GONE, PRESENCE_UNKNOWN };

/* `fd`: our end of a TCP connection. Unknown: the client is on another host, or the kernel can't be
 * asked. */
enum presence presence_of_peer(int fd);

#endif
