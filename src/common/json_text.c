/* Strict reading of JSON. json-c's own parser would not do: it takes the last of two equal keys,
 * cuts keys at \u0000, replaces half a surrogate pair without a word, makes 300 bytes of a value
 * that takes three, and copies large strings byte by byte. So json_scan reads the text, and
 * json_tree makes json-c's objects of what has passed. Nothing here knows what values mean. */
#include "common/json_text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/json_scan.h"
#include "common/utf8.h"
#include "common/util.h"

/* A key: as it is written, and what it says once its escapes are undone. */
struct json_key {
    const char *written;
    size_t written_size;
    const char *said;
    size_t size;
};

struct json_reader {
    struct json_scan scan;
    const char *text;
    const struct json_bounds *bounds;
    const char *name, *step;
    struct sb_error *err;
    size_t values;
    size_t first_key[JSON_TEXT_DEPTH]; /* of each open bracket, in `keys` */
    struct json_key *keys;             /* of all the objects that are open, the outermost's first */
    size_t keys_count, keys_room;
    char *unescaped; /* room for all keys that have escapes, made for the first */
    size_t unescaped_size;
    struct json_key field; /* the outermost object's key that we are behind */
    struct json_tree tree;
};

/* ── Errors ──────────────────────────────────────────────────────────────────────────────────── */

static int line_of(const struct json_reader *reader, const char *place)
{
    int line = 1;
    for (const char *c = reader->text; c < place && c < reader->scan.end; c++)
        line += *c == '\n';
    return line;
}

static int bad(const struct json_reader *reader, const char *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int bad(const struct json_reader *reader, const char *place, const char *format, ...)
{
    char what[300], field[64] = "";
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    if (reader->bounds->name_field && reader->field.written != NULL)
        snprintf(field, sizeof(field), "%.*s",
                 reader->field.size < sizeof(field) ? (int)reader->field.size : 63,
                 reader->field.said);
    return sb_fail_field(reader->err, reader->step, field, "%s, line %d: %s", reader->name,
                         line_of(reader, place), what);
}

static int no_memory(const struct json_reader *reader)
{
    return sb_fail(reader->err, reader->step, ENOMEM, "%s", reader->name);
}

/* How many bytes of a key are shown: whole characters. */
static int shown_size(const struct json_key *key)
{
    size_t size = 0;
    bool valid = true;
    while (size < key->written_size) {
        size_t next = utf8_next(key->written + size, key->written_size - size, &valid);
        if (size + next > 64)
            break;
        size += next;
    }
    return (int)size;
}

/* ── Keys ────────────────────────────────────────────────────────────────────────────────────── */

static int compare_keys(const void *left, const void *right)
{
    const struct json_key *a = left, *b = right;
    int order = memcmp(a->said, b->said, a->size < b->size ? a->size : b->size);
    return order != 0 ? order : (a->size > b->size) - (a->size < b->size);
}

/* Takes the key that stands between two quotes. */
static int add_key(struct json_reader *reader, const char *written, size_t size)
{
    struct json_key key = {written, size, written, size};
    if (reader->scan.depth == 1)
        reader->field = (struct json_key){0};
    if (reader->keys_count == reader->keys_room) {
        size_t room = 2 * reader->keys_room + 32;
        struct json_key *larger = reallocarray(reader->keys, room, sizeof(*larger));
        if (larger == NULL)
            return no_memory(reader);
        reader->keys = larger;
        reader->keys_room = room;
    }
    if (memchr(written, '\\', size) != NULL) {
        if (reader->bounds->plain_keys)
            return bad(reader, written, "keys are written without backslashes");
        if (reader->unescaped == NULL)
            reader->unescaped = malloc((size_t)(reader->scan.end - reader->text));
        if (reader->unescaped == NULL)
            return no_memory(reader);
        key.said = reader->unescaped + reader->unescaped_size;
        key.size = json_unescape(reader->unescaped + reader->unescaped_size, written, size);
        reader->unescaped_size += key.size;
    }
    if (reader->scan.depth == 1)
        reader->field = key;
    if (memchr(key.said, '\0', key.size) != NULL)
        return bad(reader, written, "a key must not hold a NUL character (\\u0000)");
    reader->keys[reader->keys_count++] = key;
    return json_tree_key(&reader->tree, key.said, key.size) < 0 ? no_memory(reader) : 0;
}

/* An object has closed: sorted, two equal keys stand side by side. */
static int check_keys(struct json_reader *reader)
{
    size_t first = reader->first_key[reader->scan.depth];
    size_t count = reader->keys_count - first;
    reader->keys_count = first;
    if (count < 2)
        return 0;
    struct json_key *keys = reader->keys + first;
    qsort(keys, count, sizeof(*keys), compare_keys);
    for (size_t i = 1; i < count; i++) {
        if (compare_keys(&keys[i - 1], &keys[i]) != 0)
            continue;
        const struct json_key *later = &keys[i - (keys[i - 1].written > keys[i].written)];
        if (reader->scan.depth == 0)
            reader->field = *later;
        return bad(reader, later->written,
                   "the key \"%.*s\" stands twice in one object: remove one", shown_size(later),
                   later->written);
    }
    return 0;
}

/* ── Tokens ──────────────────────────────────────────────────────────────────────────────────── */

static int refuse(struct json_reader *reader)
{
    static const char *const what[] = {
        [JSON_CUT] = "the text ends where there should be more: a JSON object in { } is needed",
        [JSON_NO_VALUE] =
            "this is not JSON: here should be a value: a string in double quotes, a number, true, "
            "false, null, [ ] or { }; there is no NaN or Infinity",
        [JSON_NO_KEY] = "this is not JSON: here should be a key in double quotes",
        [JSON_NO_COLON] = "this is not JSON: here should be a colon (:)",
        [JSON_MORE_TEXT] = "there is more text after the JSON object: remove it",
        [JSON_BAD_UTF8] = "this is not valid UTF-8: encode the text as UTF-8",
        [JSON_CONTROL] = "a string goes on past the end of its line, or holds a control "
                         "character: write \\n, \\t or \\u00XX",
        [JSON_ESCAPE] = "a backslash in a string is followed by one of \" \\ / b f n r t, or by u "
                        "and four digits",
    };
    const struct json_scan *scan = &reader->scan;
    size_t left = (size_t)(scan->end - scan->place);
    const char *nul = left > 0 ? memchr(scan->place, '\0', left) : NULL;
    uint32_t code;
    if (nul != NULL || (scan->depth == 1 && scan->next == JSON_NEXT_KEY))
        reader->field = (struct json_key){0};
    if (nul != NULL)
        return bad(reader, nul, "a NUL byte: remove it");
    switch (scan->fault) {
    case JSON_DEPTH:
        return bad(reader, scan->place, "nested too deep: at most %zu levels are allowed",
                   reader->bounds->depth);
    case JSON_NO_COMMA:
        return bad(reader, scan->place, "this is not JSON: here should be a comma or %c",
                   scan->close[scan->depth - 1]);
    case JSON_SURROGATE:
        json_unicode_escape(scan->place, scan->end, &code);
        return bad(reader, scan->place,
                   "\\u%04x is half of a character: write both halves, or the character itself",
                   code);
    default:
        return bad(reader, scan->place, "%s", what[scan->fault]);
    }
}

static int take_value(struct json_reader *reader, enum json_token token)
{
    const struct json_scan *scan = &reader->scan;
    if (++reader->values > reader->bounds->values)
        return bad(reader, scan->start, "there are more than %zu values, the most that is allowed",
                   reader->bounds->values);
    if (token == JSON_OBJECT || token == JSON_ARRAY)
        reader->first_key[scan->depth - 1] = reader->keys_count;
    return json_tree_take(&reader->tree, token, scan) < 0 ? no_memory(reader) : 0;
}

static int take(struct json_reader *reader, enum json_token token)
{
    const struct json_scan *scan = &reader->scan;
    switch (token) {
    case JSON_FAULT:
        return refuse(reader);
    case JSON_KEY:
        return add_key(reader, scan->start + 1, (size_t)(scan->at - scan->start) - 2);
    case JSON_CLOSE:
        if (check_keys(reader) < 0)
            return -1;
        if (scan->depth == 0)
            reader->field = (struct json_key){0};
        return json_tree_take(&reader->tree, token, scan);
    default:
        return take_value(reader, token);
    }
}

static int read_text(struct json_reader *reader)
{
    struct json_scan *scan = &reader->scan;
    enum json_token token = json_scan_next(scan);
    if (token != JSON_OBJECT && scan->start < scan->end && *scan->start != '{')
        return bad(reader, scan->start, "a JSON object in { } is needed");
    for (; token != JSON_END; token = json_scan_next(scan))
        if (take(reader, token) < 0)
            return -1;
    return 0;
}

/* ── The whole ───────────────────────────────────────────────────────────────────────────────── */

static struct json_object *parse(const char *text, size_t size, bool stay,
                                 const struct json_bounds *bounds, const char *name,
                                 const char *step, struct sb_error *err)
{
    struct json_reader reader = {
        .text = text, .bounds = bounds, .name = name, .step = step, .err = err};
    if (size > bounds->size) {
        sb_fail(err, step, 0, "%s is larger than %zu KiB, the most that is allowed", name,
                bounds->size / 1024);
        return NULL;
    }
    json_scan_begin(&reader.scan, text, size,
                    bounds->depth < JSON_TEXT_DEPTH ? bounds->depth : JSON_TEXT_DEPTH);
    reader.tree.stay = stay;
    int result = read_text(&reader);
    free(reader.keys);
    free(reader.unescaped);
    json_tree_end(&reader.tree);
    if (result == 0)
        return reader.tree.root;
    json_object_put(reader.tree.root);
    return NULL;
}

struct json_object *json_text_parse(const char *text, size_t size, const struct json_bounds *bounds,
                                    const char *name, const char *step, struct sb_error *err)
{
    return parse(text, size, false, bounds, name, step, err);
}

struct json_object *json_text_take(char *text, size_t size, const struct json_bounds *bounds,
                                   const char *name, const char *step, struct sb_error *err)
{
    return parse(text, size, true, bounds, name, step, err);
}

const char *json_kind(struct json_object *value)
{
    switch (json_object_get_type(value)) {
    case json_type_null:
        return "null";
    case json_type_boolean:
        return "a boolean";
    case json_type_double:
        return "a number with a fraction";
    case json_type_int:
        return "an integer";
    case json_type_object:
        return "an object";
    case json_type_array:
        return "an array";
    case json_type_string:
        return "a string";
    }
    return "something else";
}
