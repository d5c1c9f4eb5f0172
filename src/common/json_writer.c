/* A writer of JSON text. json-c would hold each text twice more before it is out, lets invalid
 * UTF-8 pass, and keeps integers to 64 bits, which Python does not: so a verdict, whose texts are
 * large and hostile, is written directly. */
#include "common/json_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_plain.h"
#include "common/utf8.h"

/* Makes room and returns where `size` more bytes may be put, or NULL. */
static inline char *reserve(struct json_writer *writer, size_t size)
{
    if (writer->failed)
        return NULL;
    if (size > writer->room - writer->size) {
        size_t room = writer->room + writer->room / 2 + size;
        char *text = realloc(writer->text, room);
        if (text == NULL) {
            writer->failed = true; /* what there was is freed at the end */
            return NULL;
        }
        writer->text = text;
        writer->room = room;
    }
    return writer->text + writer->size;
}

static inline void put(struct json_writer *writer, const char *bytes, size_t size)
{
    char *to = reserve(writer, size);
    if (to == NULL)
        return;
    memcpy(to, bytes, size);
    writer->size += size;
}

static void put_byte(struct json_writer *writer, char byte)
{
    put(writer, &byte, 1);
}

void json_begin(struct json_writer *writer, size_t expected)
{
    *writer = (struct json_writer){.text = malloc(expected + 1), .room = expected + 1};
    writer->failed = writer->text == NULL;
}

char *json_end(struct json_writer *writer)
{
    put_byte(writer, '\0');
    if (!writer->failed)
        return writer->text;
    free(writer->text);
    writer->text = NULL;
    return NULL;
}

static void new_line(struct json_writer *writer)
{
    if (!writer->indented)
        return;
    put_byte(writer, '\n');
    for (unsigned i = 0; i < writer->depth; i++)
        put(writer, "  ", 2);
}

void json_bracket(struct json_writer *writer, char bracket)
{
    if (bracket == '{' || bracket == '[') {
        writer->depth++;
    } else {
        writer->depth--;
        new_line(writer);
    }
    put_byte(writer, bracket);
}

void json_item(struct json_writer *writer)
{
    char last = writer->failed || writer->size == 0 ? '{' : writer->text[writer->size - 1];
    if (last != '{' && last != '[')
        put_byte(writer, ',');
    new_line(writer);
}

static void put_colon(struct json_writer *writer)
{
    put(writer, ": ", writer->indented ? 2 : 1);
}

void json_key(struct json_writer *writer, const char *key)
{
    json_item(writer);
    put_byte(writer, '"');
    put(writer, key, strlen(key));
    put_byte(writer, '"');
    put_colon(writer);
}

void json_any_key(struct json_writer *writer, const char *key, size_t size)
{
    json_item(writer);
    json_string(writer, key, size);
    put_colon(writer);
}

void json_member(struct json_writer *writer, const char *key, const char *text)
{
    json_key(writer, key);
    if (text == NULL)
        json_null(writer);
    else
        json_string(writer, text, strlen(text));
}

void json_null(struct json_writer *writer)
{
    put(writer, "null", 4);
}

void json_boolean(struct json_writer *writer, bool value)
{
    put(writer, value ? "true" : "false", value ? 4 : 5);
}

void json_integer(struct json_writer *writer, int64_t value)
{
    char text[24];
    int size = snprintf(text, sizeof(text), "%lld", (long long)value);
    if (value < 0)
        json_null(writer);
    else
        put(writer, text, (size_t)size);
}

void json_thousandths(struct json_writer *writer, int64_t value)
{
    char text[48];
    int size = snprintf(text, sizeof(text), "%lld.%03lld", (long long)(value / 1000),
                        (long long)(value % 1000));
    if (value < 0)
        json_null(writer);
    else
        put(writer, text, (size_t)size);
}

/* ── Strings ─────────────────────────────────────────────────────────────────────────────────── */

/* Returns the size of what it has taken: one character. */
static size_t put_escape(struct json_writer *writer, unsigned char c)
{
    static const char letters[0x80] = {['"'] = '"',  ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
                                       ['\n'] = 'n', ['\r'] = 'r',  ['\t'] = 't'};
    static const char digits[] = "0123456789abcdef";
    const char named[2] = {'\\', letters[c]};
    const char numbered[6] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
    if (letters[c] != '\0')
        put(writer, named, sizeof(named));
    else
        put(writer, numbered, sizeof(numbered));
    return 1;
}

/* The character at the beginning of `text`, or U+FFFD for what is none. Returns its size. */
static size_t put_character(struct json_writer *writer, const char *text, size_t size)
{
    bool valid;
    size_t taken = utf8_next(text, size, &valid);
    if (valid)
        put(writer, text, taken);
    else
        put(writer, UTF8_REPLACEMENT, sizeof(UTF8_REPLACEMENT) - 1);
    return taken;
}

void json_quote(struct json_writer *writer)
{
    put_byte(writer, '"');
}

void json_string_part(struct json_writer *writer, const char *text, size_t size)
{
    for (size_t i = 0; i < size;) {
        size_t run = json_plain_run(text + i, size - i);
        put(writer, text + i, run);
        i += run;
        /* The others come in runs, too: of a language, or of somebody who wants to keep us busy. */
        for (unsigned char c; i < size && !json_is_plain(c = (unsigned char)text[i]);)
            i += c < 0x80 ? put_escape(writer, c) : put_character(writer, text + i, size - i);
    }
}

void json_string(struct json_writer *writer, const char *text, size_t size)
{
    json_quote(writer);
    json_string_part(writer, text, size);
    json_quote(writer);
}

static const char digits64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void put_group(char *to, uint32_t bits)
{
    to[0] = digits64[bits >> 18];
    to[1] = digits64[bits >> 12 & 63];
    to[2] = digits64[bits >> 6 & 63];
    to[3] = digits64[bits & 63];
}

void json_base64_part(struct json_writer *writer, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    size_t left = size % 3;
    char *to = reserve(writer, (size + 2) / 3 * 4);
    if (to == NULL)
        return;
    for (const unsigned char *end = bytes + size - left; bytes < end; bytes += 3, to += 4)
        put_group(to, (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | bytes[2]);
    if (left > 0) {
        put_group(to, (uint32_t)bytes[0] << 16 | (left > 1 ? (uint32_t)bytes[1] << 8 : 0));
        memset(to + left + 1, '=', 3 - left);
    }
    writer->size += (size + 2) / 3 * 4;
}

void json_base64(struct json_writer *writer, const void *data, size_t size)
{
    json_quote(writer);
    json_base64_part(writer, data, size);
    json_quote(writer);
}

/* ── JSON in JSON ────────────────────────────────────────────────────────────────────────────── */

/* The size of the string at the beginning of `json`, both quotes included. */
static size_t string_size(const char *json)
{
    size_t i = 1;
    while (json[i] != '\0' && json[i] != '"')
        i += json[i] == '\\' && json[i + 1] != '\0' ? 2 : 1;
    return json[i] == '"' ? i + 1 : i;
}

void json_verbatim(struct json_writer *writer, const char *json)
{
    static const char space[] = " \t\r\n";
    while (*json != '\0') {
        size_t run = *json == '"' ? string_size(json) : strcspn(json, " \t\r\n\"");
        put(writer, json, run);
        json += run;
        json += strspn(json, space);
    }
}
