/* The statements of a SQLite store, each prepared once (sqlite_sql.c). */
#ifndef SERVE_SQLITE_SQL_H
#define SERVE_SQLITE_SQL_H

#include <sqlite3.h>
#include <stdint.h>

enum sql_statement {
    SQL_BEGIN,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_INSERT,
    SQL_BY_KEY,
    SQL_QUEUED,
    SQL_ACTIVE,
    SQL_WAITING,
    SQL_CLAIM,
    SQL_FINISH,
    SQL_TRIED,
    SQL_REQUEUE,
    SQL_LOSE,
    SQL_GET,
    SQL_LIST,
    SQL_CANCEL,
    SQL_EXISTS,
    SQL_NEXT_CHANGE,
    SQL_CHANGE,
    SQL_ENDED,
    SQL_NUMBERS,
    SQL_SLOTS,
    SQL_OF_SLOT,
    SQL_EXPIRED,
    SQL_STATEMENTS
};

struct sql {
    sqlite3 *db;
    sqlite3_stmt *prepared[SQL_STATEMENTS]; /* NULL: not yet */
};

/* Begins a statement, up to its first row. `format` has a letter for each value: i int64_t, t text
 * or NULL, b bytes and their size. The values must live until the statement is begun again.
 * Returns SQLITE_ROW, SQLITE_DONE, or an error. */
int sql_run(struct sql *sql, enum sql_statement which, const char *format, ...);

/* The present row, for sqlite3_column_…, and sqlite3_step to the next one. */
sqlite3_stmt *sql_row(const struct sql *sql, enum sql_statement which);

/* A statement that reads must not stay begun: it would keep the transaction open. */
void sql_stop(struct sql *sql, enum sql_statement which);
void sql_stop_all(struct sql *sql);

/* The end of a statement of one number, which sql_run has begun with this code. Returns the code;
 * with SQLITE_ROW, *value is set. */
int sql_number(struct sql *sql, enum sql_statement which, int code, int64_t *value);

void sql_free(struct sql *sql);

#endif
