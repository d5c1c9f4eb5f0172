/* How many turns it takes until a waiting ticket has its own. */
#include <stdlib.h>

#include "serve/jobs/admit_state.h"

struct ticket *admit_waiting(const struct admit *admit, const struct ticket *before)
{
    return before != NULL ? TAILQ_NEXT(before, in_queue) : TAILQ_FIRST(&admit->queue);
}

int64_t admit_position(const struct admit *admit, const struct ticket *ticket)
{
    const struct admit_client *own = ticket->client;
    int64_t turns = own->waiting; /* of its client, until it has its own */
    for (const struct ticket *after = ticket; (after = TAILQ_NEXT(after, in_client)) != NULL;)
        turns--;
    int64_t position = turns;
    if (turns == 1 && own->turn == admit->last_turn)
        return (int64_t)admit->many.count;
    for (size_t i = 0; i < admit->many.count; i++) {
        const struct admit_client *client = admit->many.items[i];
        int64_t earlier = turns - (client->turn > own->turn);
        if (client != own)
            position += client->waiting < earlier ? client->waiting : earlier;
    }
    return position;
}

static int compare_turns(const void *a, const void *b)
{
    const struct admit_client *const *one = a, *const *other = b;
    return (*one)->turn < (*other)->turn ? -1 : 1;
}

int admit_positions(struct admit *admit)
{
    size_t left = admit->many.count;
    int64_t position = 0;
    struct admit_client **clients = calloc(left + 1, sizeof(struct admit_client *));
    if (clients == NULL)
        return -1;
    for (size_t i = 0; i < left; i++) {
        clients[i] = admit->many.items[i];
        clients[i]->cursor = TAILQ_FIRST(&clients[i]->tickets);
    }
    qsort(clients, left, sizeof(struct admit_client *), compare_turns);
    /* In each round, every client that still has a ticket has one turn. */
    while (left > 0) {
        size_t still = 0;
        for (size_t i = 0; i < left; i++) {
            struct admit_client *client = clients[i];
            client->cursor->position = ++position;
            client->cursor = TAILQ_NEXT(client->cursor, in_client);
            if (client->cursor != NULL)
                clients[still++] = client;
        }
        left = still;
    }
    free(clients);
    return 0;
}
