/* Strict reading of JSON. json-c alone would not do: it takes the last of two equal keys, cuts keys
 * at \u0000, replaces half a surrogate pair without a word, and makes 300 bytes of a value that
 * takes three. So the text is walked over first, with a grammar of its own, and json-c sees only
 * what has passed. Nothing here knows what values mean. */
#include "common/json_text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/utf8.h"
#include "common/util.h"

/* A key: as it is written, and what it says once its escapes are undone. */
struct key {
    const char *written;
    size_t written_size;
    const char *said;
    size_t size;
};

struct scan {
    const char *text, *at, *end;
    const struct json_bounds *bounds;
    const char *name, *step;
    struct sb_error *err;
    size_t values, depth;
    struct {
        char close;       /* the bracket that will close it */
        size_t first_key; /* of an object */
    } open[JSON_TEXT_DEPTH];
    struct key *keys; /* of all the objects that are open, the outermost's first */
    size_t keys_count, keys_room;
    char *unescaped; /* room for all keys that have escapes, made for the first */
    size_t unescaped_size;
    struct key field; /* the outermost object's key that we are behind */
};

static const char what_value[] =
    "this is not JSON: here should be a value: a string in double quotes, a number, true, false, "
    "null, [ ] or { }; there is no NaN or Infinity";

/* ── Errors ──────────────────────────────────────────────────────────────────────────────────── */

static int line_of(const struct scan *scan, const char *place)
{
    int line = 1;
    for (const char *c = scan->text; c < place && c < scan->end; c++)
        line += *c == '\n';
    return line;
}

static int bad(const struct scan *scan, const char *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int bad(const struct scan *scan, const char *place, const char *format, ...)
{
    char what[300], field[64] = "";
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    if (scan->bounds->name_field && scan->field.written != NULL)
        snprintf(field, sizeof(field), "%.*s",
                 scan->field.size < sizeof(field) ? (int)scan->field.size : 63, scan->field.said);
    return sb_fail_field(scan->err, scan->step, field, "%s, line %d: %s", scan->name,
                         line_of(scan, place), what);
}

static int bad_end(const struct scan *scan)
{
    return bad(scan, scan->end,
               "the text ends where there should be more: a JSON object in { } is needed");
}

static int no_memory(const struct scan *scan)
{
    return sb_fail(scan->err, scan->step, ENOMEM, "%s", scan->name);
}

/* How many bytes of a key are shown: whole characters. */
static int shown_size(const struct key *key)
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

static unsigned hex4(const char *digits)
{
    unsigned value = 0;
    for (int i = 0; i < 4; i++) {
        char c = digits[i];
        value = value << 4 | (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
}

static size_t put_utf8(char *to, unsigned code)
{
    size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = size; i-- > 1; code >>= 6)
        to[i] = (char)(0x80 | (code & 0x3f));
    to[0] = (char)(lead[size] | code);
    return size;
}

/* Undoes the escapes of a string that has been checked. What comes out is never longer. */
static size_t unescape(char *to, const char *from, size_t size)
{
    static const char named[] = "b\bf\fn\nr\rt\t";
    size_t written = 0;
    for (const char *end = from + size; from < end; from++) {
        if (*from != '\\') {
            to[written++] = *from;
            continue;
        }
        from++;
        if (*from != 'u') {
            const char *pair = strchr(named, *from);
            to[written++] = pair != NULL ? pair[1] : *from;
            continue;
        }
        unsigned code = hex4(from + 1);
        from += 4;
        if (code >= 0xd800 && code < 0xdc00) {
            code = 0x10000 + ((code - 0xd800) << 10) + (hex4(from + 3) - 0xdc00);
            from += 6;
        }
        written += put_utf8(to + written, code);
    }
    return written;
}

static int compare_keys(const void *left, const void *right)
{
    const struct key *a = left, *b = right;
    int order = memcmp(a->said, b->said, a->size < b->size ? a->size : b->size);
    return order != 0 ? order : (a->size > b->size) - (a->size < b->size);
}

/* Takes the key that stands between two quotes. */
static int add_key(struct scan *scan, const char *written, size_t size)
{
    struct key key = {written, size, written, size};
    if (scan->keys_count == scan->keys_room) {
        size_t room = 2 * scan->keys_room + 32;
        struct key *larger = reallocarray(scan->keys, room, sizeof(*larger));
        if (larger == NULL)
            return no_memory(scan);
        scan->keys = larger;
        scan->keys_room = room;
    }
    if (memchr(written, '\\', size) != NULL) {
        if (scan->bounds->plain_keys)
            return bad(scan, written, "keys are written without backslashes");
        if (scan->unescaped == NULL)
            scan->unescaped = malloc((size_t)(scan->end - scan->text));
        if (scan->unescaped == NULL)
            return no_memory(scan);
        key.said = scan->unescaped + scan->unescaped_size;
        key.size = unescape(scan->unescaped + scan->unescaped_size, written, size);
        scan->unescaped_size += key.size;
    }
    if (scan->depth == 1)
        scan->field = key;
    if (memchr(key.said, '\0', key.size) != NULL)
        return bad(scan, written, "a key must not hold a NUL character (\\u0000)");
    scan->keys[scan->keys_count++] = key;
    return 0;
}

/* An object closes: sorted, two equal keys stand side by side. */
static int check_keys(struct scan *scan, size_t first)
{
    struct key *keys = scan->keys + first;
    size_t count = scan->keys_count - first;
    scan->keys_count = first;
    if (count < 2)
        return 0;
    qsort(keys, count, sizeof(*keys), compare_keys);
    for (size_t i = 1; i < count; i++) {
        if (compare_keys(&keys[i - 1], &keys[i]) != 0)
            continue;
        const struct key *later = &keys[i - (keys[i - 1].written > keys[i].written)];
        if (scan->depth == 1)
            scan->field = *later;
        return bad(scan, later->written, "the key \"%.*s\" stands twice in one object: remove one",
                   shown_size(later), later->written);
    }
    return 0;
}

/* ── The grammar ─────────────────────────────────────────────────────────────────────────────── */

static void skip_space(struct scan *scan)
{
    while (scan->at < scan->end &&
           (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\n' || *scan->at == '\r'))
        scan->at++;
}

static bool take(struct scan *scan, char c)
{
    if (scan->at == scan->end || *scan->at != c)
        return false;
    scan->at++;
    return true;
}

static bool take_hex4(struct scan *scan, unsigned *code)
{
    if (scan->end - scan->at < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        char c = scan->at[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
            return false;
    }
    *code = hex4(scan->at);
    scan->at += 4;
    return true;
}

/* What stands behind a backslash. */
static int take_escape(struct scan *scan)
{
    static const char what[] =
        "a backslash in a string is followed by one of \" \\ / b f n r t, or by u and four digits";
    const char *place = scan->at;
    unsigned code, second = 0;
    if (scan->at == scan->end)
        return bad_end(scan);
    char c = *scan->at++;
    if (c != 'u')
        return c != '\0' && strchr("\"\\/bfnrt", c) != NULL ? 0 : bad(scan, place, what);
    if (!take_hex4(scan, &code))
        return bad(scan, place, what);
    if (code < 0xd800 || code > 0xdfff)
        return 0;
    bool pair = code < 0xdc00 && take(scan, '\\') && take(scan, 'u') && take_hex4(scan, &second);
    if (!pair || second < 0xdc00 || second > 0xdfff)
        return bad(scan, place,
                   "\\u%04x is half of a character: write both halves, or the character itself",
                   code);
    return 0;
}

/* Takes a string whose first quote stands here. */
static int take_string(struct scan *scan)
{
    scan->at++;
    while (scan->at < scan->end) {
        const char *place = scan->at;
        unsigned char c = (unsigned char)*place;
        bool valid = true;
        scan->at += c < 0x80 ? 1 : utf8_next(place, (size_t)(scan->end - place), &valid);
        if (!valid)
            return bad(scan, place, "this is not valid UTF-8: encode the text as UTF-8");
        if (c == '"')
            return 0;
        if (c == '\\' && take_escape(scan) < 0)
            return -1;
        if (c < 0x20)
            return bad(scan, place,
                       "a string goes on past the end of its line, or holds a control character: "
                       "write \\n, \\t or \\u00XX");
    }
    return bad_end(scan);
}

static int take_key(struct scan *scan)
{
    skip_space(scan);
    const char *start = scan->at;
    if (scan->depth == 1)
        scan->field = (struct key){0};
    if (start == scan->end)
        return bad_end(scan);
    if (*start != '"')
        return bad(scan, start, "this is not JSON: here should be a key in double quotes");
    if (take_string(scan) < 0 || add_key(scan, start + 1, (size_t)(scan->at - start) - 2) < 0)
        return -1;
    skip_space(scan);
    if (scan->at == scan->end)
        return bad_end(scan);
    return take(scan, ':') ? 0
                           : bad(scan, scan->at, "this is not JSON: here should be a colon (:)");
}

static bool take_digits(struct scan *scan)
{
    const char *start = scan->at;
    while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
        scan->at++;
    return scan->at > start;
}

static bool take_number(struct scan *scan)
{
    take(scan, '-');
    if (!take(scan, '0') && !take_digits(scan))
        return false;
    if (take(scan, '.') && !take_digits(scan))
        return false;
    if (!take(scan, 'e') && !take(scan, 'E'))
        return true;
    if (!take(scan, '+'))
        take(scan, '-');
    return take_digits(scan);
}

static bool take_word(struct scan *scan, const char *word)
{
    size_t size = strlen(word);
    if ((size_t)(scan->end - scan->at) < size || memcmp(scan->at, word, size) != 0)
        return false;
    scan->at += size;
    return true;
}

static int take_scalar(struct scan *scan)
{
    const char *place = scan->at;
    if (place == scan->end)
        return bad_end(scan);
    if (*place == '"')
        return take_string(scan);
    return take_word(scan, "null") || take_word(scan, "true") || take_word(scan, "false") ||
                   take_number(scan)
               ? 0
               : bad(scan, place, "%s", what_value);
}

/* Takes one scalar, or opens objects and arrays up to the first scalar in them, or closes an empty
 * one at once. */
static int take_value(struct scan *scan)
{
    for (;;) {
        skip_space(scan);
        if (++scan->values > scan->bounds->values)
            return bad(scan, scan->at, "there are more than %zu values, the most that is allowed",
                       scan->bounds->values);
        bool object = take(scan, '{');
        if (!object && !take(scan, '['))
            return take_scalar(scan);
        if (scan->depth == scan->bounds->depth || scan->depth == JSON_TEXT_DEPTH)
            return bad(scan, scan->at, "nested too deep: at most %zu levels are allowed",
                       scan->bounds->depth);
        char close = object ? '}' : ']';
        skip_space(scan);
        if (take(scan, close))
            return 0;
        scan->open[scan->depth].close = close;
        scan->open[scan->depth++].first_key = scan->keys_count;
        if (object && take_key(scan) < 0)
            return -1;
    }
}

/* Closes what ends here. */
static int take_ends(struct scan *scan)
{
    skip_space(scan);
    while (scan->depth > 0 && take(scan, scan->open[scan->depth - 1].close)) {
        if (check_keys(scan, scan->open[scan->depth - 1].first_key) < 0)
            return -1;
        scan->depth--;
        skip_space(scan);
    }
    return 0;
}

static int scan_text(struct scan *scan)
{
    const char *nul =
        scan->text < scan->end ? memchr(scan->text, '\0', (size_t)(scan->end - scan->text)) : NULL;
    if (nul != NULL)
        return bad(scan, nul, "a NUL byte: remove it");
    skip_space(scan);
    if (scan->at < scan->end && *scan->at != '{')
        return bad(scan, scan->at, "a JSON object in { } is needed");
    do {
        if (take_value(scan) < 0 || take_ends(scan) < 0)
            return -1;
        if (scan->depth == 0)
            break;
        char close = scan->open[scan->depth - 1].close;
        if (scan->at == scan->end)
            return bad_end(scan);
        if (!take(scan, ','))
            return bad(scan, scan->at, "this is not JSON: here should be a comma or %c", close);
        if (close == '}' && take_key(scan) < 0)
            return -1;
    } while (true);
    scan->field = (struct key){0};
    return scan->at == scan->end
               ? 0
               : bad(scan, scan->at, "there is more text after the JSON object: remove it");
}

/* ── json-c ──────────────────────────────────────────────────────────────────────────────────── */

static struct json_object *make_objects(const struct scan *scan, size_t size)
{
    /* json-c counts the scalar in the innermost array as a level. */
    struct json_tokener *tokener = json_tokener_new_ex((int)scan->bounds->depth + 2);
    if (tokener == NULL) {
        no_memory(scan);
        return NULL;
    }
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    struct json_object *object = json_tokener_parse_ex(tokener, scan->text, (int)size);
    enum json_tokener_error error = json_tokener_get_error(tokener);
    json_tokener_free(tokener);
    if (error == json_tokener_success && object != NULL)
        return object;
    json_object_put(object);
    sb_fail(scan->err, scan->step, 0, "%s: this can't be read: %s", scan->name,
            json_tokener_error_desc(error));
    return NULL;
}

struct json_object *json_text_parse(const char *text, size_t size, const struct json_bounds *bounds,
                                    const char *name, const char *step, struct sb_error *err)
{
    struct scan scan = {.text = text,
                        .at = text,
                        .end = text + size,
                        .bounds = bounds,
                        .name = name,
                        .step = step,
                        .err = err};
    if (size > bounds->size) {
        sb_fail(err, step, 0, "%s is larger than %zu KiB, the most that is allowed", name,
                bounds->size / 1024);
        return NULL;
    }
    int result = scan_text(&scan);
    free(scan.keys);
    free(scan.unescaped);
    return result == 0 ? make_objects(&scan, size) : NULL;
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
