/* How often each client may send requests. One table in memory that all workers share. Its size is
 * fixed: it does not grow, however many addresses a client has. */
#ifndef SERVE_RATE_H
#define SERVE_RATE_H

#include <stddef.h>
#include <stdint.h>

struct rates;

/* The size of the table's memory, which must be all zero at first, and shared between workers. */
size_t rates_size(void);

/* Call it once, before workers start. It makes the table's secret, without which no client can find
 * out which others share its place. */
void rates_begin(struct rates *rates);

/* Counts a request of the client `key` at `now_us` (monotonic). 0: it is allowed; otherwise the
 * milliseconds after which to try again. `rate`: requests per second; `burst`: at once. */
int64_t rates_take(struct rates *rates, const char *key, double rate, int64_t burst,
                   int64_t now_us);

#endif
