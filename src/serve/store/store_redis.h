/* The driver of durable jobs for Redis 7 and Valkey. Addresses: redis_address.h. */
#ifndef SERVE_STORE_REDIS_H
#define SERVE_STORE_REDIS_H

#include "serve/store/store.h"

extern const struct store_driver store_redis;

#endif
