/* Admission: which request for a job runs now, which waits, which is refused. Knows tickets,
 * clients and numbers, neither HTTP nor the sandbox. Times are microseconds of one clock that only
 * rises.
 *
 * No more jobs at once than `jobs`, no further one while those that run want `millicpus`, and never
 * more memory promised than `memory_bytes`. Those that wait take turns by client, first come first
 * served within one; a job that is large holds its turn until it fits, so that small ones can't
 * keep it out for ever. When the queue overflows, the client that has most in it loses its last: a
 * hundred requests of one don't shut out another's first.
 *
 * Nor do long jobs of some shut out others. A client that has none running waits for `patience_us`
 * at most: then it gets one of `extra_jobs` places beside the others, and memory that those who
 * have some running leave to those who have not, `reserve_bytes`. */
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
    int64_t extra_jobs;    /* beside these, each a client's only one */
    int64_t millicpus;     /* that those that run may want together, for another to be started */
    int64_t memory_bytes;  /* promised to those that run, together */
    int64_t reserve_bytes; /* of that, left to clients that have none running */
    int64_t patience_us;   /* of such a client */
    int64_t queue;         /* requests that wait */
    int64_t queue_bytes;   /* what these may hold in memory, together */
    int64_t queue_time_us;
};

enum ticket_state { TICKET_OUTSIDE, TICKET_WAITING, TICKET_RUNNING };

/* A request's place: part of what the caller has of it, zeroed at first. */
struct ticket {
    int64_t memory_bytes; /* that its job may take: set by the caller, at most the bound */
    int64_t millicpus;    /* that its job wants, as far as the caller knows: see admit_want */
    int64_t size;         /* memory that it holds while it waits: set by the caller */
    enum ticket_state state;
    bool reserved; /* its memory is of the reserve */
    int64_t entered_us, started_us;
    struct admit_client *client;
    TAILQ_ENTRY(ticket) in_client, in_queue;
};

int admit_open(struct admit **admit, const struct admit_bounds *bounds);
/* NULL is allowed. Tickets that are still in it are forgotten. */
void admit_close(struct admit *admit);

/* A ticket begins to wait. `client` is copied; `most` jobs of it at once, 0: any number. −1: no
 * memory. */
int admit_enter(struct admit *admit, struct ticket *ticket, const char *client, int64_t most,
                int64_t now_us);

/* Nobody's turn comes until it is told so again: the host is short of what no bound counts. */
void admit_hold(struct admit *admit, bool held);

/* The next ticket whose turn it is to run, now running; NULL: none now. */
struct ticket *admit_next(struct admit *admit, int64_t now_us);

/* What the job of a ticket that runs wants by now. */
void admit_want(struct admit *admit, struct ticket *ticket, int64_t millicpus);
/* Whether those that run want too much for another to be started. */
bool admit_is_busy(const struct admit *admit);

/* When a client's patience comes to its end that may let a ticket of it run; −1: none will. */
int64_t admit_impatient_us(const struct admit *admit, int64_t now_us);

/* While too many wait: the one to refuse. The caller makes it leave. */
struct ticket *admit_overflow(struct admit *admit);

/* The oldest ticket when it has waited too long. The caller makes it leave. */
struct ticket *admit_expired(struct admit *admit, int64_t now_us);

/* When the oldest ticket will have waited too long; −1: none waits. */
int64_t admit_expiry_us(const struct admit *admit);

/* A waiting ticket is dropped, or a running one's job has ended. */
void admit_leave(struct admit *admit, struct ticket *ticket, int64_t now_us);

struct admit_counts {
    int64_t running, waiting, promised_bytes, millicpus;
};
struct admit_counts admit_counts(const struct admit *admit);

/* Whole seconds, at least 1, until a request that came now would probably be started: how long jobs
 * take, times what waits before it, by those that run side by side; never more than a request may
 * wait. */
int64_t admit_retry_after(const struct admit *admit, int64_t now_us);

#endif
