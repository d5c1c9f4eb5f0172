/* Which URLs and addresses callbacks may go to. */
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

#include "common/util.h"
#include "serve/jobs/callback_url.h"

static struct sockaddr_storage socket_address(const char *text)
{
    struct sockaddr_storage storage = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&storage;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&storage;
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1)
        storage.ss_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1)
        storage.ss_family = AF_INET6;
    else
        fail_msg("%s is an address", text);
    return storage;
}

static const char *refused(const struct callback_host *host, const char *text)
{
    struct sockaddr_storage address = socket_address(text);
    return callback_address_refused(host, (struct sockaddr *)&address);
}

static struct callback_hosts read_hosts(const char *const *texts)
{
    struct callback_hosts hosts;
    struct sb_error err;
    if (callback_hosts_read(&hosts, texts, &err) < 0)
        fail_msg("%s", err.message);
    return hosts;
}

static void a_name_leads_to_addresses_of_the_public_internet_alone(void **state)
{
    (void)state;
    static const struct {
        const char *address, *kind;
    } cases[] = {
        {"0.0.0.0", "unspecified"},
        {"0.1.2.3", "unspecified"},
        {"1.1.1.1", NULL},
        {"9.255.255.255", NULL},
        {"10.0.0.0", "private"},
        {"10.255.255.255", "private"},
        {"11.0.0.0", NULL},
        {"100.63.255.255", NULL},
        {"100.64.0.0", "shared by carriers (CGNAT)"},
        {"100.100.100.200", "shared by carriers (CGNAT)"},
        {"100.127.255.255", "shared by carriers (CGNAT)"},
        {"100.128.0.0", NULL},
        {"126.255.255.255", NULL},
        {"127.0.0.1", "loopback"},
        {"127.255.255.254", "loopback"},
        {"128.0.0.1", NULL},
        {"168.63.129.16", "a cloud's own"},
        {"168.63.129.17", NULL},
        {"169.253.255.255", NULL},
        {"169.254.169.254", "link-local"},
        {"172.15.255.255", NULL},
        {"172.16.0.1", "private"},
        {"172.31.255.255", "private"},
        {"172.32.0.0", NULL},
        {"192.0.0.192", "reserved"},
        {"192.0.2.1", "for documentation"},
        {"192.88.99.1", "a relay into IPv6"},
        {"192.167.255.255", NULL},
        {"192.168.0.1", "private"},
        {"192.169.0.0", NULL},
        {"198.17.255.255", NULL},
        {"198.18.0.1", "for benchmarks"},
        {"198.19.255.255", "for benchmarks"},
        {"198.51.100.7", "for documentation"},
        {"203.0.113.7", "for documentation"},
        {"223.255.255.255", NULL},
        {"224.0.0.1", "multicast"},
        {"239.255.255.255", "multicast"},
        {"240.0.0.1", "reserved"},
        {"255.255.255.255", "reserved"},
        {"::", "unspecified"},
        {"::1", "loopback"},
        {"::2", "IPv4 in IPv6"},
        {"::7f00:1", "IPv4 in IPv6"},
        {"::ffff:127.0.0.1", "IPv4 in IPv6"},
        {"::ffff:1.1.1.1", "IPv4 in IPv6"},
        {"::ffff:0:1.1.1.1", "reserved"},
        {"64:ff9b::7f00:1", "IPv4 behind a translator (NAT64)"},
        {"64:ff9b:1::a00:1", "IPv4 behind a translator (NAT64)"},
        {"100::1", "reserved"},
        {"1fff::1", "reserved"},
        {"2001::1", "IPv4 in a tunnel (Teredo)"},
        {"2001:2::1", "reserved"},
        {"2001:1ff:ffff::1", "reserved"},
        {"2001:200::1", NULL},
        {"2001:db8::1", "for documentation"},
        {"2001:db9::1", NULL},
        {"2002:7f00:1::1", "IPv4 in a tunnel (6to4)"},
        {"2606:4700:4700::1111", NULL},
        {"3fff:fff::1", "for documentation"},
        {"3fff:1000::1", NULL},
        {"4000::1", "reserved"},
        {"5f00::1", "reserved"},
        {"fbff::1", "reserved"},
        {"fc00::1", "private"},
        {"fd00:ec2::254", "private"},
        {"fe80::1", "link-local"},
        {"febf::1", "link-local"},
        {"fec0::1", "site-local"},
        {"ff02::1", "multicast"},
    };
    static const char *const texts[] = {"hooks.example.org", NULL};
    struct callback_hosts hosts = read_hosts(texts);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *kind = refused(&hosts.host[0], cases[i].address);
        if ((kind == NULL) != (cases[i].kind == NULL) ||
            (kind != NULL && strcmp(kind, cases[i].kind) != 0))
            fail_msg("%s: %s, not %s", cases[i].address, kind != NULL ? kind : "allowed",
                     cases[i].kind != NULL ? cases[i].kind : "allowed");
    }
    const struct sockaddr unix_socket = {.sa_family = AF_UNIX};
    assert_string_equal(callback_address_refused(&hosts.host[0], &unix_socket),
                        "not of the Internet");
    callback_hosts_free(&hosts);
}

static void an_address_that_was_named_allows_itself_and_no_other(void **state)
{
    (void)state;
    static const char *const texts[] = {"127.0.0.1:8080", "[FD00:0::1]", "::ffff:10.0.0.1", NULL};
    struct callback_hosts hosts = read_hosts(texts);
    assert_null(refused(&hosts.host[0], "127.0.0.1"));
    assert_string_equal(refused(&hosts.host[0], "127.0.0.2"), "loopback");
    assert_string_equal(refused(&hosts.host[0], "::ffff:127.0.0.1"), "IPv4 in IPv6");
    assert_null(refused(&hosts.host[1], "fd00::1"));
    assert_string_equal(refused(&hosts.host[1], "fd00::2"), "private");
    assert_null(refused(&hosts.host[2], "::ffff:10.0.0.1"));
    assert_string_equal(refused(&hosts.host[2], "10.0.0.1"), "private");
    callback_hosts_free(&hosts);
}

static void hosts_are_names_or_addresses_perhaps_with_a_port(void **state)
{
    (void)state;
    static const struct {
        const char *text, *name;
        uint16_t port;
    } good[] = {
        {"Hooks.Example.ORG", "hooks.example.org", 0},
        {"hooks.example.org.", "hooks.example.org", 0},
        {"hooks:8443", "hooks", 8443},
        {"my_hooks-2.example.org:1", "my_hooks-2.example.org", 1},
        {"192.0.2.7", "192.0.2.7", 0},
        {"192.0.2.7:65535", "192.0.2.7", 65535},
        {"2001:DB8:0::7", "2001:db8::7", 0},
        {"[2001:db8::7]", "2001:db8::7", 0},
        {"[2001:db8::7]:443", "2001:db8::7", 443},
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        const char *const texts[] = {good[i].text, NULL};
        struct callback_hosts hosts = read_hosts(texts);
        assert_string_equal(hosts.host[0].name, good[i].name);
        assert_int_equal(hosts.host[0].port, good[i].port);
        callback_hosts_free(&hosts);
    }
    static const char *const wrong[] = {"",
                                        "*",
                                        "*.example.org",
                                        "a b",
                                        "https://example.org",
                                        "a:0",
                                        "a:65536",
                                        "a:",
                                        "a:8x",
                                        "[192.0.2.7]",
                                        "[::1",
                                        "[::1]8",
                                        "[::1]:0",
                                        "127.1",
                                        "2130706433",
                                        "0x7f.0.1",
                                        "a..b",
                                        ".a",
                                        "a/b",
                                        "user@example.org",
                                        "::1::2",
                                        "fe80::1%2",
                                        "ex\xc3\xa4mple.org"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        const char *const texts[] = {wrong[i], NULL};
        struct callback_hosts hosts;
        struct sb_error err = {0};
        if (callback_hosts_read(&hosts, texts, &err) == 0)
            fail_msg("'%s' is no host", wrong[i]);
        assert_sentence(&err);
        assert_says(&err, "--callback-host is HOST or HOST:PORT");
        callback_hosts_free(&hosts);
    }
}

static void this_host_is_named_by_its_address(void **state)
{
    (void)state;
    static const char *const names[] = {"localhost", "LOCALHOST.:80", "a.localhost"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *const texts[] = {names[i], NULL};
        struct callback_hosts hosts;
        struct sb_error err = {0};
        assert_int_equal(callback_hosts_read(&hosts, texts, &err), -1);
        assert_says(&err, "name 127.0.0.1 or ::1");
        callback_hosts_free(&hosts);
    }
}

static void urls_lead_to_hosts_that_were_named(void **state)
{
    (void)state;
    static const char *const texts[] = {"hooks.example.org",  "hooks.example.org:8443",
                                        "127.0.0.1:9000",     "[::1]:9000",
                                        "xn--exmple-cua.org", NULL};
    static const struct {
        const char *url;
        int host;         /* −1: it is refused */
        const char *says; /* NULL: that it may not lead there */
    } cases[] = {
        {"https://hooks.example.org", 0, NULL},
        {"http://hooks.example.org/a/b?c=d&e=%20", 0, NULL},
        {"HTTPS://Hooks.Example.Org./", 0, NULL},
        {"https://hooks.example.org:443/", 0, NULL},
        {"http://hooks.example.org:80/", 0, NULL},
        {"http://hooks.example.org:443/", -1, NULL},
        {"https://hooks.example.org:80/", -1, NULL},
        {"https://hooks.example.org:8443/", 1, NULL},
        {"https://hooks.example.org:8444/", -1, NULL},
        {"http://127.0.0.1:9000/", 2, NULL},
        {"http://0x7f.1:9000/", 2, NULL}, /* curl's spelling of the same address */
        {"http://127.0.0.1/", -1, NULL},
        {"http://127.0.0.2:9000/", -1, NULL},
        {"http://[::1]:9000/", 3, NULL},
        {"http://[0:0::1]:9000/", 3, NULL},
        {"http://[::ffff:127.0.0.1]:9000/", -1, NULL},
        {"http://[fe80::1%25lo]:9000/", -1, "without a zone"},
        {"https://xn--exmple-cua.org/", 4, NULL},
        {"https://ex\xc3\xa4mple.org/", -1, "punycode"},
        {"https://evil.example/", -1, NULL},
        {"https://evilhooks.example.org/", -1, NULL},
        {"https://hooks.example.org.evil.example/", -1, NULL},
        {"https://hooks.example.org@evil.example/", -1, "no user"},
        {"https://me:secret@hooks.example.org/", -1, "no user"},
        {"https://hooks.example.org#@evil.example/", -1, "no fragment"},
        {"https://hooks.example.org\\@evil.example/", -1, "percent-encoded"},
        {"https://hooks.example.org/ HTTP/1.1", -1, "percent-encoded"},
        {"https://hooks.example.org/\r\nX: y", -1, "percent-encoded"},
        {"https://evil%2eexample/", -1, NULL},
        {"https://hooks%2eexample.org/", 0, NULL},
        {"ftp://hooks.example.org/", -1, "must begin with https://"},
        {"file:///etc/passwd", -1, "must begin with https://"},
        {"gopher://hooks.example.org/", -1, "must begin with https://"},
        {"http:/hooks.example.org/", -1, "must begin with https://"},
        {"http:///hooks.example.org/", -1, "must begin with https://"},
        {"//hooks.example.org/", -1, "must begin with https://"},
        {"hooks.example.org", -1, "must begin with https://"},
        {"", -1, "must begin with https://"},
        {"http://", -1, "must begin with https://"},
        {"http://:9000/", -1, "must be a URL"},
        {"http://hooks.example.org:99999/", -1, "must be a URL"},
        {"http://hooks.example.org:x/", -1, "must be a URL"},
    };
    struct callback_hosts hosts = read_hosts(texts);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CURLU *url;
        size_t host = 99;
        struct sb_error err = {0};
        int result = callback_url_read(&url, &host, &hosts, cases[i].url, &err);
        if ((result == 0) != (cases[i].host >= 0))
            fail_msg("%s is %s: %s", cases[i].url, result == 0 ? "allowed" : "refused",
                     err.message);
        if (result == 0)
            assert_int_equal(host, cases[i].host);
        else
            assert_string_equal(err.field, "callback.url");
        if (result < 0)
            assert_says(&err, cases[i].says != NULL ? cases[i].says : "may send nothing");
        curl_url_cleanup(url);
    }
    callback_hosts_free(&hosts);
}

static void a_url_has_2048_characters_at_most(void **state)
{
    (void)state;
    static const char *const texts[] = {"a", NULL};
    static char url[2050];
    struct callback_hosts hosts = read_hosts(texts);
    struct sb_error err = {0};
    CURLU *read;
    size_t host;
    memset(url, 'x', 2049);
    memcpy(url, "http://a/", 9);
    assert_int_equal(callback_url_read(&read, &host, &hosts, url, &err), -1);
    assert_says(&err, "2048");
    url[2048] = '\0';
    assert_int_equal(callback_url_read(&read, &host, &hosts, url, &err), 0);
    curl_url_cleanup(read);
    callback_hosts_free(&hosts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_leads_to_addresses_of_the_public_internet_alone),
        cmocka_unit_test(an_address_that_was_named_allows_itself_and_no_other),
        cmocka_unit_test(hosts_are_names_or_addresses_perhaps_with_a_port),
        cmocka_unit_test(this_host_is_named_by_its_address),
        cmocka_unit_test(urls_lead_to_hosts_that_were_named),
        cmocka_unit_test(a_url_has_2048_characters_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
