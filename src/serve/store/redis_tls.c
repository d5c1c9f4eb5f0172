/* See redis_tls.h. */
#include "serve/store/redis_tls.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/util.h"

/* GnuTLS says "again" after a record without data, too, though more may be there: the events are
 * edges, so nobody would tell us of that. */
static bool more_is_there(const struct redis_tls *tls)
{
    char byte;
    return recv(tls->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* ── Why a connection was lost ───────────────────────────────────────────────────────────────── */

static void lose(struct redis_tls *tls, const char *what, const char *why, const char *remedy)
{
    snprintf(tls->lost, sizeof(tls->lost), "%s%s", what, why);
    tls->remedy = remedy;
}

/* Its certificate is not trusted. What stands further up explains what stands below. */
static void distrust(struct redis_tls *tls)
{
    static const struct {
        unsigned status;
        const char *what, *remedy;
    } rows[] = {
        {GNUTLS_CERT_SIGNER_NOT_FOUND, "signed by nobody that is trusted",
         "name a file with its CA: ?ca=FILE"},
        {GNUTLS_CERT_EXPIRED, "no longer valid", "give Redis a new one"},
        {GNUTLS_CERT_NOT_ACTIVATED, "not yet valid", "set this host's clock"},
        {GNUTLS_CERT_UNEXPECTED_OWNER, "that of another host",
         "name the host as its certificate does"},
        {GNUTLS_CERT_INVALID, "not valid", "give Redis a valid one"},
    };
    unsigned status = gnutls_session_get_verify_cert_status(tls->session);
    size_t i = 0;
    while (i < ARRAY_LEN(rows) - 1 && (status & rows[i].status) == 0)
        i++;
    lose(tls, "its certificate is ", rows[i].what, rows[i].remedy);
}

static void explain(struct redis_tls *tls, int error)
{
    if (error == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR)
        distrust(tls);
    else if (error == GNUTLS_E_FATAL_ALERT_RECEIVED &&
             gnutls_alert_get(tls->session) == GNUTLS_A_CERTIFICATE_REQUIRED)
        lose(tls, "it wants a certificate of this node, which has none", "",
             "set tls-auth-clients to no");
    else
        lose(tls, "TLS: ", gnutls_strerror(error), NULL);
}

/* ── A connection ────────────────────────────────────────────────────────────────────────────── */

int redis_tls_begin(struct redis_tls *tls, int fd, const char *host)
{
    if (gnutls_init(&tls->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) < 0 ||
        gnutls_set_default_priority(tls->session) < 0 ||
        gnutls_credentials_set(tls->session, GNUTLS_CRD_CERTIFICATE, tls->trust) < 0) {
        lose(tls, "TLS can't be set up", "", NULL);
        return -1;
    }
    gnutls_server_name_set(tls->session, GNUTLS_NAME_DNS, host, strlen(host));
    gnutls_session_set_verify_cert(tls->session, host, 0);
    gnutls_transport_set_int(tls->session, fd);
    tls->fd = fd;
    return 0;
}

void redis_tls_end(struct redis_tls *tls)
{
    if (tls->session != NULL)
        gnutls_deinit(tls->session);
    tls->session = NULL;
}

int redis_tls_shake_hands(struct redis_tls *tls)
{
    int result;
    do
        result = gnutls_handshake(tls->session);
    while (result == GNUTLS_E_INTERRUPTED || (result == GNUTLS_E_AGAIN && more_is_there(tls) &&
                                              gnutls_record_get_direction(tls->session) == 0));
    if (result == GNUTLS_E_SUCCESS)
        return 1;
    if (!gnutls_error_is_fatal(result))
        return 0;
    explain(tls, result);
    return -1;
}

ssize_t redis_tls_send(struct redis_tls *tls, const char *data, size_t size)
{
    ssize_t result = gnutls_record_send(tls->session, data, size);
    if (result >= 0)
        return result;
    bool later = result == GNUTLS_E_AGAIN || result == GNUTLS_E_INTERRUPTED;
    if (!later)
        explain(tls, (int)result);
    errno = later ? EAGAIN : EPROTO;
    return -1;
}

/* With TLS 1.3 the server tells here, not in the handshake, that it wants a certificate. */
ssize_t redis_tls_receive(struct redis_tls *tls, char *data, size_t size)
{
    ssize_t result;
    do
        result = gnutls_record_recv(tls->session, data, size);
    while (result == GNUTLS_E_INTERRUPTED || (result == GNUTLS_E_AGAIN && more_is_there(tls)));
    if (result >= 0)
        return result;
    if (result != GNUTLS_E_AGAIN)
        explain(tls, (int)result);
    errno = result == GNUTLS_E_AGAIN ? EAGAIN : EPROTO;
    return -1;
}

/* ── Trust ───────────────────────────────────────────────────────────────────────────────────── */

int redis_tls_open(struct redis_tls *tls, const char *ca)
{
    if (gnutls_certificate_allocate_credentials(&tls->trust) < 0)
        return -1;
    int count = ca != NULL
                    ? gnutls_certificate_set_x509_trust_file(tls->trust, ca, GNUTLS_X509_FMT_PEM)
                    : gnutls_certificate_set_x509_system_trust(tls->trust);
    errno = ENOENT;
    return count > 0 || ca == NULL ? 0 : -1;
}

void redis_tls_close(struct redis_tls *tls)
{
    redis_tls_end(tls);
    if (tls->trust != NULL)
        gnutls_certificate_free_credentials(tls->trust);
    tls->trust = NULL;
}
