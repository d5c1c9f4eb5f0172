/* A function that must run in namespaces of its own, which only a whole process may enter. */
#ifndef SB_ERRAND_H
#define SB_ERRAND_H

/* Calls `act` in a process that shares our memory and descriptors, and waits for it. Works like
 * vfork: nothing is copied, and we go on when the errand is done. Without an exit signal the
 * process does not appear in the caller's own wait(-1). It has a stack of its own, since the stack
 * of the caller's thread may be small; what it clones goes on with a copy of this stack. Returns
 * what `act` does, with its errno; −1 with errno also if it could not be called. */
int errand_run(int (*act)(void *user), void *user);

#endif
