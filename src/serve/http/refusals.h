/* Requests that are refused: counted and logged (refusals.c). */
#ifndef SERVE_REFUSALS_H
#define SERVE_REFUSALS_H

#include <stdarg.h>
#include <stdint.h>

#include "serve/process/loop.h"
#include "serve/process/metrics.h"

struct connection;

struct refusals {
    int64_t full_us[REFUSALS]; /* for how often each is logged: as in rate.c */
    int64_t silent[REFUSALS];  /* that were not logged */
    struct timer summary;      /* says their number */
};

/* An answer with this status has been given on the connection: counts and logs it when it is a
 * refusal. */
void refusal_tell(struct connection *connection, unsigned status);

/* What has not been said yet. */
void refusals_summary(void *http);

/* MHD_OPTION_EXTERNAL_LOGGER. */
void refusal_overheard(void *daemon, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

#endif
