/* How often each client may ask. One table in memory that all workers share, of a fixed size:
 * however many addresses somebody has, it does not grow. */
#ifndef SERVE_RATE_H
#define SERVE_RATE_H

#include <stddef.h>
#include <stdint.h>

struct rates;

/* The memory that the table takes; it must be all zero at first, and shared between workers. */
size_t rates_size(void);

/* Once, before workers begin: the table's secret, without which nobody can tell which clients share
 * a place in it. */
void rates_begin(struct rates *rates);

/* A request of the client `key` at `now_us` (monotonic): 0 when it may go on; otherwise, in
 * milliseconds, when to come again. `rate` requests a second, `burst` at once. */
int64_t rates_take(struct rates *rates, const char *key, double rate, int64_t burst,
                   int64_t now_us);

#endif
