/* See sqlite_file.h. */
#include "serve/store/sqlite_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/error.h"
#include "common/util.h"

/* "sbxj": tells our files from those of other programs. */
enum { APPLICATION_ID = 0x7362786a, SCHEMA_VERSION = 1 };
enum { OPEN_BUSY_MS = 10000, SLOTS_MAX = 4096 };

static const char schema[] =
    "CREATE TABLE jobs("
    " seq INTEGER PRIMARY KEY AUTOINCREMENT," /* the order in which they came */
    " id TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, policy TEXT NOT NULL,"
    " key TEXT, digest TEXT NOT NULL,"
    " state INTEGER NOT NULL," /* enum store_state */
    " created INTEGER NOT NULL, started INTEGER NOT NULL DEFAULT 0,"
    " ended INTEGER NOT NULL DEFAULT 0, expires INTEGER NOT NULL," /* ms since 1970 */
    " try INTEGER NOT NULL DEFAULT 0, losses INTEGER NOT NULL DEFAULT 0,"
    " slot INTEGER, node TEXT,"           /* of the process that runs it */
    " change INTEGER NOT NULL DEFAULT 0," /* of meta, when it ended */
    " request BLOB, answer BLOB, status INTEGER NOT NULL DEFAULT 0, reason TEXT);"
    "CREATE INDEX by_state ON jobs(state, seq);"
    "CREATE INDEX by_owner ON jobs(owner, state);"
    "CREATE INDEX by_key ON jobs(owner, key) WHERE key IS NOT NULL;"
    "CREATE INDEX by_expiry ON jobs(expires);"
    "CREATE INDEX by_change ON jobs(change);"
    "CREATE TABLE meta(change INTEGER NOT NULL);"
    "INSERT INTO meta VALUES(0);";

/* ── Nodes ───────────────────────────────────────────────────────────────────────────────────── */

/* Locks of the open file description: two stores in one process are two nodes, and no close of
 * another descriptor releases them. */
static bool lock_byte(const struct sqlite_file *file, int64_t at, short type)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1};
    return fcntl(file->nodes, F_OFD_SETLK, &lock) == 0;
}

bool sqlite_slot_take(const struct sqlite_file *file, int64_t slot)
{
    return lock_byte(file, slot, F_WRLCK);
}

void sqlite_slot_release(const struct sqlite_file *file, int64_t slot)
{
    lock_byte(file, slot, F_UNLCK);
}

static int open_nodes(struct sqlite_file *file, struct sb_error *err)
{
    char path[PATH_MAX + 8];
    snprintf(path, sizeof(path), "%s-nodes", file->path);
    file->nodes = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file->nodes < 0)
        return sb_fail_field(err, "store", "store",
                             "can't open %s: %s: give the service its own "
                             "directory for --store",
                             path, strerror(errno));
    for (file->slot = 1; file->slot < SLOTS_MAX; file->slot++)
        if (sqlite_slot_take(file, file->slot))
            return 0;
        else if (errno != EAGAIN && errno != EACCES)
            break;
    return sb_fail_field(err, "store", "store",
                         "can't lock %s: %s: put the file of --store on a "
                         "local disk",
                         path, strerror(errno));
}

/* ── The database ────────────────────────────────────────────────────────────────────────────── */

static int read_address(struct sqlite_file *file, const char *address, struct sb_error *err)
{
    const char *path = address + strlen("sqlite:"), *query = strchr(path, '?');
    size_t size = query != NULL ? (size_t)(query - path) : strlen(path);
    file->full = query != NULL && strcmp(query, "?synchronous=full") == 0;
    if (query != NULL && !file->full && strcmp(query, "?synchronous=normal") != 0)
        return sb_fail_field(err, "store", "store",
                             "--store sqlite:PATH may end with "
                             "?synchronous=full or ?synchronous=normal, not with '%.60s'",
                             query);
    if (size == 0 || size >= sizeof(file->path) - 8)
        return sb_fail_field(err, "store", "store",
                             "--store sqlite: needs the path of a file, such "
                             "as sqlite:/var/lib/sandbox-run/jobs.db");
    memcpy(file->path, path, size);
    file->path[size] = '\0';
    return 0;
}

static int fail_sqlite(const struct sqlite_file *file, struct sb_error *err)
{
    int code = sqlite3_errcode(file->db);
    const char *advice = "check its disk";
    if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT)
        advice = "it is damaged, or no database: move it away, or restore it from a backup";
    else if (code == SQLITE_CANTOPEN || code == SQLITE_READONLY || code == SQLITE_PERM)
        advice = "name a file in a directory that the service's user may write to";
    else if (code == SQLITE_BUSY)
        advice = "another program holds it locked: end that, or name another file";
    else if (code == SQLITE_FULL)
        advice = "free space on its disk";
    return sb_fail_field(err, "store", "store", "can't use --store sqlite:%s: %s: %s", file->path,
                         sqlite3_errmsg(file->db), advice);
}

static int run(const struct sqlite_file *file, const char *sql, struct sb_error *err)
{
    if (sqlite3_exec(file->db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return 0;
    return fail_sqlite(file, err);
}

static int ask(const struct sqlite_file *file, const char *sql, int64_t *value,
               struct sb_error *err)
{
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(file->db, sql, -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        *value = sqlite3_column_int64(statement, 0);
    int result = code == SQLITE_ROW ? 0 : fail_sqlite(file, err);
    sqlite3_finalize(statement);
    return result;
}

/* Within a transaction: makes an empty file ours, or finds that it is. */
static int check_schema(const struct sqlite_file *file, struct sb_error *err)
{
    int64_t application = 0, version = 0, tables = 0;
    if (ask(file, "PRAGMA application_id", &application, err) < 0 ||
        ask(file, "PRAGMA user_version", &version, err) < 0 ||
        ask(file, "SELECT count(*) FROM sqlite_schema", &tables, err) < 0)
        return -1;
    if (application == 0 && version == 0 && tables == 0) {
        char mark[96];
        snprintf(mark, sizeof(mark), "PRAGMA application_id=%d; PRAGMA user_version=%d",
                 APPLICATION_ID, SCHEMA_VERSION);
        return run(file, schema, err) < 0 ? -1 : run(file, mark, err);
    }
    if (application != APPLICATION_ID)
        return sb_fail_field(err, "store", "store",
                             "%s is a database of another program: name "
                             "another file for --store",
                             file->path);
    if (version != SCHEMA_VERSION)
        return sb_fail_field(err, "store", "store",
                             "%s was made by another version of "
                             "sandbox-serve (its form is %lld, ours %d): use that version until "
                             "its jobs have ended, or name another file for --store",
                             file->path, (long long)version, SCHEMA_VERSION);
    return 0;
}

/* Whoever opens it at the same time may hold it for a moment, for which SQLite does not wait when
 * it changes the journal. */
static int set_journal(const struct sqlite_file *file, struct sb_error *err)
{
    int64_t until = monotonic_us() + OPEN_BUSY_MS * INT64_C(1000);
    int code;
    while ((code = sqlite3_exec(file->db, "PRAGMA journal_mode=WAL", NULL, NULL, NULL)) ==
               SQLITE_BUSY &&
           monotonic_us() < until)
        sqlite3_sleep(5);
    return code == SQLITE_OK ? 0 : fail_sqlite(file, err);
}

static int prepare(const struct sqlite_file *file, struct sb_error *err)
{
    sqlite3_busy_timeout(file->db, OPEN_BUSY_MS);
    /* Nothing in a damaged or foreign file may make SQLite do more than it is told to. */
    sqlite3_db_config(file->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(file->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    if (run(file, "BEGIN IMMEDIATE", err) < 0)
        return -1;
    if (check_schema(file, err) < 0) {
        sqlite3_exec(file->db, "ROLLBACK", NULL, NULL, NULL);
        return -1;
    }
    if (run(file, "COMMIT", err) < 0 || set_journal(file, err) < 0)
        return -1;
    if (run(file, "PRAGMA journal_size_limit=1048576", err) < 0)
        return -1;
    return run(file, file->full ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL", err);
}

static void warn_of_mode(const struct sqlite_file *file, struct log *log)
{
    struct stat status;
    if (stat(file->path, &status) == 0 && (status.st_mode & 077) != 0 && log != NULL)
        log_say(log, LOG_WARNING,
                "%s, which holds the code and the output of jobs, can be read by other users: "
                "chmod 600 %s",
                file->path, file->path);
}

int sqlite_file_open(struct sqlite_file *file, const char *address, struct log *log,
                     struct sb_error *err)
{
    *file = (struct sqlite_file){.nodes = -1};
    if (read_address(file, address, err) < 0)
        return -1;
    mode_t mask = umask(0077); /* the database, and the files that SQLite makes beside it */
    int code =
        sqlite3_open_v2(file->path, &file->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    int result = code == SQLITE_OK ? prepare(file, err) : fail_sqlite(file, err);
    if (result == 0)
        result = open_nodes(file, err);
    umask(mask);
    if (result < 0)
        sqlite_file_close(file);
    else
        warn_of_mode(file, log);
    return result;
}

void sqlite_file_close(struct sqlite_file *file)
{
    sqlite3_close(file->db);
    file->db = NULL;
    close_fd(&file->nodes);
}
