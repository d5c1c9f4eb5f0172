/* See callback.h: in the place of callback.c where there is no libcurl. There are no callbacks. */
#include <stddef.h>

#include "common/error.h"
#include "serve/jobs/callback.h"

int callbacks_open(struct callbacks **callbacks, const struct callbacks_setup *setup,
                   struct sb_error *err)
{
    *callbacks = NULL;
    if (setup->hosts == NULL || setup->hosts[0] == NULL)
        return 0;
    return sb_fail_field(err, "config", "callback-host",
                         "--callback-host: this sandbox-serve was built without callbacks: install "
                         "libcurl4-gnutls-dev, then set up the build with meson "
                         "-Dcallbacks=enabled");
}

int callbacks_check(const struct callbacks *callbacks, const char *url, struct sb_error *err)
{
    (void)callbacks, (void)url;
    return sb_fail_field(err, "request", "callback",
                         "this service sends no callbacks: ask for the job by GET /jobs/ID");
}

void callbacks_send(struct callbacks *callbacks, const struct callback *callback)
{
    (void)callbacks, (void)callback;
}

void callbacks_drain(struct callbacks *callbacks)
{
    (void)callbacks;
}

size_t callbacks_left(const struct callbacks *callbacks)
{
    (void)callbacks;
    return 0;
}

void callbacks_close(struct callbacks *callbacks)
{
    (void)callbacks;
}
