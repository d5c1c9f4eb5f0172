/* Checks JSON text without building anything from it. A parser would let a hostile script choose
 * how much memory its supervisor needs: json-c takes 270 MiB for a result of 1 MiB that is full of
 * "{},". So this never allocates, never recurses, and looks at each byte once. */
#include "json_valid.h"

#include <string.h>

#include "utf8.h"

struct cursor {
    const char *at;
    const char *end;
};

static bool take(struct cursor *cursor, char c)
{
    if (cursor->at == cursor->end || *cursor->at != c)
        return false;
    cursor->at++;
    return true;
}

static void skip_space(struct cursor *cursor)
{
    while (take(cursor, ' ') || take(cursor, '\n') || take(cursor, '\t') || take(cursor, '\r'))
        ;
}

static bool take_word(struct cursor *cursor, const char *word)
{
    size_t size = strlen(word);
    if ((size_t)(cursor->end - cursor->at) < size || memcmp(cursor->at, word, size) != 0)
        return false;
    cursor->at += size;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool take_digits(struct cursor *cursor)
{
    const char *start = cursor->at;
    while (cursor->at < cursor->end && is_digit(*cursor->at))
        cursor->at++;
    return cursor->at > start;
}

static bool take_number(struct cursor *cursor)
{
    take(cursor, '-');
    if (!take(cursor, '0') && !take_digits(cursor))
        return false;
    if (take(cursor, '.') && !take_digits(cursor))
        return false;
    if (!take(cursor, 'e') && !take(cursor, 'E'))
        return true;
    if (!take(cursor, '+'))
        take(cursor, '-');
    return take_digits(cursor);
}

/* What stands behind a backslash. */
static bool take_escape(struct cursor *cursor)
{
    if (cursor->at == cursor->end)
        return false;
    char c = *cursor->at++;
    if (c != 'u')
        return c != '\0' && strchr("\"\\/bfnrt", c) != NULL;
    for (int i = 0; i < 4; i++, cursor->at++)
        if (cursor->at == cursor->end || *cursor->at == '\0' ||
            strchr("0123456789abcdefABCDEF", *cursor->at) == NULL)
            return false;
    return true;
}

static bool take_string(struct cursor *cursor)
{
    if (!take(cursor, '"'))
        return false;
    while (cursor->at < cursor->end) {
        unsigned char c = (unsigned char)*cursor->at;
        bool valid = c >= 0x20;
        if (c >= 0x80)
            cursor->at += utf8_next(cursor->at, (size_t)(cursor->end - cursor->at), &valid);
        else
            cursor->at++;
        if (c == '"')
            return true;
        if (c == '\\')
            valid = take_escape(cursor);
        if (!valid)
            return false;
    }
    return false;
}

static bool take_key(struct cursor *cursor)
{
    skip_space(cursor);
    if (!take_string(cursor))
        return false;
    skip_space(cursor);
    return take(cursor, ':');
}

static bool take_scalar(struct cursor *cursor)
{
    if (cursor->at < cursor->end && *cursor->at == '"')
        return take_string(cursor);
    return take_word(cursor, "null") || take_word(cursor, "true") || take_word(cursor, "false") ||
           take_number(cursor);
}

/* Takes one scalar, or opens objects and arrays up to the first scalar in them, or closes an empty
 * one at once. `open` holds the bracket that will close each. */
static bool take_value(struct cursor *cursor, char *open, size_t *depth)
{
    for (;;) {
        skip_space(cursor);
        bool object = take(cursor, '{');
        if (!object && !take(cursor, '['))
            return take_scalar(cursor);
        char close = object ? '}' : ']';
        skip_space(cursor);
        if (take(cursor, close))
            return *depth < JSON_VALID_DEPTH;
        if (*depth == JSON_VALID_DEPTH || (object && !take_key(cursor)))
            return false;
        open[(*depth)++] = close;
    }
}

bool json_valid(const char *text, size_t size)
{
    struct cursor cursor = {text, text + size};
    char open[JSON_VALID_DEPTH];
    size_t depth = 0;
    do {
        if (!take_value(&cursor, open, &depth))
            return false;
        skip_space(&cursor);
        while (depth > 0 && take(&cursor, open[depth - 1])) {
            depth--;
            skip_space(&cursor);
        }
        if (depth > 0 && (!take(&cursor, ',') || (open[depth - 1] == '}' && !take_key(&cursor))))
            return false;
    } while (depth > 0);
    return cursor.at == cursor.end;
}
