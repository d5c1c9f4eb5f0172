/* Keeps the service's libraries out of the processes that it clones. */
#ifndef SERVE_DONTFORK_H
#define SERVE_DONTFORK_H

/* Clones are cheaper by a third of a millisecond, and a job's first process has no code and no data
 * of theirs. From then on, only what calls nothing but the C library may be forked from this
 * process. */
void dontfork_libraries(void);

#endif
