/* See dontfork.h. A clone copies the page tables of each mapping, and a library has five mappings.
 * The first process of a job executes no other program, and of the service's libraries it needs
 * only the C library. Our calls into that are bound when the program starts (-z now). It makes none
 * of the calls that the C library itself binds later: the dynamic linker would look for them in all
 * libraries. */
#include "serve/process/dontfork.h"

#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/util.h"

/* Names without versions: libmicrohttpd, GnuTLS, nettle, libsystemd, libcurl and what they need. A
 * library that is missing here only costs time. */
static bool is_the_services(const char *path)
{
    static const char *const names[] = {
        "libmicrohttpd", "libgnutls",   "libnettle",      "libhogweed",   "libgmp",
        "libtasn1",      "libidn2",     "libp11-kit",     "libunistring", "libffi",
        "libsystemd",    "libgcrypt",   "libgpg-error",   "libcap",       "libsqlite3",
        "libhiredis",    "liblz4",      "liblzma",        "libzstd",      "libcurl-gnutls",
        "libnghttp2",    "librtmp",     "libssh2",        "libpsl",       "libgssapi_krb5",
        "libkrb5",       "libk5crypto", "libkrb5support", "libcom_err",   "libkeyutils",
        "libldap-2",     "liblber-2",   "libsasl2",       "libbrotlidec", "libbrotlicommon",
        "libcrypto",     "libz"};
    const char *name = strrchr(path, '/');
    for (size_t i = 0; name != NULL && i < ARRAY_LEN(names); i++) {
        size_t length = strlen(names[i]);
        if (strncmp(name + 1, names[i], length) == 0 && name[1 + length] == '.')
            return true;
    }
    return false;
}

static int dontfork(struct dl_phdr_info *library, size_t size, void *user)
{
    (void)size, (void)user;
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (int i = 0; is_the_services(library->dlpi_name) && i < library->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &library->dlpi_phdr[i];
        if (part->p_type != PT_LOAD)
            continue;
        uintptr_t start = library->dlpi_addr + part->p_vaddr, end = start + part->p_memsz;
        start &= ~(page - 1);
        /* NOLINTNEXTLINE(performance-no-int-to-ptr): as the dynamic linker has it */
        madvise((void *)start, end - start, MADV_DONTFORK);
    }
    return 0;
}

/* A sanitizer's library does bind calls later. */
void dontfork_libraries(void)
{
#ifdef __SANITIZE_ADDRESS__
    return;
#endif
    dl_iterate_phdr(dontfork, NULL);
}
