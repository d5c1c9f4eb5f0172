/* See client_copy.h. */
#include "serve/jobs/client_copy.h"

#include <stdlib.h>
#include <string.h>

static const char *text_copy(const char *text, bool *failed)
{
    const char *copy = text != NULL ? strdup(text) : NULL;
    *failed |= text != NULL && copy == NULL;
    return copy;
}

int client_copy(struct client *copy, const struct client *client)
{
    bool failed = false;
    *copy = *client;
    copy->key = text_copy(client->key, &failed);
    copy->address = text_copy(client->address, &failed);
    copy->token = text_copy(client->token, &failed);
    copy->policy = text_copy(client->policy, &failed);
    return failed ? -1 : 0;
}

static void text_free(const char *text)
{
    free((char *)(intptr_t)text);
}

void client_free(struct client *copy)
{
    text_free(copy->key);
    text_free(copy->address);
    text_free(copy->token);
    text_free(copy->policy);
    *copy = (struct client){0};
}
