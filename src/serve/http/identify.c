/* See identify.h. */
#include "serve/http/identify.h"

#include <microhttpd.h>
#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "serve/http/http_state.h"
#include "serve/http/incoming.h"

/* How many requests per second, and how many at once, one address may send without a known token
 * where one is required. */
#define WRONG_TOKENS_RATE 1.0
#define WRONG_TOKENS_BURST 20

/* Warns of a proxy on this host that is not configured, whose clients count as one. Once only,
 * since any client can send that header. */
static void tell_of_proxy(struct incoming *incoming)
{
    struct http *http = incoming->connection->http;
    const struct address *peer = &incoming->connection->address;
    char text[ADDRESS_TEXT_SIZE];
    bool here = address_is_loopback(peer) || (peer->family == AF_UNIX && http->tokens != NULL);
    if (http->told_of_proxy || !here || networks_hold(http->proxies, http->proxies_count, peer))
        return;
    http->told_of_proxy = true;
    const char *net = peer->family == AF_UNIX ? "unix" : address_text(peer, text);
    log_say(http->log, LOG_WARNING,
            "requests from %s have the header X-Forwarded-For, which is ignored, so that all of "
            "them count as one client: if your own proxy sends it, start with --trusted-proxy %s",
            net, net);
}

void identify(struct incoming *incoming)
{
    const struct http *http = incoming->connection->http;
    struct client *client = &incoming->exchange.client;
    struct address address =
        address_forwarded(&incoming->connection->address, incoming->asked.forwarded, http->proxies,
                          http->proxies_count);
    struct address subscriber = address_subscriber(&address);
    address_text(&address, incoming->client.address);
    address_text(&subscriber, incoming->client.key);
    *client = (struct client){.key = incoming->client.key,
                              .address = incoming->client.address,
                              .rate = http->config->rate,
                              .body_bytes = http->config->body_bytes};
    if (*incoming->asked.forwarded != '\0')
        tell_of_proxy(incoming);
}

static const struct token *find_token(struct incoming *incoming)
{
    static const char bearer[] = "bearer ";
    const char *text = incoming->asked.headers[HEADER_AUTHORIZATION];
    if (text == NULL || strncasecmp(text, bearer, sizeof(bearer) - 1) != 0)
        return NULL;
    text += sizeof(bearer) - 1;
    text += strspn(text, " ");
    return tokens_find(incoming->connection->http->tokens, text, strlen(text));
}

/* In how many milliseconds a client may send its request; 0: now. */
static int64_t take_turn(const struct http *http, const char *key, double rate, int64_t burst)
{
    return rate > 0 ? rates_take(http->rates, key, rate, burst, monotonic_us()) : 0;
}

static bool refuse_for_now(struct incoming *incoming, enum refusal reason, double rate,
                           int64_t wait_ms)
{
    char seconds[24];
    snprintf(seconds, sizeof(seconds), "%lld", (long long)((wait_ms + 999) / 1000));
    exchange_header(&incoming->exchange, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
    incoming->exchange.refusal = reason;
    return REFUSE(incoming, MHD_HTTP_TOO_MANY_REQUESTS, NULL,
                  "the rate limit of %g %s per second%s is exceeded: try again in %s s", rate,
                  rate == 1 ? "request" : "requests",
                  reason == REFUSED_TOKEN_RATE ? " without a known token" : "", seconds);
}

/* Refuses a request without a token, or with an unknown one, and limits these by address. The limit
 * does not apply to valid tokens: these can't be guessed, and their clients may share the address.
 */
static bool refuse_token(struct incoming *incoming)
{
    char key[sizeof(incoming->client.key) + 16];
    snprintf(key, sizeof(key), "no token %s", incoming->client.key);
    int64_t wait_ms =
        take_turn(incoming->connection->http, key, WRONG_TOKENS_RATE, WRONG_TOKENS_BURST);
    if (wait_ms > 0)
        return refuse_for_now(incoming, REFUSED_TOKEN_RATE, WRONG_TOKENS_RATE, wait_ms);
    bool sent = incoming->asked.headers[HEADER_AUTHORIZATION] != NULL;
    exchange_header(&incoming->exchange, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
                    sent ? "Bearer realm=\"sandbox-run\", error=\"invalid_token\""
                         : "Bearer realm=\"sandbox-run\"");
    return REFUSE(incoming, MHD_HTTP_UNAUTHORIZED, "Authorization",
                  sent ? "the token is unknown: ask the operator of the service for one"
                       : "a token is required: send the header 'Authorization: Bearer TOKEN'");
}

bool check_token(struct incoming *incoming)
{
    if (incoming->connection->http->tokens == NULL)
        return true;
    const struct token *token = find_token(incoming);
    if (token == NULL)
        return refuse_token(incoming);
    /* Copies, because the file of tokens may be read again while this request waits. */
    struct client *client = &incoming->exchange.client;
    memcpy(incoming->client.token, token->name, sizeof(incoming->client.token));
    memcpy(incoming->client.policy, token->policy, sizeof(incoming->client.policy));
    snprintf(incoming->client.key, sizeof(incoming->client.key), "token %s", token->name);
    client->token = incoming->client.token;
    client->policy = incoming->client.policy[0] != '\0' ? incoming->client.policy : NULL;
    client->jobs = token->jobs;
    if (token->rate > 0)
        client->rate = token->rate;
    if (token->body_bytes > 0)
        client->body_bytes = token->body_bytes;
    return true;
}

bool check_rate(struct incoming *incoming)
{
    const struct http *http = incoming->connection->http;
    const struct client *client = &incoming->exchange.client;
    int64_t wait_ms = take_turn(http, client->key, client->rate, http->config->burst);
    return wait_ms == 0 || refuse_for_now(incoming, REFUSED_RATE, client->rate, wait_ms);
}
