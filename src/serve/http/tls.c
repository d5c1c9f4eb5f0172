/* Certificates: they are read and tried before they are used, so that a wrong pair is an error and
 * the old pair is kept. */
#include "serve/http/tls.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/error.h"
#include "common/util.h"
#include "serve/config/given_file.h"

enum { PEM_MAX = 1024 * 1024 };

static char *unreadable(const char *path, const char *option, struct sb_error *err)
{
    sb_fail_field(err, "tls", option,
                  "can't read --%s %.200s: %s; name a PEM file that the service's user may read",
                  option, path, strerror(errno));
    return NULL;
}

/* The whole file, NUL-terminated. */
static char *read_file(const char *path, const char *option, struct sb_error *err)
{
    const struct given_file file = {.path = path,
                                    .step = "tls",
                                    .field = option,
                                    .what = strcmp(option, "tls-key") == 0
                                                ? "the key of --tls-key"
                                                : "the certificate of --tls-cert"};
    _cleanup_close_ int fd = given_file_open(&file, err);
    struct stat status;
    if (fd < 0)
        return NULL;
    if (fstat(fd, &status) < 0 || status.st_size > PEM_MAX) {
        sb_fail_field(err, "tls", option, "--%s %.200s is not a PEM file: name one", option, path);
        return NULL;
    }
    size_t room = (size_t)status.st_size;
    char *text = malloc(room + 1);
    ssize_t size = text != NULL ? read(fd, text, room) : -1;
    if (size < 0) {
        free(text);
        return unreadable(path, option, err);
    }
    text[size] = '\0';
    return text;
}

/* When the first certificate of the chain expires; 0: it can't be read. */
static int64_t find_expiry(const gnutls_datum_t *text)
{
    gnutls_x509_crt_t *chain = NULL;
    unsigned count = 0;
    int64_t first = 0;
    if (gnutls_x509_crt_list_import2(&chain, &count, text, GNUTLS_X509_FMT_PEM, 0) < 0)
        return 0;
    for (unsigned i = 0; i < count; i++) {
        int64_t expiry = gnutls_x509_crt_get_expiration_time(chain[i]);
        if (expiry > 0 && (first == 0 || expiry < first))
            first = expiry;
        gnutls_x509_crt_deinit(chain[i]);
    }
    gnutls_free(chain);
    return first;
}

int tls_load(const struct config *config, char **certificates, char **key, int64_t *expiry,
             struct sb_error *err)
{
    gnutls_certificate_credentials_t credentials = NULL;
    *certificates = read_file(config->tls_cert, "tls-cert", err);
    *key = *certificates != NULL ? read_file(config->tls_key, "tls-key", err) : NULL;
    if (*key == NULL)
        return -1;
    gnutls_datum_t cert_text = {(unsigned char *)*certificates, (unsigned)strlen(*certificates)};
    gnutls_datum_t key_text = {(unsigned char *)*key, (unsigned)strlen(*key)};
    int result = gnutls_certificate_allocate_credentials(&credentials);
    if (result >= 0)
        result = gnutls_certificate_set_x509_key_mem(credentials, &cert_text, &key_text,
                                                     GNUTLS_X509_FMT_PEM);
    if (credentials != NULL)
        gnutls_certificate_free_credentials(credentials);
    const char *why = gnutls_strerror(result); /* ends with a full stop */
    if (result < 0)
        return sb_fail_field(
            err, "tls", "tls-cert",
            "the certificate in %.120s and the key in %.120s can't be used: %.*s; give "
            "the chain of certificates as --tls-cert and its own key as --tls-key",
            config->tls_cert, config->tls_key, (int)strcspn(why, "."), why);
    *expiry = find_expiry(&cert_text);
    return 0;
}
