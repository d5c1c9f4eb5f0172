/* See log_format.h. */
#include "serve/process/log_format.h"

#include <ctype.h>
#include <endian.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/json_writer.h"
#include "common/util.h"

static size_t text_size(const struct log_field *field)
{
    return field->size > 0 ? field->size : strlen(field->text);
}

static bool is_null(const struct log_field *field)
{
    return field->text == NULL && field->number < 0;
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

static void write_value(struct json_writer *writer, const struct log_field *field)
{
    if (field->text != NULL)
        json_string(writer, field->text, text_size(field));
    else
        json_integer(writer, field->number);
}

char *log_format_json(const struct log_entry *entry, size_t *size)
{
    struct json_writer writer;
    json_begin(&writer, 1024);
    json_bracket(&writer, '{');
    json_key(&writer, "time");
    write_time(&writer);
    json_key(&writer, "level");
    json_string(&writer, level_name(entry->priority), strlen(level_name(entry->priority)));
    json_key(&writer, "message");
    json_string(&writer, entry->message, strlen(entry->message));
    for (size_t i = 0; i < entry->count; i++) {
        json_key(&writer, entry->fields[i].name);
        write_value(&writer, &entry->fields[i]);
    }
    json_bracket(&writer, '}');
    *size = writer.size + 1;
    char *line = json_end(&writer);
    if (line != NULL)
        line[*size - 1] = '\n'; /* in place of the NUL */
    return line;
}

/* ── Lines for people ───────────────────────────────────────────────────────────────────────── */

/* Characters beyond ASCII that may control a terminal, or that reverse text. */
static bool is_unsafe(unsigned character)
{
    return (character >= 0x80 && character < 0xa0) || character == 0x61c ||
           (character >= 0x200e && character <= 0x200f) ||
           (character >= 0x2028 && character <= 0x202e) ||
           (character >= 0x2066 && character <= 0x2069) || character == 0xfeff;
}

/* Writes a JSON string, with those characters escaped as well. It is valid UTF-8. */
static void put_safely(FILE *out, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const unsigned char *at = (const unsigned char *)text + i;
        unsigned character = at[0];
        size_t more = 0;
        if (character >= 0xe0 && character < 0xf0 && i + 2 < size) {
            character = (character & 0xfu) << 12 | (at[1] & 0x3fu) << 6 | (at[2] & 0x3fu);
            more = 2;
        } else if (character >= 0xc0 && character < 0xe0 && i + 1 < size) {
            character = (character & 0x1fu) << 6 | (at[1] & 0x3fu);
            more = 1;
        }
        if (at[0] == 0x7f || (more > 0 && is_unsafe(character)))
            fprintf(out, "\\u%04x", character);
        else
            fwrite(at, 1, more + 1, out);
        i += more;
    }
}

static bool is_word(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!isgraph((unsigned char)text[i]) || strchr("\"\\=", text[i]) != NULL)
            return false;
    return size > 0;
}

/* Writes a text as a JSON string, with or without its quotes. */
static void put_text(FILE *out, const char *text, size_t size, bool quotes)
{
    struct json_writer writer;
    json_begin(&writer, size + 16);
    json_string(&writer, text, size);
    size_t length = writer.size;
    _cleanup_free_ char *json = json_end(&writer);
    if (json == NULL)
        return;
    size_t skip = quotes ? 0 : 1;
    put_safely(out, json + skip, length - 2 * skip);
}

static void put_field(FILE *out, const struct log_field *field)
{
    fprintf(out, " %s=", field->name);
    if (field->text == NULL)
        fprintf(out, "%lld", (long long)field->number);
    else if (is_word(field->text, text_size(field)))
        fwrite(field->text, 1, text_size(field), out);
    else
        put_text(out, field->text, text_size(field), true);
}

/* Sentences may hold quotes, which are not escaped. */
static void put_message(FILE *out, const char *message)
{
    while (*message != '\0') {
        size_t plain = strcspn(message, "\"\\");
        put_text(out, message, plain, false);
        message += plain;
        if (*message != '\0')
            fputc(*message++, out);
    }
}

char *log_format_people(const struct log_entry *entry, size_t *size)
{
    char *line = NULL, clock[16];
    struct tm local;
    time_t now = time(NULL);
    FILE *out = open_memstream(&line, size);
    if (out == NULL)
        return NULL;
    localtime_r(&now, &local);
    strftime(clock, sizeof(clock), "%H:%M:%S", &local);
    fprintf(out, "%s ", clock);
    if (entry->priority <= LOG_WARNING)
        fprintf(out, "%s: ", level_name(entry->priority));
    put_message(out, entry->message);
    bool first = true;
    for (size_t i = 0; i < entry->count; i++) {
        if (is_null(&entry->fields[i]) || entry->fields[i].detail)
            continue;
        fputs(first ? " " : "", out);
        first = false;
        put_field(out, &entry->fields[i]);
    }
    fputc('\n', out);
    if (fclose(out) == 0)
        return line;
    free(line);
    return NULL;
}

/* ── The journal ────────────────────────────────────────────────────────────────────────────── */

static const char journal_prefix[] = "SANDBOX_";
enum { NUMBER_SIZE = 24 };

static size_t journal_room(const struct log_entry *entry)
{
    size_t room = strlen(entry->message) + 128;
    for (size_t i = 0; i < entry->count; i++) {
        const struct log_field *field = &entry->fields[i];
        room += sizeof(journal_prefix) + strlen(field->name) + sizeof(uint64_t) + 2;
        room += field->text != NULL ? text_size(field) : NUMBER_SIZE;
    }
    return room;
}

/* A value is preceded by its size, so that no line break in it can begin another field. */
static char *put_journal(char *at, const char *name, const char *value, size_t size)
{
    uint64_t length = htole64(size);
    at = stpcpy(at, name);
    *at++ = '\n';
    at = (char *)mempcpy(at, &length, sizeof(length));
    at = (char *)mempcpy(at, value, size);
    *at++ = '\n';
    return at;
}

static char *put_journal_field(char *at, const struct log_field *field)
{
    char number[NUMBER_SIZE] = "";
    char name[64];
    size_t length = (size_t)snprintf(name, sizeof(name), "%s%s", journal_prefix, field->name);
    for (size_t i = 0; i < length; i++)
        name[i] = (char)toupper((unsigned char)name[i]);
    if (field->text != NULL)
        return put_journal(at, name, field->text, text_size(field));
    if (field->number >= 0)
        snprintf(number, sizeof(number), "%lld", (long long)field->number);
    return put_journal(at, name, number, strlen(number));
}

char *log_format_journal(const struct log_entry *entry, size_t *size)
{
    char *datagram = malloc(journal_room(entry));
    if (datagram == NULL)
        return NULL;
    char *at = datagram;
    at += sprintf(at, "SYSLOG_IDENTIFIER=sandbox-serve\nPRIORITY=%d\n", entry->priority & 7);
    at = put_journal(at, "MESSAGE", entry->message, strlen(entry->message));
    for (size_t i = 0; i < entry->count; i++)
        at = put_journal_field(at, &entry->fields[i]);
    *size = (size_t)(at - datagram);
    return datagram;
}
