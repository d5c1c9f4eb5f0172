/* Addresses, networks, and who is behind a proxy. */
#include "unit.h"

#include <netinet/in.h>
#include <stdio.h>

#include "common/util.h"
#include "serve/config/address.h"

static struct address parse(const char *text)
{
    struct address address;
    if (!address_parse(&address, text, strlen(text)))
        fail_msg("%s is an address", text);
    return address;
}

static void assert_text(const struct address *address, const char *expected)
{
    char text[ADDRESS_TEXT_SIZE];
    assert_string_equal(address_text(address, text), expected);
}

static void addresses_are_read_as_proxies_write_them(void **state)
{
    (void)state;
    static const char *const good[][2] = {
        {"1.2.3.4", "1.2.3.4"},
        {"1.2.3.4:567", "1.2.3.4"},
        {"::1", "::1"},
        {"[::1]", "::1"},
        {"[::1]:567", "::1"},
        {"2001:DB8::1", "2001:db8::1"},
        {"::ffff:1.2.3.4", "1.2.3.4"},
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct address address = parse(good[i][0]);
        assert_text(&address, good[i][1]);
    }
    static const char *const wrong[] = {"",          "unknown", "1.2.3",    "1.2.3.4.5",
                                        "256.1.1.1", "[::1",    ":80",      "[]",
                                        "::1::2",    "_hidden", "1.2.3.4 ", "0x7f.1"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct address address;
        if (address_parse(&address, wrong[i], strlen(wrong[i])))
            fail_msg("'%s' is no address", wrong[i]);
    }
    struct address address;
    assert_false(address_parse(&address, "1.2.3.4\0x", 9));
}

static void ipv4_in_ipv6_is_ipv4(void **state)
{
    (void)state;
    struct sockaddr_in6 socket = {.sin6_family = AF_INET6};
    socket.sin6_addr.s6_addr[10] = socket.sin6_addr.s6_addr[11] = 0xff;
    socket.sin6_addr.s6_addr[12] = 127;
    socket.sin6_addr.s6_addr[15] = 1;
    struct address address;
    address_from_socket(&address, (struct sockaddr *)&socket);
    assert_text(&address, "127.0.0.1");
    assert_true(address_is_loopback(&address));
}

static void loopback_is_127_and_1(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool loopback;
    } rows[] = {{"127.0.0.1", true}, {"127.255.1.1", true}, {"::1", true},      {"0.0.0.0", false},
                {"::", false},       {"128.0.0.1", false},  {"10.0.0.1", false}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct address address = parse(rows[i].text);
        assert_int_equal(address_is_loopback(&address), rows[i].loopback);
    }
}

static void a_subscriber_has_a_whole_64(void **state)
{
    (void)state;
    struct address v6 = parse("2001:db8:1:2:3:4:5:6"), v4 = parse("1.2.3.4");
    v6 = address_subscriber(&v6);
    v4 = address_subscriber(&v4);
    assert_text(&v6, "2001:db8:1:2::");
    assert_text(&v4, "1.2.3.4");
}

static void networks_hold_what_shares_their_prefix(void **state)
{
    (void)state;
    static const struct {
        const char *network, *address;
        bool holds;
    } rows[] = {
        {"10.0.0.0/8", "10.255.0.1", true},
        {"10.0.0.0/8", "11.0.0.1", false},
        {"192.0.2.128/25", "192.0.2.129", true},
        {"192.0.2.128/25", "192.0.2.127", false},
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"0.0.0.0/0", "203.0.113.9", true},
        {"0.0.0.0/0", "::1", false},
        {"2001:db8::/33", "2001:db8:7fff::1", true},
        {"2001:db8::/33", "2001:db8:8000::1", false},
        {"::/0", "2001:db8::1", true},
        {"::1", "::1", true},
        {"::/0", "1.2.3.4", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct network network;
        assert_true(network_parse(&network, rows[i].network));
        struct address address = parse(rows[i].address);
        if (network_holds(&network, &address) != rows[i].holds)
            fail_msg("%s and %s", rows[i].network, rows[i].address);
    }
    static const char *const wrong[] = {"",           "10.0.0.0/33", "::/129",      "10.0.0.0/",
                                        "10.0.0.0/x", "10.0.0.0/-1", "10.0.0.0/8x", "example.org",
                                        "/8",         "unix:"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct network network;
        if (network_parse(&network, wrong[i]))
            fail_msg("'%s' is no network", wrong[i]);
    }
}

static void unix_is_a_network_of_all_local_users(void **state)
{
    (void)state;
    struct network network;
    struct address local = {.family = AF_UNIX, .uid = 1000}, remote = parse("10.0.0.1");
    assert_true(network_parse(&network, "unix"));
    assert_true(network_holds(&network, &local));
    assert_false(network_holds(&network, &remote));
    assert_text(&local, "unix 1000");
}

/* 10/8 and UNIX sockets are proxies; 192.0.2.9 is a client that may write what it likes. */
static void the_right_most_address_that_is_no_proxy_is_the_client(void **state)
{
    (void)state;
    static const struct {
        const char *peer, *forwarded, *client;
    } rows[] = {
        {"192.0.2.9", NULL, "192.0.2.9"},
        {"192.0.2.9", "", "192.0.2.9"},
        {"192.0.2.9", "1.1.1.1", "192.0.2.9"}, /* nobody trusts it */
        {"192.0.2.9", "1.1.1.1, 10.0.0.1", "192.0.2.9"},
        {"10.0.0.1", NULL, "10.0.0.1"},
        {"10.0.0.1", "192.0.2.9", "192.0.2.9"},
        {"10.0.0.1", " 192.0.2.9\t", "192.0.2.9"},
        {"10.0.0.1", "1.1.1.1, 192.0.2.9", "192.0.2.9"}, /* what the client wrote itself */
        {"10.0.0.1", "1.1.1.1,192.0.2.9,10.2.2.2", "192.0.2.9"},
        {"10.0.0.1", "10.3.3.3, 10.2.2.2", "10.3.3.3"}, /* proxies only: the first of them */
        {"10.0.0.1", "192.0.2.9:4711", "192.0.2.9"},
        {"10.0.0.1", "[2001:db8::9]:4711", "2001:db8::9"},
        {"10.0.0.1", "192.0.2.9, unknown", "10.0.0.1"}, /* the last that is known */
        {"10.0.0.1", "192.0.2.9, unknown, 10.2.2.2", "10.2.2.2"},
        {"10.0.0.1", "192.0.2.9,", "10.0.0.1"},
        {"10.0.0.1", ",", "10.0.0.1"},
        {"10.0.0.1", "unix", "10.0.0.1"},
    };
    struct network proxies[2];
    assert_true(network_parse(&proxies[0], "10.0.0.0/8"));
    assert_true(network_parse(&proxies[1], "unix"));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct address peer = parse(rows[i].peer);
        struct address client = address_forwarded(&peer, rows[i].forwarded, proxies, 2);
        char text[ADDRESS_TEXT_SIZE];
        if (strcmp(address_text(&client, text), rows[i].client) != 0)
            fail_msg("%s with %s is %s", rows[i].peer, rows[i].forwarded, text);
    }
    struct address local = {.family = AF_UNIX, .uid = 33};
    struct address client = address_forwarded(&local, "192.0.2.9", proxies, 2);
    assert_text(&client, "192.0.2.9");
    client = address_forwarded(&local, "192.0.2.9", proxies, 1);
    assert_text(&client, "unix 33");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read_as_proxies_write_them),
        cmocka_unit_test(ipv4_in_ipv6_is_ipv4),
        cmocka_unit_test(loopback_is_127_and_1),
        cmocka_unit_test(a_subscriber_has_a_whole_64),
        cmocka_unit_test(networks_hold_what_shares_their_prefix),
        cmocka_unit_test(unix_is_a_network_of_all_local_users),
        cmocka_unit_test(the_right_most_address_that_is_no_proxy_is_the_client),
    };
    return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
