/* See places.h. With an arbiter, a ticket has a slot here as long as it is not outside: messages
 * name it by that, and by a number, since a message may be on its way when its ticket is gone. */
#include "serve/jobs/places.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/util.h"
#include "serve/config/tokens.h"
#include "serve/jobs/place_link.h"

_Static_assert(TOKEN_NAME_SIZE + 8 <= CLIENT_KEY_SIZE, "see struct incoming");

TAILQ_HEAD(ticket_queue, ticket);

/* What the arbiter has said of a ticket, and jobs.c does not know yet. */
enum news { NEWS_NONE, NEWS_START, NEWS_EXPIRED, NEWS_OVERFLOW };

struct slot {
    struct ticket *ticket; /* NULL: free */
    enum news news;
    bool waits;       /* the arbiter has said so */
    size_t next_free; /* plus one; 0: none */
};

struct places {
    struct admit *admit; /* NULL: the arbiter admits */
    struct places_events events;
    const struct arbiter_board *board;
    struct place_link link;
    struct slot *slots;
    size_t slots_count, first_free; /* first_free: plus one; 0: none */
    uint64_t last_number;
    struct ticket_queue started, refused; /* that jobs.c does not know of yet */
    struct admit_counts counts;
    bool look; /* the arbiter wants demand measured */
};

/* ── Slots ──────────────────────────────────────────────────────────────────────────────────── */

static int make_slots(struct places *places)
{
    size_t count = MAX(2 * places->slots_count, (size_t)64);
    if (count > (size_t)1 << PLACE_SLOT_BITS)
        return -1;
    struct slot *more = reallocarray(places->slots, count, sizeof(*more));
    if (more == NULL)
        return -1;
    for (size_t i = places->slots_count; i < count; i++)
        more[i] = (struct slot){.next_free = i + 1 < count ? i + 2 : 0};
    places->first_free = places->slots_count + 1;
    places->slots = more;
    places->slots_count = count;
    return 0;
}

static int take_slot(struct places *places, struct ticket *ticket)
{
    if (places->first_free == 0 && make_slots(places) < 0)
        return -1;
    size_t at = places->first_free - 1;
    places->first_free = places->slots[at].next_free;
    places->slots[at] = (struct slot){.ticket = ticket};
    ticket->name = ++places->last_number << PLACE_SLOT_BITS | at;
    return 0;
}

static struct slot *slot_of(const struct places *places, const struct ticket *ticket)
{
    return &places->slots[place_slot(ticket->name)];
}

static void free_slot(struct places *places, const struct ticket *ticket)
{
    struct slot *slot = slot_of(places, ticket);
    *slot = (struct slot){.next_free = places->first_free};
    places->first_free = place_slot(ticket->name) + 1;
}

/* ── What the arbiter says ──────────────────────────────────────────────────────────────────── */

static void heard(void *user, const struct place_message *message)
{
    static const enum news news_of[] = {[PLACE_START] = NEWS_START,
                                        [PLACE_EXPIRED] = NEWS_EXPIRED,
                                        [PLACE_OVERFLOW] = NEWS_OVERFLOW};
    struct places *places = user;
    if (message->word == PLACE_LOOK) {
        places->look = true;
        return;
    }
    size_t at = place_slot(message->name);
    struct ticket *ticket = at < places->slots_count ? places->slots[at].ticket : NULL;
    if (ticket == NULL || ticket->name != message->name)
        return; /* it left while the message was on its way */
    struct slot *slot = &places->slots[at];
    if (message->word == PLACE_WAIT) {
        slot->waits = true;
        ticket->position = message->number;
        places->events.waits(places->events.user, ticket);
        return;
    }
    slot->news = news_of[message->word];
    TAILQ_INSERT_TAIL(slot->news == NEWS_START ? &places->started : &places->refused, ticket,
                      in_queue);
}

static void round_over(void *user)
{
    struct places *places = user;
    places->events.changed(places->events.user);
}

static void lost(void *user)
{
    struct places *places = user;
    places->events.lost(places->events.user);
}

/* `number` is what the word has; see place_link.h. */
static void say(struct places *places, const struct ticket *ticket, enum place_word word,
                int64_t number)
{
    const struct place_message message = {
        .word = word, .name = ticket != NULL ? ticket->name : 0, .number = number};
    place_link_say(&places->link, &message);
}

/* ── Tickets ────────────────────────────────────────────────────────────────────────────────── */

static void count_running(struct places *places, const struct ticket *ticket, int sign)
{
    places->counts.running += sign;
    places->counts.promised_bytes += sign * ticket->memory_bytes;
    places->counts.millicpus += sign * ticket->millicpus;
}

int places_enter(struct places *places, struct ticket *ticket, const char *client, int64_t most,
                 bool watched, int64_t now_us)
{
    if (places->admit != NULL)
        return admit_enter(places->admit, ticket, client, most, now_us);
    if (take_slot(places, ticket) < 0)
        return -1;
    ticket->state = TICKET_WAITING;
    ticket->entered_us = now_us;
    places->counts.waiting++;
    struct place_message message = {.word = PLACE_ENTER,
                                    .watched = watched,
                                    .name = ticket->name,
                                    .memory_bytes = ticket->memory_bytes,
                                    .millicpus = ticket->millicpus,
                                    .size = ticket->size,
                                    .most = most};
    snprintf(message.client, sizeof(message.client), "%s", client);
    place_link_say(&places->link, &message);
    return 0;
}

void places_leave(struct places *places, struct ticket *ticket, int64_t now_us)
{
    if (places->admit != NULL) {
        admit_leave(places->admit, ticket, now_us);
        return;
    }
    if (ticket->state == TICKET_OUTSIDE)
        return;
    enum news news = slot_of(places, ticket)->news;
    if (news != NEWS_NONE)
        TAILQ_REMOVE(news == NEWS_START ? &places->started : &places->refused, ticket, in_queue);
    if (ticket->state == TICKET_RUNNING)
        count_running(places, ticket, -1);
    else
        places->counts.waiting--;
    if (news != NEWS_EXPIRED && news != NEWS_OVERFLOW)
        say(places, ticket, PLACE_LEAVE, 0);
    free_slot(places, ticket);
    ticket->state = TICKET_OUTSIDE;
}

void places_want(struct places *places, struct ticket *ticket, int64_t millicpus)
{
    if (places->admit != NULL) {
        admit_want(places->admit, ticket, millicpus);
        return;
    }
    if (millicpus == ticket->millicpus)
        return;
    places->counts.millicpus += millicpus - ticket->millicpus;
    ticket->millicpus = millicpus;
    say(places, ticket, PLACE_WANT, millicpus);
}

void places_hold(struct places *places, bool held)
{
    if (places->admit != NULL)
        admit_hold(places->admit, held);
    else
        say(places, NULL, PLACE_HOLD, held);
}

/* ── Decisions ──────────────────────────────────────────────────────────────────────────────── */

struct ticket *places_next(struct places *places, int64_t now_us)
{
    if (places->admit != NULL)
        return admit_next(places->admit, now_us);
    struct ticket *ticket = TAILQ_FIRST(&places->started);
    if (ticket == NULL)
        return NULL;
    TAILQ_REMOVE(&places->started, ticket, in_queue);
    slot_of(places, ticket)->news = NEWS_NONE;
    ticket->state = TICKET_RUNNING;
    ticket->started_us = now_us;
    places->counts.waiting--;
    count_running(places, ticket, 1);
    return ticket;
}

struct ticket *places_refused(struct places *places, int64_t now_us, enum place_refusal *why)
{
    struct ticket *ticket;
    if (places->admit != NULL) {
        *why = PLACE_TOO_LONG;
        ticket = admit_expired(places->admit, now_us);
        if (ticket != NULL)
            return ticket;
        *why = PLACE_TOO_MANY;
        return admit_overflow(places->admit);
    }
    ticket = TAILQ_FIRST(&places->refused);
    if (ticket != NULL)
        *why = slot_of(places, ticket)->news == NEWS_EXPIRED ? PLACE_TOO_LONG : PLACE_TOO_MANY;
    return ticket;
}

bool places_waits(const struct places *places, const struct ticket *ticket)
{
    return ticket->state == TICKET_WAITING &&
           (places->admit != NULL || slot_of(places, ticket)->waits);
}

int64_t places_position(const struct places *places, const struct ticket *ticket)
{
    return places->admit != NULL && ticket->position == 0 ? admit_position(places->admit, ticket)
                                                          : ticket->position;
}

void places_renew_positions(struct places *places)
{
    if (places->admit != NULL)
        admit_positions(places->admit);
}

void places_flush(struct places *places)
{
    if (places->link.count > 0 && !places->link.full)
        place_link_flush(&places->link);
}

/* ── Numbers ────────────────────────────────────────────────────────────────────────────────── */

struct admit_counts places_counts(const struct places *places)
{
    return places->admit != NULL ? admit_counts(places->admit) : places->counts;
}

int64_t places_free(const struct places *places)
{
    return places->admit != NULL ? admit_free(places->admit) : metrics_get(&places->board->free);
}

bool places_wanted(const struct places *places)
{
    return places->admit != NULL ? admit_counts(places->admit).waiting > 0
                                 : metrics_get(&places->board->waiting) > 0;
}

bool places_demand_wanted(const struct places *places)
{
    return places->admit != NULL && places_wanted(places) && admit_is_busy(places->admit);
}

int64_t places_change_us(const struct places *places)
{
    if (places->admit == NULL || !places_wanted(places))
        return -1; /* the arbiter tells */
    int64_t expiry_us = admit_expiry_us(places->admit);
    int64_t impatient_us = admit_impatient_us(places->admit);
    return impatient_us < 0 || expiry_us < impatient_us ? expiry_us : impatient_us;
}

int64_t places_retry_after(const struct places *places, int64_t now_us)
{
    return places->admit != NULL ? admit_retry_after(places->admit, now_us)
                                 : metrics_get(&places->board->retry_after);
}

/* ── The whole ──────────────────────────────────────────────────────────────────────────────── */

int places_open(struct places **out, const struct admit_bounds *bounds,
                const struct arbiter_seat *seat, const struct places_events *events,
                struct loop *loop, struct sb_error *err)
{
    struct places *places = calloc(1, sizeof(*places));
    if (places == NULL)
        return sb_fail(err, "memory", ENOMEM, "out of memory (places for jobs)");
    places->events = *events;
    places->board = seat->board;
    places->link = (struct place_link){
        .heard = heard, .round = round_over, .lost = lost, .user = places, .watch.fd = -1};
    TAILQ_INIT(&places->started);
    TAILQ_INIT(&places->refused);
    *out = places;
    if (seat->board == NULL)
        return admit_open(&places->admit, bounds) == 0
                   ? 0
                   : sb_fail(err, "memory", ENOMEM, "out of memory (places for jobs)");
    return place_link_open(&places->link, loop, seat->fd) == 0
               ? 0
               : sb_fail(err, "workers", errno, "can't wait for the parent of the workers");
}

void places_close(struct places *places)
{
    if (places == NULL)
        return;
    place_link_close(&places->link);
    admit_close(places->admit);
    free(places->slots);
    free(places);
}
