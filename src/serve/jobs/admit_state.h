/* What the files of admission share: clients, and the orders in which they stand. */
#ifndef SERVE_ADMIT_STATE_H
#define SERVE_ADMIT_STATE_H

#include "serve/jobs/admit.h"
#include "serve/jobs/heap.h"

TAILQ_HEAD(ticket_list, ticket);

/* Exists as long as one of its tickets waits or runs. */
struct admit_client {
    char *key;
    int64_t most; /* jobs at once, 0: any number */
    int64_t running, waiting, waiting_bytes;
    int64_t turn;               /* the client whose number is least has the next one */
    struct ticket_list tickets; /* that wait, oldest first */
    struct ticket *cursor;      /* of admit_positions */
    bool impatient;             /* its first ticket has waited for patience_us */
    /* Its places in these heaps; 0: it is not in there. */
    size_t in_turns, in_calm, in_impatient, in_many, in_large;
};

struct admit {
    struct admit_bounds bounds;
    void *clients; /* by key: tsearch(3) */
    size_t clients_count;
    int64_t last_turn;
    struct ticket_list queue; /* all that wait, oldest first */
    /* Clients whose tickets wait: */
    struct heap turns;     /* and that may have another job, by turn */
    struct heap calm;      /* and that have no job running, by when their patience ends */
    struct heap impatient; /* the same, after that, by turn */
    struct heap many;      /* all of them; the one with the most tickets first */
    struct heap large;     /* the same, by the memory that these hold */
    size_t looked_at;      /* where to go on looking in `impatient` */
    struct admit_counts counts;
    bool held;              /* no ticket's turn comes */
    int64_t extra;          /* jobs that run beside the bound; one less whenever any job ends */
    int64_t reserved_bytes; /* promised out of the reserve */
    int64_t waiting_bytes;
    int64_t mean_us;        /* average time that jobs took, the latest counting most; 0: none yet */
    int64_t sum_started_us; /* of those that run */
};

/* The client with that key, made if there is none. NULL: out of memory. */
struct admit_client *clients_find(struct admit *admit, const char *key);
/* After each change of a client: puts it where it belongs, or frees it if it has no ticket left. */
void clients_sort(struct admit *admit, struct admit_client *client);
void clients_open(struct admit *admit);
void clients_close(struct admit *admit);

#endif
