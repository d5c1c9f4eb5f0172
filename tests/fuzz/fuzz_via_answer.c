/* Any bytes as what a service answers: --via takes them for a verdict, whose JSON is valid, for a
 * refusal, or for neither. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/http_client.h"
#include "cli/via_answer.h"
#include "common/json_valid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_answer(const char *body, size_t size)
{
    struct answer answer;
    if (answer_read(&answer, body, size) == 0 && answer.refusal == NULL) {
        char *json = sb_verdict_json(&answer.verdict, 0);
        /* A result may be as deep as is allowed; the verdict is one deeper. */
        if (json == NULL || (!json_valid(json, strlen(json)) && size < JSON_VALID_DEPTH))
            abort();
        free(json);
    }
    answer_free(&answer);
}

/* As they come through a connection. */
static void check_stream(const uint8_t *data, size_t size)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        abort();
    /* As much as the socket holds. */
    if (size > 0 && send(ends[1], data, size, MSG_DONTWAIT) < 0)
        abort();
    close(ends[1]);
    struct http_client client = {.fd = ends[0], .shown = "fuzz"};
    struct sb_error err = {0};
    int result = http_turn(&client, &err);
    if (result == 0 || (result < 0 && err.message[0] == '\0'))
        abort(); /* all of it was there; refused without a word */
    if (result > 0) {
        size_t body_size;
        const char *body = http_body(&client, &body_size);
        check_answer(body, body_size);
    }
    http_close(&client);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *body = malloc(size + 1);
    if (body == NULL)
        abort();
    if (size > 0)
        memcpy(body, data, size);
    body[size] = '\0';
    check_answer(body, size);
    check_stream(data, size);
    free(body);
    return 0;
}
