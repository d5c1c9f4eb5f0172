/* See sqlite_sql.h. */
#include "serve/store/sqlite_sql.h"

#include <stdarg.h>
#include <stddef.h>

#include "common/util.h"

/* State numbers are those of enum store_state. */
static const char *const texts[] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_INSERT] = "INSERT INTO jobs(id,owner,policy,key,digest,state,created,expires,request)"
                   " VALUES(?,?,?,?,?,0,?,?,?)",
    [SQL_BY_KEY] = "SELECT id,digest,state,created FROM jobs WHERE owner=? AND key=? AND expires>?",
    [SQL_QUEUED] = "SELECT count(*) FROM jobs WHERE state=0",
    [SQL_ACTIVE] = "SELECT count(*) FROM jobs WHERE owner=? AND state<2",
    [SQL_WAITING] = "SELECT 1 FROM jobs WHERE state=0 LIMIT 1",
    [SQL_CLAIM] =
        "UPDATE jobs SET state=1,try=try+1,started=?,slot=?,node=? WHERE seq="
        "(SELECT seq FROM jobs WHERE state=0 ORDER BY seq LIMIT 1)"
        " RETURNING id,owner,policy,state,created,started,ended,try,status,reason,request",
    [SQL_FINISH] =
        "UPDATE jobs SET state=2,answer=?,status=?,ended=?,expires=?,request=NULL,change=?"
        " WHERE id=? AND state=1 AND try=?",
    [SQL_TRIED] = "SELECT losses FROM jobs WHERE id=? AND state=1 AND try=?",
    [SQL_REQUEUE] = "UPDATE jobs SET state=0,losses=?,started=0,slot=NULL,node=NULL WHERE id=?",
    [SQL_LOSE] = "UPDATE jobs SET state=3,losses=?,reason=?,ended=?,expires=?,request=NULL,change=?"
                 " WHERE id=?",
    [SQL_GET] = "SELECT id,owner,policy,state,created,started,ended,try,status,reason,answer,"
                "CASE state WHEN 0 THEN (SELECT count(*) FROM jobs AS w WHERE w.state=0 AND"
                " w.seq<jobs.seq) ELSE 0 END FROM jobs WHERE id=? AND owner=? AND expires>?",
    [SQL_LIST] = "SELECT id,owner,policy,state,created,started,ended,try,status,reason,NULL,0"
                 " FROM jobs WHERE owner=? AND expires>? ORDER BY seq DESC LIMIT ?",
    [SQL_CANCEL] = "UPDATE jobs SET state=4,reason=?,ended=?,expires=?,request=NULL,change=?"
                   " WHERE id=? AND state<2",
    [SQL_EXISTS] = "SELECT state FROM jobs WHERE id=? AND owner=? AND expires>?",
    [SQL_NEXT_CHANGE] = "UPDATE meta SET change=change+1 RETURNING change",
    [SQL_CHANGE] = "SELECT change FROM meta",
    [SQL_ENDED] = "SELECT id,change,state FROM jobs WHERE change>? ORDER BY change LIMIT ?",
    [SQL_NUMBERS] = "SELECT (SELECT count(*) FROM jobs WHERE state=0),"
                    "(SELECT count(*) FROM jobs WHERE state=1)",
    [SQL_SLOTS] = "SELECT DISTINCT slot FROM jobs WHERE state=1",
    [SQL_OF_SLOT] = "SELECT id,try FROM jobs WHERE state=1 AND slot=?",
    [SQL_EXPIRED] = "DELETE FROM jobs WHERE seq IN (SELECT seq FROM jobs WHERE expires<=? LIMIT ?)",
};
_Static_assert(ARRAY_LEN(texts) == SQL_STATEMENTS, "a text for each");

static int bind(sqlite3_stmt *statement, const char *format, va_list values)
{
    int code = SQLITE_OK;
    for (int at = 1; *format != '\0' && code == SQLITE_OK; at++, format++) {
        if (*format == 'i') {
            code = sqlite3_bind_int64(statement, at, va_arg(values, int64_t));
        } else if (*format == 't') {
            code = sqlite3_bind_text(statement, at, va_arg(values, const char *), -1, NULL);
        } else {
            const void *data = va_arg(values, const void *);
            code = sqlite3_bind_blob64(statement, at, data, va_arg(values, size_t), NULL);
        }
    }
    return code;
}

int sql_run(struct sql *sql, enum sql_statement which, const char *format, ...)
{
    sqlite3_stmt **statement = &sql->prepared[which];
    va_list values;
    if (*statement == NULL) {
        int code = sqlite3_prepare_v3(sql->db, texts[which], -1, SQLITE_PREPARE_PERSISTENT,
                                      statement, NULL);
        if (code != SQLITE_OK)
            return code;
    }
    sqlite3_reset(*statement);
    va_start(values, format);
    int code = bind(*statement, format, values);
    va_end(values);
    return code == SQLITE_OK ? sqlite3_step(*statement) : code;
}

sqlite3_stmt *sql_row(const struct sql *sql, enum sql_statement which)
{
    return sql->prepared[which];
}

void sql_stop(struct sql *sql, enum sql_statement which)
{
    sqlite3_reset(sql->prepared[which]);
    sqlite3_clear_bindings(sql->prepared[which]);
}

void sql_stop_all(struct sql *sql)
{
    for (size_t i = 0; i < SQL_STATEMENTS; i++)
        sqlite3_reset(sql->prepared[i]);
}

int sql_number(struct sql *sql, enum sql_statement which, int code, int64_t *value)
{
    if (code == SQLITE_ROW)
        *value = sqlite3_column_int64(sql_row(sql, which), 0);
    if (code == SQLITE_ROW || code == SQLITE_DONE)
        sql_stop(sql, which);
    return code;
}

void sql_free(struct sql *sql)
{
    for (size_t i = 0; i < SQL_STATEMENTS; i++) {
        sqlite3_finalize(sql->prepared[i]);
        sql->prepared[i] = NULL;
    }
}
