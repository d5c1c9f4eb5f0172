/* Strict reading of JSON files. json-c takes the last of two equal keys and cuts keys at \u0000:
 * a limit that is stated twice would be lost without a word. So what it has parsed is only trusted
 * when the text's keys are plain and different. This file knows nothing of what values mean. */
#include "json_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "error.h"
#include "util.h"

struct source {
    const char *text;
    size_t size;
    const char *file;
    const char *step;
};

struct key {
    const char *start;
    size_t size;
};

static int line_of(const struct source *source, size_t offset)
{
    int line = 1;
    for (size_t i = 0; i < offset && i < source->size; i++)
        line += source->text[i] == '\n';
    return line;
}

static int bad_text(const struct source *source, size_t offset, const char *what,
                    struct sb_error *err)
{
    return sb_fail(err, source->step, 0, "%s, line %d: %s", json_file_shown(source->file),
                   line_of(source, offset), what);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static int check_key(const struct source *source, const struct key *seen, size_t seen_count,
                     struct key key, struct sb_error *err)
{
    size_t offset = (size_t)(key.start - source->text);
    if (memchr(key.start, '\\', key.size) != NULL)
        return bad_text(source, offset, "keys are written without backslashes", err);
    for (size_t i = 0; i < seen_count; i++)
        if (seen[i].size == key.size && memcmp(seen[i].start, key.start, key.size) == 0)
            return sb_fail(err, source->step, 0,
                           "%s, line %d: the key \"%.*s\" stands twice in one object: remove one",
                           json_file_shown(source->file), line_of(source, offset),
                           key.size < 64 ? (int)key.size : 64, key.start);
    return 0;
}

/* Finds the quote that ends the string which begins at *i, and leaves *i there. */
static int skip_string(const struct source *source, size_t *i, struct sb_error *err)
{
    for ((*i)++; *i < source->size && source->text[*i] != '"'; (*i)++) {
        if ((unsigned char)source->text[*i] < 0x20)
            return bad_text(source, *i,
                            "a string goes on past the end of its line, or holds a "
                            "control character: write \\n, \\t or \\u00XX",
                            err);
        if (source->text[*i] == '\\')
            (*i)++;
    }
    return 0;
}

/* Walks over a text that json-c has taken. `keys` has room for all of them, `opened` for as many
 * objects as may be nested: the index of the first key of each. */
static int check_text(const struct source *source, struct key *keys, size_t *opened,
                      struct sb_error *err)
{
    size_t count = 0, depth = 0;
    for (size_t i = 0; i < source->size; i++) {
        char c = source->text[i];
        if (c == '{' && depth < JSON_FILE_DEPTH) {
            opened[depth++] = count;
        } else if (c == '}' && depth > 0) {
            count = opened[--depth];
        } else if (c == '\'' || c == 'N' || c == 'I') {
            return bad_text(source, i,
                            "this is not JSON: strings stand in double quotes, and "
                            "there is no NaN or Infinity",
                            err);
        } else if (c == '"') {
            size_t start = i, next;
            if (skip_string(source, &i, err) < 0)
                return -1;
            for (next = i + 1; next < source->size && is_space(source->text[next]);)
                next++;
            if (next >= source->size || source->text[next] != ':' || depth == 0)
                continue;
            size_t first = opened[depth - 1];
            struct key key = {source->text + start + 1, i - start - 1};
            if (check_key(source, keys + first, count - first, key, err) < 0)
                return -1;
            keys[count++] = key;
        }
    }
    return 0;
}

/* Refuses what json-c lets pass though it is no JSON, or only a part of what was written. */
static int check_passed(const struct source *source, struct sb_error *err)
{
    size_t opened[JSON_FILE_DEPTH];
    /* The shortest key takes four bytes: "":0 and what parts it from the next. */
    _cleanup_free_ struct key *keys = malloc((source->size / 4 + 1) * sizeof(*keys));
    if (keys == NULL)
        return sb_fail(err, source->step, ENOMEM, "%s", json_file_shown(source->file));
    return check_text(source, keys, opened, err);
}

/* What json-c made of the text up to `end`, as an error where it is one. */
static int check_outcome(const struct source *source, enum json_tokener_error error, size_t end,
                         json_type type, struct sb_error *err)
{
    while (error == json_tokener_success && end < source->size && is_space(source->text[end]))
        end++;
    if (error == json_tokener_continue)
        return bad_text(source, source->size,
                        "the text ends where there should be more: a JSON object in { } is needed",
                        err);
    if (error != json_tokener_success)
        return sb_fail(err, source->step, 0, "%s, line %d: this is not JSON: %s",
                       json_file_shown(source->file), line_of(source, end),
                       json_tokener_error_desc(error));
    if (end < source->size)
        return bad_text(source, end, "there is more text after the JSON object: remove it", err);
    if (type != json_type_object)
        return bad_text(source, 0, "a JSON object in { } is needed", err);
    return 0;
}

struct json_object *json_text_parse(const char *text, size_t size, const char *file,
                                    const char *step, struct sb_error *err)
{
    const struct source source = {text, size, file, step};
    if (size > JSON_FILE_MAX) {
        sb_fail(err, step, 0, "%s is larger than %d KiB, the most that is allowed",
                json_file_shown(file), JSON_FILE_MAX / 1024);
        return NULL;
    }
    /* NUL ends json-c's input. */
    const char *nul = memchr(text, '\0', size);
    if (nul != NULL) {
        bad_text(&source, (size_t)(nul - text), "a NUL byte: remove it", err);
        return NULL;
    }

    struct json_tokener *tokener = json_tokener_new_ex(JSON_FILE_DEPTH);
    if (tokener == NULL) {
        sb_fail(err, step, ENOMEM, "%s", json_file_shown(file));
        return NULL;
    }
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *object = json_tokener_parse_ex(tokener, text, (int)size);
    enum json_tokener_error error = json_tokener_get_error(tokener);
    size_t end = json_tokener_get_parse_end(tokener);
    json_tokener_free(tokener);

    if (check_outcome(&source, error, end, json_object_get_type(object), err) == 0 &&
        check_passed(&source, err) == 0)
        return object;
    json_object_put(object);
    return NULL;
}

struct json_object *json_file_load(const char *path, const char *step, struct sb_error *err)
{
    /* O_NONBLOCK: the open of a FIFO would wait for a writer. */
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0) {
        sb_fail(err, step, errno, "%s can't be opened (check its path and permissions)",
                json_file_shown(path));
        return NULL;
    }
    if (!S_ISREG(st.st_mode)) {
        sb_fail(err, step, 0, "%s is not a regular file: name a JSON file", json_file_shown(path));
        return NULL;
    }
    /* The size is not asked beforehand: it may change. */
    _cleanup_free_ char *text = malloc(JSON_FILE_MAX + 1);
    if (text == NULL) {
        sb_fail(err, step, ENOMEM, "%s", json_file_shown(path));
        return NULL;
    }
    size_t size = 0;
    while (size < JSON_FILE_MAX + 1) {
        ssize_t got = read(fd, text + size, JSON_FILE_MAX + 1 - size);
        if (got == 0)
            break;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            sb_fail(err, step, errno, "%s can't be read", json_file_shown(path));
            return NULL;
        }
        size += (size_t)got;
    }
    return json_text_parse(text, size, path, step, err);
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

const char *json_file_shown(const char *path)
{
    enum { SHOWN = 180 };
    size_t length = strlen(path);
    if (length <= SHOWN)
        return path;
    const char *slash = strchr(path + length - SHOWN, '/');
    return slash != NULL ? slash : path + length - SHOWN;
}
