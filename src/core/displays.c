/* Nothing is built from a bundle but its own text: memory is what display_bytes allows, whatever
 * size a message claims to have. See displays.h. */
#include "core/displays.h"

#include <stdlib.h>
#include <string.h>

#include "common/json_scan.h"
#include "common/json_valid.h"
#include "common/util.h"

/* Nested deeper than any chart: readers of JSON that recurse have bounds of their own. */
#define DEPTH_MAX 100
#define TYPES_MAX 32
#define TYPE_SIZE_MAX 127

/* ── One display ─────────────────────────────────────────────────────────────────────────────── */

struct text {
    const char *start;
    size_t size;
};

static bool is_one_of(char c, const char *others)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr(others, c) != NULL);
}

/* RFC 6838, 4.2, without parameters: "image/svg+xml". Only small letters: a reader that takes
 * "Image/PNG" for "image/png" would find there what nobody has checked. */
static bool is_mime_type(struct text type)
{
    size_t slashes = 0;
    if (type.size > TYPE_SIZE_MAX)
        return false;
    for (size_t i = 0; i < type.size; i++) {
        bool slash = type.start[i] == '/';
        slashes += slash;
        if (slash ? i == 0 || i + 1 == type.size : !is_one_of(type.start[i], "!#$&-^_.+"))
            return false;
    }
    return slashes == 1;
}

static bool is_type(struct text type, const char *name)
{
    return type.size == strlen(name) && memcmp(type.start, name, type.size) == 0;
}

static bool begins(struct text type, const char *prefix)
{
    return type.size >= strlen(prefix) && memcmp(type.start, prefix, strlen(prefix)) == 0;
}

static bool is_base64(struct text string)
{
    for (size_t i = 0; i < string.size; i++)
        if (!is_one_of(string.start[i], "+/=") &&
            !(string.start[i] >= 'A' && string.start[i] <= 'Z'))
            return false;
    return true;
}

/* The last token, a string, without its quotes. */
static struct text string_of(const struct json_scan *scan)
{
    return (struct text){scan->start + 1, (size_t)(scan->at - scan->start) - 2};
}

/* Takes the value of that type. */
static bool take_value(struct json_scan *scan, struct text type)
{
    size_t depth = scan->depth;
    enum json_token token = json_scan_next(scan);
    bool picture = begins(type, "image/");
    if (picture || begins(type, "text/"))
        return token == JSON_STRING &&
               (!picture || is_type(type, "image/svg+xml") || is_base64(string_of(scan)));
    while (token != JSON_FAULT && scan->depth > depth)
        token = json_scan_next(scan);
    return token != JSON_FAULT;
}

bool display_valid(const char *json, size_t size)
{
    struct json_scan scan;
    struct text types[TYPES_MAX];
    size_t count = 0;
    bool plain = false;
    enum json_token token;
    json_scan_begin(&scan, json, size, DEPTH_MAX);
    if (json_scan_next(&scan) != JSON_OBJECT)
        return false;
    while ((token = json_scan_next(&scan)) == JSON_KEY) {
        struct text type = string_of(&scan);
        if (count == TYPES_MAX || !is_mime_type(type))
            return false;
        for (size_t i = 0; i < count; i++)
            if (types[i].size == type.size && memcmp(types[i].start, type.start, type.size) == 0)
                return false;
        types[count++] = type;
        plain = plain || is_type(type, "text/plain");
        if (!take_value(&scan, type))
            return false;
    }
    return plain && token == JSON_CLOSE && json_scan_next(&scan) == JSON_END;
}

/* ── Messages ────────────────────────────────────────────────────────────────────────────────── */

static bool append(struct displays *displays, const char *data, size_t size)
{
    /* One byte more for what displays_end puts behind it, and one for the NUL. */
    char *text = realloc(displays->text, displays->size + size + 2);
    if (text == NULL)
        return false;
    memcpy(text + displays->size, data, size);
    displays->text = text;
    displays->size += size;
    return true;
}

/* −1: no such number stands there. */
static int64_t hexadecimal(const char *digits, size_t count)
{
    uint64_t number = 0;
    for (size_t i = 0; i < count; i++) {
        const char *all = "0123456789abcdef", *at = digits[i] ? strchr(all, digits[i]) : NULL;
        if (at == NULL)
            return -1;
        number = number << 4 | (uint64_t)(at - all);
    }
    return number <= INT64_MAX ? (int64_t)number : -1;
}

/* The head is complete: begins a bundle. */
static bool begin(struct displays *displays, const struct displays_limits *limits)
{
    int64_t size = hexadecimal(displays->head + 1, DISPLAY_HEAD - 1);
    if (size <= 0) {
        displays->over = true;
        return true;
    }
    /* Each display has one byte before it: the bracket or a comma. */
    int64_t used = (int64_t)displays->kept_size - displays->count;
    displays->rest = (uint64_t)size;
    displays->skipping = displays->count >= limits->count || size > limits->bytes - used;
    return displays->skipping || append(displays, displays->count == 0 ? "[" : ",", 1);
}

/* The bundle is complete. */
static void finish(struct displays *displays,
                   void (*each)(void *user, const char *json, size_t size), void *user)
{
    displays->head_size = 0;
    if (!displays->skipping) {
        char *json = displays->text + displays->kept_size + 1;
        size_t size = displays->size - displays->kept_size - 1;
        json_mend_surrogates(json, size);
        if (display_valid(json, size)) {
            displays->kept_size = displays->size;
            displays->count++;
            if (each != NULL)
                each(user, json, size);
            return;
        }
        displays->size = displays->kept_size;
    }
    displays->left_out++;
}

ssize_t displays_take(struct displays *displays, const struct displays_limits *limits,
                      const char *data, size_t size,
                      void (*each)(void *user, const char *json, size_t size), void *user)
{
    size_t taken = 0;
    while (taken < size && !displays->over) {
        if (displays->head_size < DISPLAY_HEAD) {
            if (displays->head_size == 0 && data[taken] != 'D') {
                displays->over = true;
                break;
            }
            displays->head[displays->head_size++] = data[taken++];
            if (displays->head_size == DISPLAY_HEAD && !begin(displays, limits))
                return -1;
            continue;
        }
        size_t part = (size_t)MIN(displays->rest, (uint64_t)(size - taken));
        if (!displays->skipping && !append(displays, data + taken, part))
            return -1;
        taken += part;
        displays->rest -= part;
        if (displays->rest == 0)
            finish(displays, each, user);
    }
    return (ssize_t)taken;
}

const char *displays_end(struct displays *displays)
{
    displays->left_out += displays->head_size > 0;
    displays->size = displays->kept_size;
    displays->head_size = 0;
    displays->over = true;
    if (!append(displays, displays->size == 0 ? "[]" : "]", displays->size == 0 ? 2 : 1))
        return NULL;
    displays->text[displays->size] = '\0';
    return displays->text;
}

void displays_free(struct displays *displays)
{
    free(displays->text);
    *displays = (struct displays){0};
}
