/* A visit to the namespaces of a dead job. */
#ifndef SB_VISIT_H
#define SB_VISIT_H

/* Calls `act` in a mount namespace that we hold and in the user namespace that owns it, with all
 * capabilities there, and waits for it. A process of its own calls it, which shares our memory and
 * descriptors; it must leave no lock behind. None of the job's processes may be alive: it could
 * trace this one. −1 with errno: `act` was not called. */
int visit(int mounts, void (*act)(void *user), void *user);

#endif
