/* See sqlite_jobs.h. Each call is one transaction that takes the right to write at its beginning,
 * so that what it has read is still true when it writes. */
#include "serve/store/sqlite_jobs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/util.h"

enum { FORGET_MAX = 500, LOOK_MAX = 1000 };

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ── Rows ────────────────────────────────────────────────────────────────────────────────────── */

static char *text_at(sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    return text != NULL ? strdup(text) : NULL;
}

static void *bytes_at(sqlite3_stmt *statement, int column, size_t *size)
{
    const void *data = sqlite3_column_blob(statement, column);
    *size = (size_t)sqlite3_column_bytes(statement, column);
    char *copy = data != NULL ? malloc(*size + 1) : NULL;
    if (copy == NULL)
        return NULL;
    memcpy(copy, data, *size);
    copy[*size] = '\0';
    return copy;
}

static struct store_job *grow(struct sqlite_call *call)
{
    struct store_job *bigger =
        realloc(call->jobs, (call->jobs_count + 1) * sizeof(struct store_job));
    if (bigger == NULL)
        return NULL;
    call->jobs = bigger;
    bigger[call->jobs_count] = (struct store_job){0};
    return &bigger[call->jobs_count];
}

/* Adds the job of a row of SQL_CLAIM, GET or LIST. A file is input: whoever can write to it can put
 * anything there. */
static int add_job(struct sqlite_call *call, sqlite3_stmt *from, bool claimed)
{
    struct store_job *job = grow(call);
    if (job == NULL)
        return SQLITE_NOMEM;
    size_t size;
    int64_t state = sqlite3_column_int64(from, 3);
    *job = (struct store_job){.id = text_at(from, 0),
                              .owner = text_at(from, 1),
                              .policy = text_at(from, 2),
                              .state = (enum store_state)state,
                              .created_ms = sqlite3_column_int64(from, 4),
                              .started_ms = sqlite3_column_int64(from, 5),
                              .ended_ms = sqlite3_column_int64(from, 6),
                              .tries = sqlite3_column_int64(from, 7),
                              .status = sqlite3_column_int(from, 8),
                              .reason = text_at(from, 9)};
    void *data = bytes_at(from, 10, &size);
    if (claimed) {
        job->request = data;
        job->request_size = data != NULL ? size : 0;
    } else {
        job->answer = data;
        job->answer_size = data != NULL ? size : 0;
        job->before = sqlite3_column_int64(from, 11);
    }
    call->jobs_count++;
    if (state < STORE_QUEUED || state > STORE_CANCELLED)
        return SQLITE_CORRUPT;
    return job->id != NULL && job->owner != NULL && job->policy != NULL ? SQLITE_OK : SQLITE_NOMEM;
}

static void free_const(const void *pointer)
{
    free((void *)(uintptr_t)pointer);
}

void sqlite_call_free(struct sqlite_call *call)
{
    for (size_t i = 0; i < call->jobs_count; i++) {
        free_const(call->jobs[i].id);
        free_const(call->jobs[i].owner);
        free_const(call->jobs[i].policy);
        free_const(call->jobs[i].reason);
        free_const(call->jobs[i].request);
        free_const(call->jobs[i].answer);
    }
    free(call->jobs);
    free(call->owner);
    free(call->policy);
    free(call->key);
    free(call->reason);
    free(call->data);
    free(call);
}

/* ── The calls: each returns SQLITE_DONE, or an error ────────────────────────────────────────── */

static void refuse(struct sqlite_call *call, enum store_result result, const char *message)
{
    call->result = result;
    snprintf(call->message, sizeof(call->message), "%s", message);
}

static int next_change(struct sqlite_jobs *jobs, int64_t *change)
{
    int code =
        sql_number(&jobs->sql, SQL_NEXT_CHANGE, sql_run(&jobs->sql, SQL_NEXT_CHANGE, ""), change);
    return code == SQLITE_ROW ? SQLITE_DONE : code == SQLITE_DONE ? SQLITE_CORRUPT : code;
}

static int same_key(struct sqlite_jobs *jobs, struct sqlite_call *call, bool *found)
{
    int code = sql_run(&jobs->sql, SQL_BY_KEY, "tti", call->owner, call->key, now_ms());
    *found = code == SQLITE_ROW;
    if (!*found)
        return code;
    sqlite3_stmt *from = sql_row(&jobs->sql, SQL_BY_KEY);
    const char *digest = (const char *)sqlite3_column_text(from, 1);
    if (digest == NULL || strcmp(digest, call->digest) != 0) {
        refuse(call, STORE_CONFLICT, "");
    } else {
        struct store_job *job = grow(call);
        call->result = STORE_EXISTS;
        if (job == NULL)
            return SQLITE_NOMEM;
        job->id = text_at(from, 0);
        job->state = (enum store_state)sqlite3_column_int64(from, 2);
        job->created_ms = sqlite3_column_int64(from, 3);
        call->jobs_count++;
    }
    sql_stop(&jobs->sql, SQL_BY_KEY);
    return SQLITE_DONE;
}

static int submit(struct sqlite_jobs *jobs, struct sqlite_call *call)
{
    bool found = false;
    int64_t queued = 0, active = 0, now = now_ms();
    int code = call->key != NULL ? same_key(jobs, call, &found) : SQLITE_DONE;
    if (found || code != SQLITE_DONE)
        return code;
    if ((code = sql_number(&jobs->sql, SQL_QUEUED, sql_run(&jobs->sql, SQL_QUEUED, ""), &queued)) !=
            SQLITE_ROW ||
        (code = sql_number(&jobs->sql, SQL_ACTIVE,
                           sql_run(&jobs->sql, SQL_ACTIVE, "t", call->owner), &active)) !=
            SQLITE_ROW)
        return code;
    if (queued >= jobs->bounds.queue) {
        refuse(call, STORE_FULL, "the queue of jobs is full");
        return SQLITE_DONE;
    }
    if (jobs->bounds.per_owner > 0 && active >= jobs->bounds.per_owner) {
        refuse(call, STORE_FULL, "you have as many jobs that wait or run as one client may have");
        return SQLITE_DONE;
    }
    struct store_job *job = grow(call);
    if (job == NULL)
        return SQLITE_NOMEM;
    *job = (struct store_job){.id = strdup(call->id),
                              .owner = strdup(call->owner),
                              .policy = strdup(call->policy),
                              .created_ms = now,
                              .before = queued};
    call->jobs_count++;
    call->rings = true;
    return sql_run(&jobs->sql, SQL_INSERT, "tttttiib", call->id, call->owner, call->policy,
                   call->key, call->digest, now, now + jobs->bounds.job_ttl_ms, call->data,
                   call->size);
}

static int claim(struct sqlite_jobs *jobs, struct sqlite_call *call)
{
    int code = SQLITE_DONE;
    while (call->jobs_count < call->most) {
        code = sql_run(&jobs->sql, SQL_CLAIM, "iit", now_ms(), jobs->file.slot, jobs->node);
        if (code != SQLITE_ROW)
            break;
        code = add_job(call, sql_row(&jobs->sql, SQL_CLAIM), true);
        if (code != SQLITE_OK)
            return code;
        sql_stop(&jobs->sql, SQL_CLAIM);
        code = SQLITE_DONE;
    }
    return code;
}

static int finish(struct sqlite_jobs *jobs, struct sqlite_call *call)
{
    int64_t change, now = now_ms();
    int code = next_change(jobs, &change);
    if (code == SQLITE_DONE)
        code = sql_run(&jobs->sql, SQL_FINISH, "biiiiti", call->data, call->size,
                       (int64_t)call->status, now, now + jobs->bounds.result_ttl_ms, change,
                       call->id, call->try);
    if (code == SQLITE_DONE && sqlite3_changes(jobs->file.db) == 0)
        call->result = STORE_NONE;
    call->rings = true;
    return code;
}

/* A try has ended without an answer: the job is queued again, or lost. SQLITE_ROW: done. */
static int give_back(struct sqlite_jobs *jobs, const char *id, int64_t try, bool counts,
                     const char *reason)
{
    int64_t losses = 0, change, now = now_ms();
    int code =
        sql_number(&jobs->sql, SQL_TRIED, sql_run(&jobs->sql, SQL_TRIED, "ti", id, try), &losses);
    if (code != SQLITE_ROW)
        return code;
    losses += counts;
    if (!counts || losses < jobs->bounds.tries) {
        code = sql_run(&jobs->sql, SQL_REQUEUE, "it", losses, id);
    } else if ((code = next_change(jobs, &change)) == SQLITE_DONE) {
        code = sql_run(&jobs->sql, SQL_LOSE, "itiiit", losses, reason, now,
                       now + jobs->bounds.result_ttl_ms, change, id);
        jobs->lost++;
    }
    return code == SQLITE_DONE ? SQLITE_ROW : code;
}

static int fail(struct sqlite_jobs *jobs, struct sqlite_call *call)
{
    int code = give_back(jobs, call->id, call->try, call->counts, call->reason);
    if (code == SQLITE_DONE)
        call->result = STORE_NONE;
    call->rings = true;
    return code == SQLITE_ROW ? SQLITE_DONE : code;
}

static int get(struct sqlite_jobs *jobs, struct sqlite_call *call)
{
    int code = sql_run(&jobs->sql, SQL_GET, "tti", call->id, call->owner, now_ms());
    if (code == SQLITE_DONE)
        call->result = STORE_NONE;
    if (code != SQLITE_ROW)
        return code;
    code = add_job(call, sql_row(&jobs->sql, SQL_GET), false);
    sql_stop(&jobs->sql, SQL_GET);
    return code == SQLITE_OK ? SQLITE_DONE : code;
}

static int list(struct sqlite_jobs *jobs, struct sqlite_call *call)
{
    int code = sql_run(&jobs->sql, SQL_LIST, "tii", call->owner, now_ms(), (int64_t)call->most);
    while (code == SQLITE_ROW) {
        code = add_job(call, sql_row(&jobs->sql, SQL_LIST), false);
        if (code == SQLITE_OK)
            code = sqlite3_step(sql_row(&jobs->sql, SQL_LIST));
    }
    sql_stop(&jobs->sql, SQL_LIST);
    return code;
}

static int cancel(struct sqlite_jobs *jobs, struct sqlite_call *call)
{
    int64_t state, change, now = now_ms();
    int code =
        sql_number(&jobs->sql, SQL_EXISTS,
                   sql_run(&jobs->sql, SQL_EXISTS, "tti", call->id, call->owner, now), &state);
    if (code == SQLITE_DONE)
        call->result = STORE_NONE;
    if (code != SQLITE_ROW)
        return code;
    if (state > STORE_RUNNING)
        return SQLITE_DONE;
    call->rings = true;
    code = next_change(jobs, &change);
    if (code == SQLITE_DONE)
        code = sql_run(&jobs->sql, SQL_CANCEL, "tiiit", "its client has cancelled it", now,
                       now + jobs->bounds.result_ttl_ms, change, call->id);
    return code;
}

static int look(struct sqlite_jobs *jobs, struct sqlite_call *call)
{
    int code = sql_run(&jobs->sql, SQL_ENDED, "ii", jobs->change, (int64_t)LOOK_MAX);
    while (code == SQLITE_ROW) {
        struct store_job *job = grow(call);
        if (job == NULL)
            break;
        job->id = text_at(sql_row(&jobs->sql, SQL_ENDED), 0);
        jobs->change = sqlite3_column_int64(sql_row(&jobs->sql, SQL_ENDED), 1);
        call->jobs_count++;
        code = sqlite3_step(sql_row(&jobs->sql, SQL_ENDED));
    }
    sql_stop(&jobs->sql, SQL_ENDED);
    if (code == SQLITE_DONE)
        code = sql_run(&jobs->sql, SQL_NUMBERS, "");
    if (code != SQLITE_ROW)
        return code;
    call->numbers =
        (struct store_counts){.queued = sqlite3_column_int64(sql_row(&jobs->sql, SQL_NUMBERS), 0),
                              .running = sqlite3_column_int64(sql_row(&jobs->sql, SQL_NUMBERS), 1),
                              .lost = jobs->lost};
    sql_stop(&jobs->sql, SQL_NUMBERS);
    return SQLITE_DONE;
}

/* Gives back what the process of a slot ran, whose lock we hold. */
static int give_back_slot(struct sqlite_jobs *jobs, int64_t slot, bool *any)
{
    char reason[96], id[STORE_ID_SIZE];
    int code;
    snprintf(reason, sizeof(reason),
             "so many processes of the service have died while they ran it: %lld",
             (long long)jobs->bounds.tries);
    while ((code = sql_run(&jobs->sql, SQL_OF_SLOT, "i", slot)) == SQLITE_ROW) {
        snprintf(id, sizeof(id), "%s",
                 (const char *)sqlite3_column_text(sql_row(&jobs->sql, SQL_OF_SLOT), 0));
        int64_t try = sqlite3_column_int64(sql_row(&jobs->sql, SQL_OF_SLOT), 1);
        sql_stop(&jobs->sql, SQL_OF_SLOT);
        code = give_back(jobs, id, try, true, reason);
        *any = true;
        if (code != SQLITE_ROW)
            return code == SQLITE_DONE ? SQLITE_CORRUPT : code;
    }
    return code;
}

static int tend(struct sqlite_jobs *jobs, struct sqlite_call *call)
{
    int64_t slots[64];
    size_t count = 0;
    int code = sql_run(&jobs->sql, SQL_SLOTS, "");
    for (; code == SQLITE_ROW && count < ARRAY_LEN(slots);
         code = sqlite3_step(sql_row(&jobs->sql, SQL_SLOTS)))
        slots[count++] = sqlite3_column_int64(sql_row(&jobs->sql, SQL_SLOTS), 0);
    sql_stop(&jobs->sql, SQL_SLOTS);
    code = code == SQLITE_ROW ? SQLITE_DONE : code;
    for (size_t i = 0; i < count && code == SQLITE_DONE; i++) {
        /* Held meanwhile: a new process can't take the slot, and claim jobs under it. */
        if (slots[i] == jobs->file.slot || !sqlite_slot_take(&jobs->file, slots[i]))
            continue;
        code = give_back_slot(jobs, slots[i], &call->rings);
        sqlite_slot_release(&jobs->file, slots[i]);
    }
    return code == SQLITE_DONE
               ? sql_run(&jobs->sql, SQL_EXPIRED, "ii", now_ms(), (int64_t)FORGET_MAX)
               : code;
}

static int checkpoint(struct sqlite_jobs *jobs, struct sqlite_call *call)
{
    (void)jobs;
    (void)call;
    return SQLITE_DONE;
}

void sqlite_jobs_tidy(struct sqlite_jobs *jobs)
{
    if (jobs->journal_pages < JOURNAL_PAGES)
        return;
    jobs->journal_pages = 0; /* one that fails is tried again after the next write */
    sqlite3_wal_checkpoint_v2(jobs->file.db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

/* A hook of SQLite, in place of its own checkpoints: they wait for the disk in the middle of a
 * call. */
static int count_journal(void *user, sqlite3 *db, const char *name, int pages)
{
    struct sqlite_jobs *jobs = user;
    (void)db;
    (void)name;
    jobs->journal_pages = pages;
    return SQLITE_OK;
}

/* ── Transactions ────────────────────────────────────────────────────────────────────────────── */

static const struct {
    int (*run)(struct sqlite_jobs *jobs, struct sqlite_call *call);
    bool writes;
} calls[CALLS] = {
    [CALL_SUBMIT] = {submit, true}, [CALL_CLAIM] = {claim, true},
    [CALL_FINISH] = {finish, true}, [CALL_FAIL] = {fail, true},
    [CALL_GET] = {get, false},      [CALL_LIST] = {list, false},
    [CALL_CANCEL] = {cancel, true}, [CALL_LOOK] = {look, false},
    [CALL_TEND] = {tend, true},     [CALL_CHECKPOINT] = {checkpoint, false},
};

static void say_failure(struct sqlite_jobs *jobs, struct sqlite_call *call, int code)
{
    int errnum = sqlite3_system_errno(jobs->file.db);
    const char *why = code == SQLITE_NOMEM ? "out of memory" : sqlite3_errmsg(jobs->file.db);
    call->result = STORE_FAILED;
    call->rings = false;
    snprintf(call->message, sizeof(call->message), "the store of jobs can't be %s: %s%s%s",
             calls[call->kind].writes ? "written" : "read", why,
             code == SQLITE_IOERR && errnum != 0 ? ": " : "",
             code == SQLITE_IOERR && errnum != 0 ? strerror(errnum) : "");
}

/* Other processes write while nothing is queued, too: then a claim is only read. */
static bool is_idle_claim(struct sqlite_jobs *jobs, const struct sqlite_call *call)
{
    int64_t one;
    return call->kind == CALL_CLAIM &&
           sql_number(&jobs->sql, SQL_WAITING, sql_run(&jobs->sql, SQL_WAITING, ""), &one) ==
               SQLITE_DONE;
}

/* SQLite writes on to a file that has been removed, and nobody would find there what was accepted.
 * The jobs that are in it may still end. */
static bool is_gone(struct sqlite_jobs *jobs, struct sqlite_call *call)
{
    int moved = 0;
    if (call->kind != CALL_SUBMIT ||
        sqlite3_file_control(jobs->file.db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) != SQLITE_OK ||
        !moved)
        return false;
    refuse(call, STORE_FAILED,
           "the file of the store of jobs has been removed or replaced: the service must be "
           "started again");
    return true;
}

void sqlite_jobs_call(struct sqlite_jobs *jobs, struct sqlite_call *call)
{
    bool writes = calls[call->kind].writes;
    int64_t lost = jobs->lost;
    if (is_idle_claim(jobs, call) || is_gone(jobs, call))
        return;
    int code = writes ? sql_run(&jobs->sql, SQL_BEGIN, "") : SQLITE_DONE;
    if (code == SQLITE_DONE)
        code = calls[call->kind].run(jobs, call);
    if (code == SQLITE_DONE && writes)
        code = sql_run(&jobs->sql, SQL_COMMIT, "");
    call->busy = code == SQLITE_BUSY;
    if (code == SQLITE_DONE)
        return;
    say_failure(jobs, call, code);
    sql_stop_all(&jobs->sql);
    if (sqlite3_get_autocommit(jobs->file.db) == 0)
        sql_run(&jobs->sql, SQL_ROLLBACK, "");
    if (code == SQLITE_FULL) /* the journal may hold much that is written already */
        sqlite3_wal_checkpoint_v2(jobs->file.db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    jobs->lost = lost;
}

int sqlite_jobs_begin(struct sqlite_jobs *jobs, struct sb_error *err)
{
    bool any = false;
    jobs->sql.db = jobs->file.db;
    sqlite3_wal_hook(jobs->file.db, count_journal, jobs);
    int code = sql_run(&jobs->sql, SQL_BEGIN, "");
    if (code == SQLITE_DONE)
        code = give_back_slot(jobs, jobs->file.slot, &any);
    if (code == SQLITE_DONE)
        code =
            sql_number(&jobs->sql, SQL_CHANGE, sql_run(&jobs->sql, SQL_CHANGE, ""), &jobs->change);
    if (code == SQLITE_ROW)
        code = sql_run(&jobs->sql, SQL_COMMIT, "");
    if (code == SQLITE_DONE)
        return 0;
    return sb_fail_field(err, "store", "store",
                         "can't read --store sqlite:%s: %s: it is damaged: move it away, or "
                         "restore it from a backup",
                         jobs->file.path, sqlite3_errmsg(jobs->file.db));
}

void sqlite_jobs_end(struct sqlite_jobs *jobs)
{
    sql_free(&jobs->sql);
    free(jobs->node);
    sqlite_file_close(&jobs->file);
}
