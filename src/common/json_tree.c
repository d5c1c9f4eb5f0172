/* See json_tree.h. A string that stays in its text is an empty string for json-c, which carries the
 * place of the real one. Its escapes are undone when it is first asked for: as long as the text is
 * read, it is as it came. */
#include "common/json_tree.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_writer.h"
#include "common/util.h"

/* A string that stays in its text. */
struct staying {
    char *text;
    size_t size;
    bool written; /* as it came: its escapes are still there, and the quotes around it */
    bool escapes; /* it came with some */
};

/* ── Strings ─────────────────────────────────────────────────────────────────────────────────── */

static size_t put_utf8(char *to, uint32_t code)
{
    size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = size; i-- > 1; code >>= 6)
        to[i] = (char)(0x80 | (code & 0x3f));
    to[0] = (char)(lead[size] | code);
    return size;
}

size_t json_unescape(char *to, const char *from, size_t size)
{
    static const char named[] = "b\bf\fn\nr\rt\t";
    const char *end = from + size, *escape;
    size_t written = 0;
    while (from < end && (escape = memchr(from, '\\', (size_t)(end - from))) != NULL) {
        size_t run = (size_t)(escape - from);
        memmove(to + written, from, run);
        written += run;
        from = escape;
        if (from[1] == 'u') {
            uint32_t code;
            from += json_unicode_escape(from, end, &code);
            written += put_utf8(to + written, code);
        } else {
            const char *pair = strchr(named, from[1]);
            to[written++] = pair != NULL ? pair[1] : from[1];
            from += 2;
        }
    }
    size_t rest = (size_t)(end - from);
    if (to + written != from)
        memmove(to + written, from, rest);
    return written + rest;
}

static void free_staying(struct json_object *string, void *staying)
{
    (void)string;
    free(staying);
}

/* json_object_to_json_string_fn: json-c's own would print an empty string. */
static int print_staying(struct json_object *string, struct printbuf *out, int level, int flags)
{
    (void)level, (void)flags;
    const struct staying *staying = json_object_get_userdata(string);
    if (staying->written)
        return printbuf_memappend(out, staying->text - 1, (int)staying->size + 2);
    struct json_writer writer;
    json_begin(&writer, staying->size + staying->size / 16 + 2);
    json_string(&writer, staying->text, staying->size);
    _cleanup_free_ char *text = json_end(&writer);
    return text != NULL ? printbuf_memappend(out, text, (int)writer.size - 1) : -1;
}

static struct json_object *leave_string(const char *text, size_t size, bool escapes)
{
    struct staying *staying = malloc(sizeof(*staying));
    struct json_object *string = staying != NULL ? json_object_new_string("") : NULL;
    if (string == NULL) {
        free(staying);
        return NULL;
    }
    *staying = (struct staying){(char *)(intptr_t)text, size, true, escapes};
    json_object_set_serializer(string, print_staying, staying, free_staying);
    return string;
}

static struct json_object *copy_string(const char *text, size_t size, bool escapes)
{
    if (!escapes)
        return json_object_new_string_len(text, (int)size);
    _cleanup_free_ char *plain = malloc(size);
    return plain != NULL ? json_object_new_string_len(plain, (int)json_unescape(plain, text, size))
                         : NULL;
}

char *json_tree_string(struct json_object *string, size_t *size)
{
    struct staying *staying = json_object_get_userdata(string);
    if (staying == NULL) {
        *size = (size_t)json_object_get_string_len(string);
        return (char *)(intptr_t)json_object_get_string(string);
    }
    if (staying->written) {
        if (staying->escapes)
            staying->size = json_unescape(staying->text, staying->text, staying->size);
        staying->text[staying->size] = '\0'; /* there is at least its quote behind it */
        staying->written = false;
    }
    *size = staying->size;
    return staying->text;
}

/* ── Values ──────────────────────────────────────────────────────────────────────────────────── */

/* json-c reads numbers, and keeps what it can't hold as near as it can. */
static struct json_object *make_number(const char *text, size_t size)
{
    _cleanup_free_ char *number = strndup(text, size);
    return number != NULL ? json_tokener_parse(number) : NULL;
}

/* NULL: there is no memory, or it is null. */
static struct json_object *make_value(const struct json_tree *tree, enum json_token token,
                                      const struct json_scan *scan)
{
    const char *text = scan->start;
    size_t size = (size_t)(scan->at - scan->start);
    switch (token) {
    case JSON_OBJECT:
        return json_object_new_object();
    case JSON_ARRAY:
        return json_object_new_array();
    case JSON_STRING:
        return tree->stay && size >= JSON_STAY ? leave_string(text + 1, size - 2, scan->escapes)
                                               : copy_string(text + 1, size - 2, scan->escapes);
    case JSON_NUMBER:
        return make_number(text, size);
    default:
        return text[0] == 'n' ? NULL : json_object_new_boolean(text[0] == 't');
    }
}

/* Gives a value its place. That a key is new is checked elsewhere. */
static int add(const struct json_tree *tree, struct json_object *value)
{
    if (tree->depth == 0)
        return 0;
    struct json_object *parent = tree->open[tree->depth - 1];
    return json_object_is_type(parent, json_type_array)
               ? json_object_array_add(parent, value)
               : json_object_object_add_ex(parent, tree->key, value, JSON_C_OBJECT_ADD_KEY_IS_NEW);
}

int json_tree_key(struct json_tree *tree, const char *key, size_t size)
{
    if (size >= tree->key_room) {
        size_t room = 2 * size + 64;
        char *larger = realloc(tree->key, room);
        if (larger == NULL)
            return -1;
        tree->key = larger;
        tree->key_room = room;
    }
    memcpy(tree->key, key, size);
    tree->key[size] = '\0';
    return 0;
}

int json_tree_take(struct json_tree *tree, enum json_token token, const struct json_scan *scan)
{
    if (token == JSON_CLOSE) {
        tree->depth--;
        return 0;
    }
    struct json_object *value = make_value(tree, token, scan);
    if (value == NULL && (token != JSON_WORD || scan->start[0] != 'n'))
        return -1;
    if (add(tree, value) < 0) {
        json_object_put(value);
        return -1;
    }
    if (tree->depth == 0 && tree->root == NULL)
        tree->root = value;
    if (token == JSON_OBJECT || token == JSON_ARRAY)
        tree->open[tree->depth++] = value;
    return 0;
}

void json_tree_end(struct json_tree *tree)
{
    free(tree->key);
    tree->key = NULL;
    tree->key_room = 0;
}
