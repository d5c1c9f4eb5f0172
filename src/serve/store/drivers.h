/* The drivers of stores. Those that need a library are part of the program if it was there. */
#ifndef SERVE_DRIVERS_H
#define SERVE_DRIVERS_H

#include "serve/store/store.h"

extern const struct store_driver store_memory; /* store_memory.c */
extern const struct store_driver store_sqlite; /* store_sqlite.c, with HAVE_SQLITE */
extern const struct store_driver store_redis;  /* store_redis.c, with HAVE_REDIS */

#endif
