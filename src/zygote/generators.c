/* See generators.h. */
#include "zygote/generators.h"

#include <dlfcn.h>
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/util.h"

/* Versions before 2.34 have some of these in another library, which python has loaded. */
#pragma weak dlopen
#pragma weak dlsym
#pragma weak dlclose
#pragma weak dl_iterate_phdr

enum { GENERATORS_MAX = 8, LIBRARIES_MAX = 1024 };

typedef void (*address)(void);

static address find(void *library, const char *name)
{
    void *found_at = dlsym(library, name);
    address result;
    memcpy(&result, &found_at, sizeof(result));
    return result;
}

/* ── OpenSSL ───────────────────────────────────────────────────────────────────────────────── */

/* The smallest full seed of version 1.1.1. */
#define OPENSSL_SEED_SIZE 64

/* A generator that was never used has no state, and making one would cost a child 2 ms. Version 3
 * refuses to be given another kind of generator once it was used. */
static bool openssl_is_used(void *library)
{
    address set_type = find(library, "RAND_set_DRBG_type");
    address set_mark = find(library, "ERR_set_mark"), to_mark = find(library, "ERR_pop_to_mark");
    if (set_type == NULL || set_mark == NULL || to_mark == NULL)
        return true;
    ((int (*)(void))set_mark)();
    int fresh = ((int (*)(void *, const char *, const char *, const char *, const char *))set_type)(
        NULL, NULL, NULL, NULL, NULL);
    ((int (*)(void))to_mark)();
    return fresh == 0;
}

/* It seeds the generators of each thread, which notice when it is seeded. */
static void openssl_renew(address rand_add)
{
    unsigned char seed[OPENSSL_SEED_SIZE];
    if (syscall(SYS_getrandom, seed, sizeof(seed), 0) != sizeof(seed))
        _exit(125);
    ((void (*)(const void *, int, double))rand_add)(seed, sizeof(seed), sizeof(seed));
}

/* ── Others ────────────────────────────────────────────────────────────────────────────────── */

/* A call for 0 bytes resets its state (https://sqlite.org/c3ref/randomness.html). */
static void sqlite_renew(address sqlite3_randomness)
{
    ((void (*)(int, void *))sqlite3_randomness)(0, NULL);
}

static void gnutls_renew(address gnutls_rnd_refresh)
{
    gnutls_rnd_refresh();
}

static const struct {
    const char *name;
    bool (*is_used)(void *library); /* NULL: perhaps */
    void (*renew)(address function);
} kinds[] = {
    {"RAND_add", openssl_is_used, openssl_renew},
    {"sqlite3_randomness", NULL, sqlite_renew},
    {"gnutls_rnd_refresh", NULL, gnutls_renew},
};

/* ── All ───────────────────────────────────────────────────────────────────────────────────── */

static struct {
    address function;
    void (*renew)(address function);
} found[GENERATORS_MAX];
static size_t found_count;

struct libraries {
    const char *path[LIBRARIES_MAX];
    size_t count;
};

static int note_library(struct dl_phdr_info *info, size_t size, void *data)
{
    struct libraries *libraries = data;
    (void)size;
    if (info->dlpi_name != NULL && info->dlpi_name[0] == '/' && libraries->count < LIBRARIES_MAX)
        libraries->path[libraries->count++] = info->dlpi_name;
    return 0;
}

static bool is_found(address function)
{
    for (size_t i = 0; i < found_count; i++)
        if (found[i].function == function)
            return true;
    return false;
}

/* Several copies of a library may exist, and libraries linked with it have the symbol, too. */
static void look_into(void *library)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        address function = find(library, kinds[i].name);
        if (function == NULL || is_found(function) || found_count == ARRAY_LEN(found) ||
            (kinds[i].is_used != NULL && !kinds[i].is_used(library)))
            continue;
        found[found_count].function = function;
        found[found_count++].renew = kinds[i].renew;
    }
}

bool generators_find(void)
{
    static struct libraries libraries;
    if (dlopen == NULL || dlsym == NULL || dlclose == NULL || dl_iterate_phdr == NULL)
        return false;
    dl_iterate_phdr(note_library, &libraries);
    for (size_t i = 0; i < libraries.count; i++) {
        void *library = dlopen(libraries.path[i], RTLD_LAZY | RTLD_NOLOAD);
        if (library == NULL)
            continue;
        look_into(library);
        dlclose(library);
    }
    return found_count > 0;
}

void generators_renew(void)
{
    for (size_t i = 0; i < found_count; i++)
        found[i].renew(found[i].function);
}
