/* Admission: which request for a job runs now, which waits, which is refused. It knows tickets,
 * clients and numbers, but neither HTTP nor the sandbox. Times are microseconds of one monotonic
 * clock. No call but admit_positions takes time that grows with the number of tickets; with the
 * number of clients that wait, time grows as its logarithm.
 *
 * At most `jobs` jobs run at once, no further one is started while the running ones want
 * `millicpus`, and never is more memory promised than `memory_bytes`. Waiting clients take turns,
 * and each client's requests are served in their order. A large job keeps its turn until it fits,
 * so that small ones can't keep it out for ever. When the queue overflows, the client that has most
 * in it loses its last request, so that a hundred requests of one client don't shut out another's
 * first.
 *
 * Long jobs of some clients don't shut out others either. A client that has no job running waits at
 * most `patience_us`: then it gets one of `extra_jobs` places beside the others, and memory out of
 * `reserve_bytes`, which clients with running jobs can't use. */
#ifndef SERVE_ADMIT_H
#define SERVE_ADMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct admit;
struct admit_client;

struct admit_bounds {
    int64_t jobs;          /* at once */
    int64_t extra_jobs;    /* beside these, each its client's only job */
    int64_t millicpus;     /* that running jobs may want together while another is started */
    int64_t memory_bytes;  /* promised to all running jobs together */
    int64_t reserve_bytes; /* of that, for clients that have no job running */
    int64_t patience_us;   /* of such a client, until it may use extra_jobs */
    int64_t queue;         /* requests that wait */
    int64_t queue_bytes;   /* what these may hold in memory together */
    int64_t queue_time_us;
};

enum ticket_state { TICKET_OUTSIDE, TICKET_WAITING, TICKET_RUNNING };

/* A request's place: part of the caller's own struct, zeroed at first. */
struct ticket {
    int64_t memory_bytes; /* that its job may take; set by the caller, at most the bound */
    int64_t millicpus;    /* that its job wants, as far as the caller knows; see admit_want */
    int64_t size;         /* memory that it holds while it waits; set by the caller */
    enum ticket_state state;
    bool reserved; /* its memory is from the reserve */
    int64_t entered_us, started_us;
    int64_t position; /* while it waits: see admit_positions */
    uint64_t name;    /* for the caller, who may tell tickets apart by it */
    struct admit_client *client;
    TAILQ_ENTRY(ticket) in_client, in_queue;
};

int admit_open(struct admit **admit, const struct admit_bounds *bounds);
/* NULL is allowed. Tickets that are still in it are left as they are. */
void admit_close(struct admit *admit);

/* A ticket begins to wait. `client` is copied; `most`: its jobs at once, 0: any number. −1: out of
 * memory. */
int admit_enter(struct admit *admit, struct ticket *ticket, const char *client, int64_t most,
                int64_t now_us);

/* While held, no ticket's turn comes: the host is short of something that no bound counts. */
void admit_hold(struct admit *admit, bool held);

/* The ticket whose turn it is; it counts as running from now on. NULL: none now. */
struct ticket *admit_next(struct admit *admit, int64_t now_us);

/* Tells what the job of a running ticket wants by now. */
void admit_want(struct admit *admit, struct ticket *ticket, int64_t millicpus);
/* Whether running jobs want too much for another to be started. */
bool admit_is_busy(const struct admit *admit);

/* How many turns it takes until a waiting ticket has its own, if all fit: 1 for the next one. */
int64_t admit_position(const struct admit *admit, const struct ticket *ticket);

/* Sets `position` of all waiting tickets to that, in one pass. −1: out of memory. */
int admit_positions(struct admit *admit);
/* The waiting tickets, oldest first, for a caller that looks at all of them: the first one if
 * `before` is NULL; NULL: no more. */
struct ticket *admit_waiting(const struct admit *admit, const struct ticket *before);

/* When the patience of a client ends next, which may let a ticket of it run; −1: none waits. To be
 * called after admit_next. */
int64_t admit_impatient_us(const struct admit *admit);

/* While too many wait: the ticket to refuse. The caller makes it leave. NULL: not too many. */
struct ticket *admit_overflow(struct admit *admit);

/* The oldest ticket if it has waited too long, else NULL. The caller makes it leave. */
struct ticket *admit_expired(struct admit *admit, int64_t now_us);

/* When the oldest ticket will have waited too long; −1: none waits. */
int64_t admit_expiry_us(const struct admit *admit);

/* A waiting ticket is taken out, or a running one's job has ended: its place is released. */
void admit_leave(struct admit *admit, struct ticket *ticket, int64_t now_us);

struct admit_counts {
    int64_t running, waiting, promised_bytes, millicpus;
};
struct admit_counts admit_counts(const struct admit *admit);
/* Jobs that could be started now beside those that run; 0 while any ticket waits. */
int64_t admit_free(const struct admit *admit);

/* Whole seconds, at least 1, after which a request that came now would probably start: the time
 * that jobs take, times the number of requests before it, divided by the number of jobs that run
 * side by side. Never more than a request may wait. */
int64_t admit_retry_after(const struct admit *admit, int64_t now_us);

#endif
