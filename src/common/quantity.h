/* Numbers with units as a person writes them: "1.5", "500ms", "128M"; and as a person says them:
 * "10 seconds", "128 MiB". Limits, options and configuration files are read by these. */
#ifndef SB_QUANTITY_H
#define SB_QUANTITY_H

#include <stdbool.h>
#include <stdint.h>

/* Units: "ms" (milliseconds; a number without a suffix is seconds), "bytes", "cpus" and "rate"
 * (thousandths), "count" and "chars". */

/* The number and its suffix, as a value in the unit, rounded to the nearest. False: the text is not
 * such a number. Too large a number gives INT64_MAX. */
bool quantity_parse(const char *unit, const char *text, int64_t *value);

/* How a person writes a value of this unit, for error messages. */
const char *quantity_form(const char *unit);

#define QUANTITY_TEXT_SIZE 40

/* A value as a person says it: "10 seconds", "128 MiB", "0.5 CPUs", "64". Returns `text`. */
const char *quantity_text(char text[QUANTITY_TEXT_SIZE], const char *unit, int64_t value);

#endif
