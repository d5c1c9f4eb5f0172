/* What a browser can be made to send, and which of it goes through. */
#include "unit.h"

#include "common/util.h"
#include "serve/http/guard.h"

enum { OK = 0, BAD = 400, FORBIDDEN = 403, TYPE = 415, MISDIRECTED = 421 };

static char *no_list[] = {NULL};
static char *my_hosts[] = {"sandbox.example.org", "other.example.org:8443", NULL};
static char *any_host[] = {"*", NULL};
static char *my_origins[] = {"https://app.example.org", NULL};

static const struct config plain = {.hosts = no_list, .origins = no_list};
static const struct config named = {.hosts = my_hosts, .origins = my_origins};
static const struct config open = {.hosts = any_host, .origins = NULL};
static const struct config guarded = {.tokens = "/etc/tokens"};

static unsigned check(const struct config *config, const char *method, const char *host,
                      const char *origin, const char *site)
{
    const struct guard_input input = {
        .method = method, .host = host, .origin = origin, .fetch_site = site};
    struct sb_error err;
    unsigned status = guard_check(config, &input, &err);
    if (status != 0)
        assert_sentence(&err);
    return status;
}

static void names_that_others_can_point_here_are_refused(void **state)
{
    (void)state;
    static const struct {
        const struct config *config;
        const char *host;
        unsigned status;
    } rows[] = {
        {&plain, "127.0.0.1", OK},
        {&plain, "127.0.0.1:8000", OK},
        {&plain, "192.0.2.1:8000", OK}, /* a rebound name is never an address */
        {&plain, "[::1]:8000", OK},
        {&plain, "[::1]", OK},
        {&plain, "localhost", OK},
        {&plain, "LocalHost:8000", OK},
        {&plain, "localhost.:8000", OK},
        {&plain, "app.localhost:8000", OK},
        {&plain, NULL, OK}, /* HTTP/1.0; no browser */
        {&plain, "evil.example", MISDIRECTED},
        {&plain, "evil.example:8000", MISDIRECTED},
        {&plain, "localhost.evil.example", MISDIRECTED},
        {&plain, "evillocalhost", MISDIRECTED},
        {&plain, "127.0.0.1.evil.example", MISDIRECTED},
        {&plain, ".localhost", MISDIRECTED},
        {&plain, "127.1", MISDIRECTED},
        {&plain, "[::1].evil.example", BAD},
        {&plain, "localhost:evil", BAD},
        {&plain, "localhost:80:80", BAD},
        {&plain, "", BAD},
        {&plain, ":8000", BAD},
        {&plain, "evil.example/127.0.0.1", BAD},
        {&plain, "user@localhost", BAD},
        {&plain, "localhost, evil.example", BAD},
        {&named, "sandbox.example.org", OK},
        {&named, "Sandbox.Example.ORG:9000", OK},
        {&named, "other.example.org:8443", OK},
        {&named, "other.example.org:8444", MISDIRECTED},
        {&named, "xsandbox.example.org", MISDIRECTED},
        {&open, "evil.example", OK},
        {&guarded, "evil.example", OK}, /* its page knows no token */
        {&guarded, "", BAD},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        unsigned status = check(rows[i].config, "POST", rows[i].host, NULL, NULL);
        if (status != rows[i].status)
            fail_msg("Host '%s': %u, not %u", rows[i].host, status, rows[i].status);
    }
}

static void a_unix_socket_has_any_name(void **state)
{
    (void)state;
    const struct guard_input input = {.method = "POST", .host = "whatever", .private_socket = true};
    struct sb_error err;
    assert_int_equal(guard_check(&plain, &input, &err), OK);
}

static void pages_of_other_origins_are_refused(void **state)
{
    (void)state;
    static const struct {
        const struct config *config;
        const char *host, *origin;
        unsigned status;
    } rows[] = {
        {&plain, "localhost:8000", "http://localhost:8000", OK},
        {&plain, "127.0.0.1:8000", "http://127.0.0.1:8000", OK},
        {&plain, "[::1]:8000", "http://[::1]:8000", OK},
        {&plain, "localhost", "http://localhost", OK},
        {&plain, "localhost:80", "http://localhost", OK},
        {&plain, "localhost", "http://LOCALHOST:80", OK},
        {&plain, "localhost", "https://localhost", OK}, /* TLS ends at a proxy */
        {&plain, "localhost:8000", "http://localhost:3000", FORBIDDEN},
        {&plain, "localhost:8000", "http://localhost", FORBIDDEN},
        {&plain, "localhost:8000", "http://127.0.0.1:8000", FORBIDDEN},
        {&plain, "localhost:8000", "http://evil.example", FORBIDDEN},
        {&plain, "localhost:8000", "http://localhost:8000.evil.example", FORBIDDEN},
        {&plain, "localhost:8000", "http://localhost:80001", FORBIDDEN},
        {&plain, "localhost:8000", "null", FORBIDDEN},
        {&plain, "localhost:8000", "", FORBIDDEN},
        {&plain, "localhost:8000", "http://", FORBIDDEN},
        {&plain, "localhost:8000", "file://", FORBIDDEN},
        {&plain, "localhost:8000", "chrome-extension://localhost:8000", FORBIDDEN},
        {&plain, NULL, "http://localhost:8000", FORBIDDEN},
        {&named, "localhost:8000", "https://app.example.org", OK},
        {&named, "localhost:8000", "http://app.example.org", FORBIDDEN},
        {&named, "localhost:8000", "https://app.example.org:444", FORBIDDEN},
        {&named, "localhost:8000", "https://app.example.org.evil.example", FORBIDDEN},
        {&guarded, "example.org", "https://evil.example", FORBIDDEN},
        {&guarded, "example.org", "https://example.org", OK},
    };
    static const char *const methods[] = {"POST", "GET", "OPTIONS"};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (size_t j = 0; j < ARRAY_LEN(methods); j++) {
            unsigned status =
                check(rows[i].config, methods[j], rows[i].host, rows[i].origin, "cross-site");
            if (status != rows[i].status)
                fail_msg("Origin '%s' at '%s': %u, not %u", rows[i].origin, rows[i].host, status,
                         rows[i].status);
        }
}

static void without_an_origin_the_browsers_word_counts(void **state)
{
    (void)state;
    static const struct {
        const char *method, *site;
        unsigned status;
    } rows[] = {
        {"POST", NULL, OK},         {"POST", "same-origin", OK},   {"POST", "none", OK},
        {"POST", "same-site", 403}, {"POST", "cross-site", 403},   {"POST", "nonsense", 403},
        {"GET", "cross-site", OK}, /* a link to the page */
        {"HEAD", "cross-site", OK}, {"DELETE", "cross-site", 403},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(check(&plain, rows[i].method, "localhost", NULL, rows[i].site),
                         rows[i].status);
}

/* A proxy that puts its own name into Host: which page asks is the browser's word alone. */
static void behind_a_proxy_the_browsers_word_counts_for_names_of_ours(void **state)
{
    (void)state;
    static const struct {
        const struct config *config;
        const char *host, *origin, *site;
        unsigned status;
    } rows[] = {
        /* nginx: "proxy_pass" alone, and "Host $host", which drops the port. */
        {&plain, "127.0.0.1:8000", "http://localhost:8080", "same-origin", OK},
        {&plain, "localhost", "http://localhost:8080", "same-origin", OK},
        {&plain, "127.0.0.1:8000", "https://192.0.2.1", "same-origin", OK},
        {&plain, "127.0.0.1:8000", "https://[::1]:8443", "same-origin", OK},
        {&named, "127.0.0.1:8000", "https://sandbox.example.org", "same-origin", OK},
        {&named, "127.0.0.1:8000", "https://Sandbox.Example.Org:8443", "same-origin", OK},
        {&named, "127.0.0.1:8000", "https://other.example.org:8443", "same-origin", OK},
        {&guarded, "127.0.0.1:8000", "https://sandbox.example.org", "same-origin", OK},
        {&open, "127.0.0.1:8000", "https://sandbox.example.org", "same-origin", OK},
        /* A name that was made to point here is same-origin, too. */
        {&plain, "127.0.0.1:8000", "https://evil.example", "same-origin", MISDIRECTED},
        {&plain, "127.0.0.1:8000", "https://localhost.evil.example", "same-origin", MISDIRECTED},
        {&plain, "127.0.0.1:8000", "https://127.0.0.1.nip.io:8000", "same-origin", MISDIRECTED},
        {&named, "127.0.0.1:8000", "https://evil.example", "same-origin", MISDIRECTED},
        {&named, "127.0.0.1:8000", "https://other.example.org:8444", "same-origin", MISDIRECTED},
        {&plain, "evil.example", "http://localhost:8080", "same-origin", MISDIRECTED},
        /* Another port of this host is another page. */
        {&plain, "localhost", "http://localhost:3000", "same-site", FORBIDDEN},
        {&plain, "127.0.0.1:8000", "http://127.0.0.1:3000", "same-site", FORBIDDEN},
        {&plain, "127.0.0.1:8000", "http://localhost:8080", "cross-site", FORBIDDEN},
        {&guarded, "127.0.0.1:8000", "https://evil.example", "cross-site", FORBIDDEN},
        /* No browser says any of these. */
        {&plain, "127.0.0.1:8000", "http://localhost:8080", NULL, FORBIDDEN},
        {&plain, "127.0.0.1:8000", "http://localhost:8080", "", FORBIDDEN},
        {&plain, "127.0.0.1:8000", "http://localhost:8080", "none", FORBIDDEN},
        {&plain, "127.0.0.1:8000", "http://localhost:8080", "Same-Origin", FORBIDDEN},
        {&plain, "127.0.0.1:8000", "http://localhost:8080", "same-origin, none", FORBIDDEN},
        {&plain, "127.0.0.1:8000", "null", "same-origin", FORBIDDEN},
        {&plain, "127.0.0.1:8000", "", "same-origin", FORBIDDEN},
        {&plain, "127.0.0.1:8000", "localhost:8080", "same-origin", FORBIDDEN},
        {&plain, "127.0.0.1:8000", "file://localhost", "same-origin", FORBIDDEN},
        {&plain, "127.0.0.1:8000", "chrome-extension://localhost", "same-origin", FORBIDDEN},
        {&plain, "127.0.0.1:8000", "http://", "same-origin", FORBIDDEN},
        {&plain, "127.0.0.1:8000", "http://localhost:evil", "same-origin", FORBIDDEN},
        {&plain, "127.0.0.1:8000", "http://evil.example@localhost", "same-origin", FORBIDDEN},
        {&plain, "127.0.0.1:8000", "http://localhost, http://evil.example", "same-origin",
         FORBIDDEN},
        {&guarded, "127.0.0.1:8000", "null", "same-origin", FORBIDDEN},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        unsigned status = check(rows[i].config, "POST", rows[i].host, rows[i].origin, rows[i].site);
        if (status != rows[i].status)
            fail_msg("Origin '%s' at '%s', %s: %u, not %u", rows[i].origin, rows[i].host,
                     rows[i].site, status, rows[i].status);
    }
}

/* What has to be done differs: behind a proxy, for a name of one's own, for another site. */
static void a_refusal_names_what_mends_it(void **state)
{
    (void)state;
    static const struct {
        const char *origin, *site, *says, *not ;
    } rows[] = {
        {"http://192.0.2.7:8080", NULL, "proxy_set_header Host $http_host", "--host"},
        {"https://sandbox.example.org", "same-origin", "--host sandbox.example.org", "--origin"},
        {"https://sandbox.example.org", "cross-site", "--origin https://sandbox.example.org",
         "proxy"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct guard_input input = {.method = "POST",
                                          .host = "127.0.0.1:8000",
                                          .origin = rows[i].origin,
                                          .fetch_site = rows[i].site};
        struct sb_error err;
        assert_int_not_equal(guard_check(&plain, &input, &err), OK);
        assert_string_equal(err.field, "Origin");
        if (strstr(err.message, rows[i].says) == NULL || strstr(err.message, rows[i].not ) != NULL)
            fail_msg("Origin '%s', %s: %s", rows[i].origin, rows[i].site, err.message);
    }
}

static void only_json_is_taken_for_json(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        unsigned status;
    } rows[] = {
        {"application/json", OK},
        {"Application/JSON", OK},
        {"application/json; charset=utf-8", OK},
        {"application/json;charset=UTF-8", OK},
        {"application/json; charset=\"utf-8\"", OK},
        {"application/json; indent=4", OK},
        {NULL, TYPE}, /* fetch() with a Blob sends none, and asks nobody first */
        {"", TYPE},
        {"text/plain", TYPE},
        {"text/plain; application/json", TYPE},
        {"text/plain;application/json", TYPE},
        {"application/x-www-form-urlencoded", TYPE},
        {"multipart/form-data; boundary=application/json", TYPE},
        {"application/jsonp", TYPE},
        {"application/json-patch+json", TYPE},
        {"application/json, text/plain", TYPE},
        {"application/json; charset=utf-16", TYPE},
        {"application/json; charset=latin-1", TYPE},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sb_error err;
        unsigned status = guard_body(rows[i].type, NULL, false, &err);
        if (status != rows[i].status)
            fail_msg("'%s': %u", rows[i].type, status);
        if (status != 0) {
            assert_says(&err, "Content-Type: application/json");
            assert_sentence(&err);
        }
    }
}

static void a_body_must_not_be_encoded(void **state)
{
    (void)state;
    static const char *const plain_ones[] = {NULL, "", "identity", "IDENTITY", "identity \t"};
    static const char *const others[] = {"gzip", "identity, gzip", "identityx", "identit", "br",
                                         "x"};
    struct sb_error err;
    for (size_t i = 0; i < ARRAY_LEN(plain_ones); i++)
        assert_int_equal(guard_body("application/json", plain_ones[i], false, &err), OK);
    assert_int_equal(guard_body("text/plain", "identity", false, &err), TYPE);
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        assert_int_equal(guard_body("application/json", others[i], false, &err), TYPE);
        assert_string_equal(err.field, "Content-Encoding");
        assert_says(&err, others[i]);
        assert_sentence(&err);
    }
}

static void forms_are_taken_where_they_are_wanted(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        unsigned status;
    } rows[] = {
        {"multipart/form-data; boundary=x", OK},
        {"Multipart/Form-Data;boundary=x", OK},
        {"multipart/form-data", OK}, /* that its boundary is missing is said later */
        {"application/json", OK},
        {"multipart/form-datax; boundary=x", TYPE},
        {"multipart/mixed; boundary=x", TYPE},
        {"application/x-www-form-urlencoded", TYPE},
        {"text/plain", TYPE},
        {NULL, TYPE},
    };
    struct sb_error err;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (guard_body(rows[i].type, NULL, true, &err) != rows[i].status)
            fail_msg("'%s'", rows[i].type != NULL ? rows[i].type : "none");
        if (rows[i].status == TYPE)
            assert_says(&err, "curl -F");
    }
    assert_int_equal(guard_body("multipart/form-data; boundary=x", NULL, false, &err), TYPE);
    assert_int_equal(guard_body("multipart/form-data; boundary=x", "gzip", true, &err), TYPE);
    assert_int_equal(guard_form(NULL, NULL, "Mozilla/4.0", &err), FORBIDDEN);
    assert_sentence(&err);
    assert_int_equal(guard_form(NULL, NULL, "curl/7.88.1", &err), OK);
    assert_int_equal(guard_form(NULL, NULL, NULL, &err), OK);
    assert_int_equal(guard_form("http://localhost", NULL, "Mozilla/5.0", &err), OK);
    assert_int_equal(guard_form(NULL, "same-origin", "Mozilla/5.0", &err), OK);
}

static void a_host_that_does_not_count_must_be_one_all_the_same(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        unsigned status;
    } rows[] = {{"evil.example", OK}, {"localhost", OK}, {"a b", BAD}, {"", BAD}, {"a@b", BAD}};
    struct sb_error err;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct guard_input input = {
            .method = "GET", .host = "localhost", .ignored_host = rows[i].host};
        assert_int_equal(guard_check(&plain, &input, &err), rows[i].status);
    }
}

static void only_configured_origins_may_read(void **state)
{
    (void)state;
    static char *every[] = {"*", NULL};
    const struct config all = {.origins = every, .tokens = "/x"};
    assert_true(guard_origin_configured(&named, "https://app.example.org"));
    assert_false(guard_origin_configured(&named, "https://app.example.orgx"));
    assert_false(guard_origin_configured(&named, "null"));
    assert_false(guard_origin_configured(&plain, "https://app.example.org"));
    assert_false(guard_origin_configured(&guarded, "https://app.example.org"));
    assert_true(guard_origin_configured(&all, "https://anything.example"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_that_others_can_point_here_are_refused),
        cmocka_unit_test(a_unix_socket_has_any_name),
        cmocka_unit_test(pages_of_other_origins_are_refused),
        cmocka_unit_test(without_an_origin_the_browsers_word_counts),
        cmocka_unit_test(behind_a_proxy_the_browsers_word_counts_for_names_of_ours),
        cmocka_unit_test(a_refusal_names_what_mends_it),
        cmocka_unit_test(only_json_is_taken_for_json),
        cmocka_unit_test(a_body_must_not_be_encoded),
        cmocka_unit_test(forms_are_taken_where_they_are_wanted),
        cmocka_unit_test(a_host_that_does_not_count_must_be_one_all_the_same),
        cmocka_unit_test(only_configured_origins_may_read),
    };
    return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
