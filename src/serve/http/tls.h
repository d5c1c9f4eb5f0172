/* Certificates (tls.c). */
#ifndef SERVE_TLS_H
#define SERVE_TLS_H

#include <stdint.h>

#include "serve/config/config.h"

/* Reads both files and checks that they fit each other. The caller frees the texts. `expiry`: when
 * the first of the certificates expires, in seconds since 1970; 0: not known. */
int tls_load(const struct config *config, char **certificates, char **key, int64_t *expiry,
             struct sb_error *err);

#endif
