/* What the files of the Redis driver share: the store, a command's words, a reply's parts, leases.
 */
#ifndef SERVE_REDIS_STATE_H
#define SERVE_REDIS_STATE_H

#include <sys/queue.h>

#include "serve/store/redis_link.h"
#include "serve/store/redis_scripts.h"
#include "serve/store/store.h"

enum { BUCKETS = 256, WORDS = 20, NUMBER = 24, FAILURE_SIZE = 300, UNFIT_SIZE = 200 };

/* A job that this node has claimed. */
struct held {
    LIST_ENTRY(held) next;
    char id[STORE_ID_SIZE];
    int64_t try;
    int64_t known_us; /* when we learnt that this try is ours */
};

struct watched {
    LIST_ENTRY(watched) next;
    char id[STORE_ID_SIZE];
};

struct store {
    const struct store_driver *driver;
    struct store_setup setup;
    struct redis_address address;
    char *key, *prefix; /* "{sb}:q", "{sb}:" */
    char *name;         /* of this node, and of its connections */
    struct redis_link *commands, *events;
    struct timer renewal, fence;
    int64_t renewed_us; /* when the leases of all jobs that are held were good */
    size_t held_count;
    int64_t claims, heard; /* numbers of the last claim that was sent, that was answered or lost */
    bool unheard; /* a claim's reply was lost: Redis may think that more is ours than we know */
    LIST_HEAD(held_list, held) held[BUCKETS];
    LIST_HEAD(watched_list, watched) watched[BUCKETS];
    LIST_HEAD(calls, call) calls;
    struct store_counts counts;
    bool judged;            /* the server has been looked at once */
    char unfit[UNFIT_SIZE]; /* why the server can't be used; "": it can */
};

/* ── Commands and replies: redis_call.c ──────────────────────────────────────────────────────── */

/* The words of a command; texts must live until it is sent. */
struct words {
    const char *word[WORDS];
    size_t size[WORDS];
    size_t count;
    char number[WORDS][NUMBER];
};

void add_bytes(struct words *words, const void *bytes, size_t size);
void add(struct words *words, const char *text);
void add_number(struct words *words, int64_t number);
/* The beginning of a script's command; its arguments follow. */
struct words redis_script(const struct store *store, const char *text);
/* Sends it: the words are copied. */
void redis_run(struct store *store, const struct words *words, redis_replied *replied, void *user);

/* A call that waits for its reply. */
struct call {
    LIST_ENTRY(call) next;
    struct store *store;
    store_done *done;
    store_found *found;
    store_list *list;
    void *user;
    int64_t sent_us;
    char id[STORE_ID_SIZE];
    int64_t try; /* of finish and fail; of claim, its number */
    char *owner; /* for store_job */
};

/* `id`, `owner`: copied; NULL: none. NULL: out of memory. */
struct call *redis_call_make(struct store *store, const char *id, const char *owner, void *user);
void redis_call_free(struct call *call);

extern const char redis_no_memory[];
/* Why there is no result, as one sentence; NULL: there is one. */
const char *redis_failure(const struct store *store, const redisReply *reply, const char *lost,
                          char text[FAILURE_SIZE]);
/* An element of an array: its text, "" if it has none; its number, 0 if it is none. */
const char *redis_text(const redisReply *reply, size_t index);
int64_t redis_number(const redisReply *reply, size_t index);
enum store_state redis_state(const char *name);
/* state policy created started ended try before status reason, from the element `at` on */
struct store_job redis_job(const redisReply *reply, size_t at, const char *id, const char *owner);

/* ── Leases: redis_lease.c ───────────────────────────────────────────────────────────────────── */

size_t redis_bucket(const char *id);
struct held *lease_find(struct store *store, const char *id);
bool lease_holds(struct store *store, const char *id, int64_t try);
/* The job is this node's since then. −1: out of memory. */
int lease_begin(struct store *store, const char *id, int64_t try, int64_t since_us);
void lease_end(struct store *store, const char *id);
void lease_end_all(struct store *store);
void lease_renew(struct store *store);
/* Gives back what Redis thinks that we have claimed, and we have not heard of. */
void lease_return(struct store *store);
/* When leases are renewed next, and jobs of lost nodes are looked for. */
void lease_plan(struct store *store);
/* Of the timers `renewal` and `fence`. */
void lease_due(void *store);
void lease_fence(void *store);
/* {waiting, running, …} */
void redis_note_counts(struct store *store, const redisReply *reply);

/* ── What Redis tells: redis_events.c ────────────────────────────────────────────────────────── */

/* Of the driver: see struct store_driver. */
void events_watch(struct store *store, const char *id, bool on);
/* Of the connection for events: it is there; a message has come. */
void events_up(void *store);
void events_message(void *store, const char *verb, const char *channel, const char *text);
void events_end(struct store *store);

/* ── Whether the server is fit: redis_fit.c ──────────────────────────────────────────────────── */

/* Waits in this loop of the links until both are up and the server has been looked at, but not for
 * long. Fails if it refuses us or is not fit; one that can't be reached may come later. */
int fit_await(const struct store *store, struct loop *loop, struct sb_error *err);
/* The connection is there: asks whether the server is fit, and goes on with the work. */
void fit_ask(void *store);

#endif
