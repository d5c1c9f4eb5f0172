/* See stored_request.h. Their forms: "1 ADDRESS\nBOUNDARY\nBODY", and "1 text\nJSON" or
 * "1 base64\nJSON". */
#include "serve/jobs/stored_request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/json_valid.h"

static const char version[] = "1 ";

void *stored_request_write(const struct exchange *exchange, size_t *size)
{
    char head[256];
    int length = snprintf(head, sizeof(head), "%s%s\n%s\n", version, exchange->client.address,
                          exchange->boundary);
    if (length < 0 || (size_t)length >= sizeof(head))
        return NULL;
    *size = (size_t)length + exchange->body_size;
    char *data = malloc(*size + 1);
    if (data == NULL)
        return NULL;
    memcpy(data, head, (size_t)length);
    memcpy(data + length, exchange->body, exchange->body_size);
    return data;
}

/* Takes one line of printable text. */
static bool take_line(char *to, size_t room, const char **at, const char *end)
{
    const char *newline = *at < end ? memchr(*at, '\n', (size_t)(end - *at)) : NULL;
    if (newline == NULL || (size_t)(newline - *at) >= room)
        return false;
    size_t size = (size_t)(newline - *at);
    for (size_t i = 0; i < size; i++)
        if ((*at)[i] < ' ' || (*at)[i] > '~')
            return false;
    memcpy(to, *at, size);
    to[size] = '\0';
    *at = newline + 1;
    return true;
}

int stored_request_read(struct stored_request *request, const void *data, size_t size,
                        struct sb_error *err)
{
    const char *at = data, *end = at + size;
    *request = (struct stored_request){0};
    if (size < sizeof(version) || memcmp(at, version, sizeof(version) - 1) != 0)
        return sb_fail(err, "store", 0,
                       "the request was stored by another version of the service: send it again");
    at += sizeof(version) - 1;
    if (!take_line(request->address, sizeof(request->address), &at, end) ||
        !take_line(request->boundary, sizeof(request->boundary), &at, end))
        return sb_fail(err, "store", 0, "the stored request is damaged: send it again");
    request->size = (size_t)(end - at);
    request->body = malloc(request->size + 1);
    if (request->body == NULL)
        return sb_fail(err, "memory", ENOMEM, "out of memory (the request)");
    memcpy(request->body, at, request->size);
    request->body[request->size] = '\0';
    return 0;
}

char *stored_answer_write(const char *json, bool base64, size_t *size)
{
    char *data;
    int length = asprintf(&data, "%s%s\n%s", version, base64 ? "base64" : "text", json);
    *size = length < 0 ? 0 : (size_t)length;
    return length < 0 ? NULL : data;
}

const char *stored_answer_read(const char *data, size_t size, bool *base64)
{
    char word[8];
    const char *at = data, *end = data + size;
    if (size < sizeof(version) || memcmp(at, version, sizeof(version) - 1) != 0)
        return NULL;
    at += sizeof(version) - 1;
    if (!take_line(word, sizeof(word), &at, end) || !json_valid_answer(at, (size_t)(end - at)))
        return NULL;
    *base64 = strcmp(word, "base64") == 0;
    return at;
}
