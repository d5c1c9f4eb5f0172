/* Requests that are refused: counted and logged (refusals.c). */
#ifndef SERVE_REFUSALS_H
#define SERVE_REFUSALS_H

#include <stdarg.h>
#include <stdint.h>

#include "serve/process/loop.h"
#include "serve/process/metrics.h"

struct connection;

struct refusals {
    int64_t full_us[REFUSALS]; /* limits how often each reason is logged, as in rate.c */
    int64_t silent[REFUSALS];  /* how many were not logged */
    struct timer summary;      /* logs their number */
};

/* An answer with this status has been given on the connection. If it is a refusal, counts and logs
 * it. */
void refusal_tell(struct connection *connection, unsigned status);

/* Logs the number of refusals that have not been logged. */
void refusals_summary(void *http);

/* MHD_OPTION_EXTERNAL_LOGGER. */
void refusal_overheard(void *daemon, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

#endif
