/* Random generators of C libraries that modules have loaded into a zygote. Some notice a fork by
 * the process' id, which need not change, or by pthread_atfork, which a raw clone bypasses; some
 * never notice. All children would continue from the same state. */
#ifndef WARM_GENERATORS_H
#define WARM_GENERATORS_H

#include <stdbool.h>

/* In the zygote, after all imports: whether children must renew a generator. */
bool generators_find(void);

/* In a child, once. */
void generators_renew(void);

#endif
