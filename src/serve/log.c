/* The log. In the journal each field can be asked for (journalctl SANDBOX_VERDICT=memory);
 * anywhere else a record is one line of JSON in one write(2): records of several workers do not
 * mix. What goes in may come from clients: the JSON writer makes it valid, and the journal takes
 * fields by their size, so that no line break can forge a record. */
#include "log.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>

#ifdef HAVE_SYSTEMD
#include <systemd/sd-journal.h>
#endif

#include "json_writer.h"
#include "util.h"

struct log {
    bool journal;
};

#ifdef HAVE_SYSTEMD
/* systemd.exec(5), $JOURNAL_STREAM: stderr may have been sent elsewhere since. */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat status;
    return stream != NULL && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
           fstat(2, &status) == 0 && status.st_dev == device && status.st_ino == inode;
}
#else
static bool stderr_is_journal(void)
{
    return false;
}
#endif

struct log *log_open(void)
{
    struct log *log = calloc(1, sizeof(*log));
    if (log != NULL)
        log->journal = stderr_is_journal();
    return log;
}

void log_close(struct log *log)
{
    free(log);
}

static size_t text_size(const struct log_field *field)
{
    return field->size > 0 ? field->size : strlen(field->text);
}

/* ── Lines of JSON ──────────────────────────────────────────────────────────────────────────── */

static const char *level_name(int priority)
{
    static const char *const names[] = {"emerg",   "alert",  "crit", "error",
                                        "warning", "notice", "info", "debug"};
    return names[priority & 7];
}

static void write_time(struct json_writer *writer)
{
    struct timespec now;
    struct tm utc;
    char day[32], text[64];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &utc);
    int size = snprintf(text, sizeof(text), "%s.%03ldZ", day, now.tv_nsec / 1000000);
    json_string(writer, text, (size_t)size);
}

static void write_line(int priority, const char *message, const struct log_field *fields,
                       size_t count)
{
    struct json_writer writer;
    json_begin(&writer, 1024);
    json_bracket(&writer, '{');
    json_key(&writer, "time");
    write_time(&writer);
    json_key(&writer, "level");
    json_string(&writer, level_name(priority), strlen(level_name(priority)));
    json_key(&writer, "message");
    json_string(&writer, message, strlen(message));
    for (size_t i = 0; i < count; i++) {
        json_key(&writer, fields[i].name);
        if (fields[i].text != NULL)
            json_string(&writer, fields[i].text, text_size(&fields[i]));
        else
            json_integer(&writer, fields[i].number);
    }
    json_bracket(&writer, '}');
    size_t size = writer.size;
    _cleanup_free_ char *line = json_end(&writer);
    if (line == NULL)
        return;
    line[size] = '\n'; /* in place of the NUL */
    for (size_t done = 0; done < size + 1;) {
        ssize_t wrote = write(2, line + done, size + 1 - done);
        if (wrote < 0 && errno != EINTR)
            return; /* nobody reads the log: the service goes on */
        done += wrote > 0 ? (size_t)wrote : 0;
    }
}

/* ── The journal ────────────────────────────────────────────────────────────────────────────── */

#ifdef HAVE_SYSTEMD
enum { JOURNAL_FIELDS = 32 };

/* "NAME=value" for the journal, or an empty vector when memory is short. */
static struct iovec journal_field(const struct log_field *field)
{
    size_t name_size = strlen(field->name);
    size_t value_size = field->text != NULL ? text_size(field) : 24;
    static const char prefix[] = "SANDBOX_";
    char *text = malloc(sizeof(prefix) + name_size + value_size + 2);
    if (text == NULL)
        return (struct iovec){0};
    char *end = stpcpy(text, prefix);
    for (size_t i = 0; i < name_size; i++)
        *end++ = (char)toupper((unsigned char)field->name[i]);
    *end++ = '=';
    if (field->text != NULL)
        end = (char *)mempcpy(end, field->text, value_size);
    else if (field->number >= 0)
        end += snprintf(end, value_size, "%lld", (long long)field->number);
    return (struct iovec){text, (size_t)(end - text)};
}

static void write_journal(int priority, const char *message, const struct log_field *fields,
                          size_t count)
{
    _cleanup_free_ char *said = NULL;
    char level[16];
    int level_size = snprintf(level, sizeof(level), "PRIORITY=%d", priority);
    int said_size = asprintf(&said, "MESSAGE=%s", message);
    if (said_size < 0)
        return;
    struct iovec vectors[JOURNAL_FIELDS + 2] = {{said, (size_t)said_size},
                                                {level, (size_t)level_size}};
    int used = 2;
    for (size_t i = 0; i < count && i < JOURNAL_FIELDS; i++) {
        vectors[used] = journal_field(&fields[i]);
        used += vectors[used].iov_base != NULL;
    }
    sd_journal_sendv(vectors, used);
    for (int i = 2; i < used; i++)
        free(vectors[i].iov_base);
}
#else
static void write_journal(int priority, const char *message, const struct log_field *fields,
                          size_t count)
{
    write_line(priority, message, fields, count);
}
#endif

void log_record(struct log *log, int priority, const char *message, const struct log_field *fields,
                size_t count)
{
    if (log->journal)
        write_journal(priority, message, fields, count);
    else
        write_line(priority, message, fields, count);
}

void log_say(struct log *log, int priority, const char *format, ...)
{
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    log_record(log, priority, message, NULL, 0);
}
