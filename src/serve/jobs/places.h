/* Places for the jobs of one worker: its view of admission (admit.h). The only worker admits for
 * itself; one of several asks the arbiter (arbiter.h), which admits for all, and hears the answer a
 * moment later. */
#ifndef SERVE_PLACES_H
#define SERVE_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox.h"
#include "serve/jobs/admit.h"
#include "serve/jobs/arbiter.h"
#include "serve/process/loop.h"

struct places;

/* All of these are called from the loop. */
struct places_events {
    void (*changed)(void *user);                      /* call places_next and places_refused */
    void (*waits)(void *user, struct ticket *ticket); /* it has to wait, or its position is new */
    void (*lost)(void *user); /* the arbiter is gone: no job can be started any more */
    void *user;
};

/* `seat` is the arbiter's; its descriptor is taken over. With a zeroed one, `bounds` are ours. */
int places_open(struct places **places, const struct admit_bounds *bounds,
                const struct arbiter_seat *seat, const struct places_events *events,
                struct loop *loop, struct sb_error *err);
/* NULL is allowed. Tickets that are still in it are left as they are. */
void places_close(struct places *places);

/* A ticket begins to wait, as with admit_enter. `watched`: its position is asked for. */
int places_enter(struct places *places, struct ticket *ticket, const char *client, int64_t most,
                 bool watched, int64_t now_us);
/* It is taken out, or its job has ended. */
void places_leave(struct places *places, struct ticket *ticket, int64_t now_us);
/* Its job wants so much by now. */
void places_want(struct places *places, struct ticket *ticket, int64_t millicpus);
/* No job is started while held, in any worker. */
void places_hold(struct places *places, bool held);

/* The ticket whose turn it is; it counts as running. NULL: none now. */
struct ticket *places_next(struct places *places, int64_t now_us);

enum place_refusal { PLACE_TOO_LONG, PLACE_TOO_MANY };
/* A ticket to refuse, and why. The caller makes it leave. NULL: none now. */
struct ticket *places_refused(struct places *places, int64_t now_us, enum place_refusal *why);

/* Whether it is known that a ticket has to wait. */
bool places_waits(const struct places *places, const struct ticket *ticket);
/* Of a ticket that waits, and is watched: see admit_position. */
int64_t places_position(const struct places *places, const struct ticket *ticket);
/* Finds all positions again, when many are asked for. */
void places_renew_positions(struct places *places);

/* Sends what has been said since. To be called before the loop sleeps. */
void places_flush(struct places *places);

/* Of this worker alone. */
struct admit_counts places_counts(const struct places *places);
/* Jobs that could be started now, in all workers together, since no request waits. */
int64_t places_free(const struct places *places);
/* Whether a ticket waits, in any worker. */
bool places_wanted(const struct places *places);
/* Whether the demand of jobs is to be measured now, or soon. */
bool places_demand_wanted(const struct places *places);
/* When time alone changes something; −1: never. */
int64_t places_change_us(const struct places *places);
int64_t places_retry_after(const struct places *places, int64_t now_us);

/* Names of tickets: a slot, which is used again, and a number, which is not. */
enum { PLACE_SLOT_BITS = 24 };
static inline size_t place_slot(uint64_t name)
{
    return (size_t)(name & ((UINT64_C(1) << PLACE_SLOT_BITS) - 1));
}

#endif
