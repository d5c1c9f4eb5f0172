/* The table of limits: names, options, units, ranges and defaults, each stated here alone.
 * The code that enforces a limit is elsewhere. */
#ifndef SB_LIMITS_H
#define SB_LIMITS_H

#include "common/quantity.h"
#include "sandbox.h"

/* The value for a policy that does not say. */
int64_t limit_default(enum sb_limit limit);

/* The limit with this key ("memory_bytes"), or −1. */
int limit_from_name(const char *name);

#define LIMIT_NAMES_SIZE 256

/* "wall_time_ms, cpu_time_ms, …": all keys, for error messages. Returns `text`. */
const char *limit_names(char text[LIMIT_NAMES_SIZE]);

#define LIMIT_TEXT_SIZE QUANTITY_TEXT_SIZE

/* A value as a person says it: "10 seconds", "128 MiB", "0.5 CPUs", "64". Returns `text`. */
const char *limit_text(char text[LIMIT_TEXT_SIZE], enum sb_limit limit, int64_t value);

#endif
