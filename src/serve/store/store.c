/* See store.h. */
#include "serve/store/store.h"

#include <errno.h>
#include <string.h>

#include "common/error.h"
#include "common/util.h"
#include "serve/store/drivers.h"
#include "serve/store/store_timed.h"

const char *const store_state_names[] = {"queued", "running", "done", "lost", "cancelled"};

const struct store_driver *const store_drivers[] = {
    &store_memory,
#ifdef HAVE_SQLITE
    &store_sqlite,
#endif
#ifdef HAVE_REDIS
    &store_redis,
#endif
    NULL,
};

/* Drivers that this program may lack, and how it gets them. */
static const struct {
    const char *scheme, *remedy;
} optional[] = {
    {"sqlite:", "built without SQLite: install libsqlite3-dev, then set up the build with meson "
                "-Dsqlite=enabled"},
    {"redis", "built without Redis: install libhiredis-dev, then set up the build with meson "
              "-Dredis=enabled"},
};

static bool begins(const char *address, const char *scheme)
{
    return strncmp(address, scheme, strlen(scheme)) == 0;
}

static int open_timed(struct store **store, const struct store_driver *driver,
                      const struct store_setup *setup, struct sb_error *err)
{
    if (driver->open(store, setup, err) < 0)
        return -1;
    if (setup->metrics == NULL)
        return 0;
    struct store *timed = store_timed(*store, setup->metrics);
    if (timed == NULL) {
        driver->close(*store);
        return sb_fail(err, "store", ENOMEM, "out of memory (--store)");
    }
    *store = timed;
    return 0;
}

int store_open(struct store **store, const struct store_setup *setup, struct sb_error *err)
{
    for (size_t i = 0; store_drivers[i] != NULL; i++)
        if (begins(setup->address, store_drivers[i]->scheme))
            return open_timed(store, store_drivers[i], setup, err);
    for (size_t i = 0; i < ARRAY_LEN(optional); i++)
        if (begins(setup->address, optional[i].scheme))
            return sb_fail_field(err, "store", "store", "--store %s: this sandbox-serve was %s",
                                 optional[i].scheme, optional[i].remedy);
    return sb_fail_field(
        err, "store", "store",
        "--store is sqlite:PATH, redis://HOST, memory or none, not '%.60s': choose one "
        "of these",
        setup->address);
}
