/* Random generators of C libraries that modules have loaded into a zygote. Those that notice a fork
 * do so by the process' id, which need not change, or by pthread_atfork, which a raw clone passes
 * by; some never do. Their children would go on with one and the same state. */
#ifndef WARM_GENERATORS_H
#define WARM_GENERATORS_H

#include <stdbool.h>

/* In the zygote, when all is imported: whether there is any that children must renew. */
bool generators_find(void);

/* In a child, once. */
void generators_renew(void);

#endif
