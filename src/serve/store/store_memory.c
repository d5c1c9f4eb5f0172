/* Stored jobs in the memory of this process: they outlast connections, but not the process. For
 * trials, and for services whose jobs may be lost at a restart. */
#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/error.h"
#include "common/util.h"
#include "serve/store/drivers.h"

/* What requests and answers may take together. Requests beyond it are refused; for an answer, which
 * can't be, older ones are forgotten. */
#define BYTES_MAX ((size_t)256 * 1024 * 1024)

struct owner {
    char *name;
    int64_t active;               /* jobs that wait or run */
    TAILQ_HEAD(owned, kept) jobs; /* newest first */
};

struct kept {
    char id[STORE_ID_SIZE]; /* first: see compare_ids */
    char digest[65];
    char *policy, *key, *reason;
    void *request;
    char *answer;
    size_t request_size, answer_size;
    struct owner *owner;
    enum store_state state;
    int64_t created_ms, started_ms, ended_ms, expires_us;
    int64_t try, losses;
    int status;
    TAILQ_ENTRY(kept) in_store, in_owner;
};

TAILQ_HEAD(kept_jobs, kept);

struct store {
    const struct store_driver *driver;
    struct store_bounds bounds;
    void (*changed)(void *user);
    void (*ended)(void *user, const char *id);
    void *user;
    void *ids, *owners;    /* trees of tsearch(3) */
    struct kept_jobs open; /* not ended, oldest first: the order in which they expire */
    struct kept_jobs done; /* ended, in the order in which they did */
    struct store_counts counts;
    size_t bytes;
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ── Entries ─────────────────────────────────────────────────────────────────────────────────── */

static int compare_ids(const void *a, const void *b)
{
    return strcmp(a, b);
}

static int compare_owners(const void *a, const void *b)
{
    return strcmp(((const struct owner *)a)->name, ((const struct owner *)b)->name);
}

static struct kept *find(const struct store *store, const char *id)
{
    void *const *found = tfind(id, &store->ids, compare_ids);
    return found != NULL ? *found : NULL;
}

static struct owner *find_owner(const struct store *store, const char *name)
{
    const struct owner wanted = {.name = (char *)(uintptr_t)name};
    void *const *found = tfind(&wanted, &store->owners, compare_owners);
    return found != NULL ? *found : NULL;
}

static struct owner *make_owner(struct store *store, const char *name)
{
    struct owner *owner = find_owner(store, name);
    if (owner != NULL)
        return owner;
    owner = calloc(1, sizeof(*owner));
    if (owner == NULL)
        return NULL;
    TAILQ_INIT(&owner->jobs);
    owner->name = strdup(name);
    if (owner->name != NULL && tsearch(owner, &store->owners, compare_owners) != NULL)
        return owner;
    free(owner->name);
    free(owner);
    return NULL;
}

static void release_owner(struct store *store, struct owner *owner)
{
    if (owner == NULL || !TAILQ_EMPTY(&owner->jobs))
        return;
    tdelete(owner, &store->owners, compare_owners);
    free(owner->name);
    free(owner);
}

static void free_entry(struct kept *entry)
{
    free(entry->policy);
    free(entry->key);
    free(entry->reason);
    free(entry->request);
    free(entry->answer);
    free(entry);
}

static void drop_request(struct store *store, struct kept *entry)
{
    store->bytes -= entry->request_size;
    free(entry->request);
    entry->request = NULL;
    entry->request_size = 0;
}

/* How many are in a state, after one has come or gone. */
static void count(struct store *store, struct kept *entry, int64_t by)
{
    if (entry->state == STORE_QUEUED)
        store->counts.queued += by;
    else if (entry->state == STORE_RUNNING)
        store->counts.running += by;
    else
        return;
    entry->owner->active += by;
}

static void set_state(struct store *store, struct kept *entry, enum store_state state)
{
    count(store, entry, -1);
    entry->state = state;
    count(store, entry, 1);
}

static void end(struct store *store, struct kept *entry, enum store_state state)
{
    set_state(store, entry, state);
    store->counts.lost += state == STORE_LOST;
    drop_request(store, entry);
    entry->ended_ms = now_ms();
    entry->expires_us = monotonic_us() + store->bounds.result_ttl_ms * 1000;
    TAILQ_REMOVE(&store->open, entry, in_store);
    TAILQ_INSERT_TAIL(&store->done, entry, in_store);
    store->ended(store->user, entry->id);
}

static void forget(struct store *store, struct kept_jobs *list, struct kept *entry)
{
    char id[STORE_ID_SIZE];
    memcpy(id, entry->id, sizeof(id));
    count(store, entry, -1);
    store->bytes -= entry->request_size + entry->answer_size;
    TAILQ_REMOVE(list, entry, in_store);
    TAILQ_REMOVE(&entry->owner->jobs, entry, in_owner);
    tdelete(entry, &store->ids, compare_ids);
    release_owner(store, entry->owner);
    free_entry(entry);
    store->ended(store->user, id);
}

static void expire(struct store *store)
{
    struct kept_jobs *const lists[] = {&store->open, &store->done};
    int64_t now_us = monotonic_us();
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        struct kept *entry;
        while ((entry = TAILQ_FIRST(lists[i])) != NULL && entry->expires_us <= now_us)
            forget(store, lists[i], entry);
    }
}

/* Forgets the oldest answers for one of `size` bytes. */
static void make_room(struct store *store, size_t size)
{
    struct kept *entry;
    while (store->bytes + size > BYTES_MAX && (entry = TAILQ_FIRST(&store->done)) != NULL)
        forget(store, &store->done, entry);
}

static int64_t jobs_before(const struct store *store, const struct kept *entry)
{
    const struct kept *other;
    int64_t before = 0;
    if (entry->state != STORE_QUEUED)
        return 0;
    TAILQ_FOREACH(other, &store->open, in_store)
    {
        if (other == entry)
            break;
        before += other->state == STORE_QUEUED;
    }
    return before;
}

static struct store_job job_of(const struct kept *entry)
{
    return (struct store_job){.id = entry->id,
                              .owner = entry->owner->name,
                              .policy = entry->policy,
                              .state = entry->state,
                              .created_ms = entry->created_ms,
                              .started_ms = entry->started_ms,
                              .ended_ms = entry->ended_ms,
                              .tries = entry->try,
                              .reason = entry->reason,
                              .status = entry->status};
}

/* ── The calls ───────────────────────────────────────────────────────────────────────────────── */

/* A job with the same key, if there is one. */
static const struct kept *same_key(const struct owner *owner, const char *key)
{
    const struct kept *entry;
    if (owner == NULL || key == NULL)
        return NULL;
    TAILQ_FOREACH(entry, &owner->jobs, in_owner)
    {
        if (entry->key != NULL && strcmp(entry->key, key) == 0)
            return entry;
    }
    return NULL;
}

static const char *lack(const struct store *store, const struct owner *owner, size_t size)
{
    if (store->counts.queued >= store->bounds.queue)
        return "the queue of jobs is full";
    if (store->bytes + size > BYTES_MAX)
        return "the queue of jobs has no memory left";
    if (store->bounds.per_owner > 0 && owner != NULL && owner->active >= store->bounds.per_owner)
        return "you have as many jobs that wait or run as one client may have";
    return NULL;
}

static struct kept *add(struct store *store, const struct store_submission *given)
{
    struct kept *entry = calloc(1, sizeof(*entry));
    struct owner *owner = make_owner(store, given->owner);
    if (entry == NULL || owner == NULL) {
        free(entry);
        release_owner(store, owner);
        return NULL;
    }
    *entry = (struct kept){.owner = owner,
                           .policy = strdup(given->policy),
                           .key = given->key != NULL ? strdup(given->key) : NULL,
                           .request = malloc(given->size + 1),
                           .request_size = given->size,
                           .created_ms = now_ms(),
                           .expires_us = monotonic_us() + store->bounds.job_ttl_ms * 1000};
    memcpy(entry->id, given->id, sizeof(entry->id));
    memcpy(entry->digest, given->digest, sizeof(entry->digest));
    bool whole = entry->policy != NULL && (given->key == NULL || entry->key != NULL) &&
                 entry->request != NULL && tsearch(entry, &store->ids, compare_ids) != NULL;
    if (!whole) {
        release_owner(store, owner);
        free_entry(entry);
        return NULL;
    }
    memcpy(entry->request, given->request, given->size);
    store->bytes += given->size;
    TAILQ_INSERT_HEAD(&owner->jobs, entry, in_owner);
    TAILQ_INSERT_TAIL(&store->open, entry, in_store);
    count(store, entry, 1);
    return entry;
}

static void submit(struct store *store, const struct store_submission *given, store_found *found,
                   void *user)
{
    expire(store);
    const struct owner *owner = find_owner(store, given->owner);
    const struct kept *entry = same_key(owner, given->key);
    if (entry != NULL) {
        bool same = strcmp(entry->digest, given->digest) == 0;
        struct store_job job = job_of(entry);
        found(user, same ? STORE_EXISTS : STORE_CONFLICT, NULL, same ? &job : NULL);
        return;
    }
    const char *why = lack(store, owner, given->size);
    if (why != NULL) {
        found(user, STORE_FULL, why, NULL);
        return;
    }
    entry = add(store, given);
    if (entry == NULL) {
        found(user, STORE_FAILED, "out of memory (the queue of jobs)", NULL);
        return;
    }
    struct store_job job = job_of(entry);
    job.before = jobs_before(store, entry);
    found(user, STORE_OK, NULL, &job);
    store->changed(store->user);
}

static void claim(struct store *store, size_t most, store_list *claimed, void *user)
{
    expire(store);
    struct store_job *jobs = calloc(most + 1, sizeof(*jobs));
    struct kept *entry;
    size_t taken = 0;
    if (jobs == NULL) {
        claimed(user, STORE_FAILED, "out of memory (the queue of jobs)", NULL, 0);
        return;
    }
    TAILQ_FOREACH(entry, &store->open, in_store)
    {
        if (taken == most)
            break;
        if (entry->state != STORE_QUEUED)
            continue;
        set_state(store, entry, STORE_RUNNING);
        entry->try++;
        entry->started_ms = now_ms();
        jobs[taken] = job_of(entry);
        jobs[taken].request = entry->request;
        jobs[taken++].request_size = entry->request_size;
    }
    claimed(user, STORE_OK, NULL, jobs, taken);
    free(jobs);
}

/* The job, if this is the try that counts. */
static struct kept *tried(const struct store *store, const char *id, int64_t try)
{
    struct kept *entry = find(store, id);
    return entry != NULL && entry->state == STORE_RUNNING && entry->try == try ? entry : NULL;
}

static void finish(struct store *store, const char *id, int64_t try, const char *answer,
                   size_t size, int status, store_done *done, void *user)
{
    expire(store);
    make_room(store, size);
    struct kept *entry = tried(store, id, try);
    char *copy = entry != NULL ? malloc(size + 1) : NULL;
    if (copy == NULL) {
        done(user, entry == NULL ? STORE_NONE : STORE_FAILED, "out of memory (an answer)");
        return;
    }
    memcpy(copy, answer, size);
    copy[size] = '\0';
    entry->answer = copy;
    entry->answer_size = size;
    entry->status = status;
    store->bytes += size;
    end(store, entry, STORE_DONE);
    done(user, STORE_OK, NULL);
}

static void fail(struct store *store, const char *id, int64_t try, bool counts, const char *reason,
                 store_done *done, void *user)
{
    expire(store);
    struct kept *entry = tried(store, id, try);
    if (entry == NULL) {
        done(user, STORE_NONE, NULL);
        return;
    }
    entry->losses += counts;
    entry->started_ms = 0;
    if (counts && entry->losses >= store->bounds.tries) {
        entry->reason = reason != NULL ? strdup(reason) : NULL;
        end(store, entry, STORE_LOST);
    } else {
        set_state(store, entry, STORE_QUEUED);
    }
    bool waits = store->counts.queued > 0;
    done(user, STORE_OK, NULL);
    if (waits)
        store->changed(store->user);
}

static struct kept *owned(struct store *store, const char *id, const char *owner)
{
    expire(store);
    struct kept *entry = find(store, id);
    return entry != NULL && strcmp(entry->owner->name, owner) == 0 ? entry : NULL;
}

static void get(struct store *store, const char *id, const char *owner, store_found *found,
                void *user)
{
    const struct kept *entry = owned(store, id, owner);
    if (entry == NULL) {
        found(user, STORE_NONE, NULL, NULL);
        return;
    }
    struct store_job job = job_of(entry);
    job.before = jobs_before(store, entry);
    job.answer = entry->answer;
    job.answer_size = entry->answer_size;
    found(user, STORE_OK, NULL, &job);
}

static void list(struct store *store, const char *name, size_t most, store_list *listed, void *user)
{
    expire(store);
    const struct owner *owner = find_owner(store, name);
    struct store_job *jobs = calloc(most + 1, sizeof(*jobs));
    const struct kept *entry;
    size_t number = 0;
    if (jobs == NULL) {
        listed(user, STORE_FAILED, "out of memory (a list of jobs)", NULL, 0);
        return;
    }
    if (owner != NULL)
        TAILQ_FOREACH(entry, &owner->jobs, in_owner)
        {
            if (number == most)
                break;
            jobs[number++] = job_of(entry);
        }
    listed(user, STORE_OK, NULL, jobs, number);
    free(jobs);
}

static void cancel(struct store *store, const char *id, const char *owner, store_done *done,
                   void *user)
{
    struct kept *entry = owned(store, id, owner);
    if (entry != NULL && entry->state <= STORE_RUNNING) {
        entry->reason = strdup("its client has cancelled it");
        end(store, entry, STORE_CANCELLED);
    }
    done(user, entry != NULL ? STORE_OK : STORE_NONE, NULL);
}

static struct store_counts counts(const struct store *store)
{
    return store->counts;
}

/* ── Opening, closing ────────────────────────────────────────────────────────────────────────── */

static int open_memory(struct store **out, const struct store_setup *setup, struct sb_error *err)
{
    if (strcmp(setup->address, store_memory.scheme) != 0)
        return sb_fail_field(err, "store", "store",
                             "--store memory has nothing after it: leave "
                             "away '%.60s'",
                             setup->address + strlen(store_memory.scheme));
    struct store *store = calloc(1, sizeof(*store));
    if (store == NULL)
        return sb_fail(err, "store", ENOMEM, "out of memory (the queue of jobs)");
    *store = (struct store){.driver = &store_memory,
                            .bounds = setup->bounds,
                            .changed = setup->changed,
                            .ended = setup->ended,
                            .user = setup->user};
    TAILQ_INIT(&store->open);
    TAILQ_INIT(&store->done);
    *out = store;
    return 0;
}

static void close_memory(struct store *store)
{
    struct kept_jobs *const lists[] = {&store->open, &store->done};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        struct kept *entry;
        while ((entry = TAILQ_FIRST(lists[i])) != NULL)
            forget(store, lists[i], entry);
    }
    free(store);
}

const struct store_driver store_memory = {
    .scheme = "memory",
    .open = open_memory,
    .close = close_memory,
    .submit = submit,
    .claim = claim,
    .finish = finish,
    .fail = fail,
    .get = get,
    .list = list,
    .cancel = cancel,
    .counts = counts,
};
