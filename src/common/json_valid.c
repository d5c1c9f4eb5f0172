/* Checks JSON text without building anything from it. A parser would let a hostile script choose
 * how much memory its supervisor needs: json-c takes 270 MiB for a result of 1 MiB that is full of
 * "{},". So this never allocates, never recurses, and looks at each byte once. */
#include "common/json_valid.h"

#include <string.h>

#include "common/utf8.h"

#define ESCAPE_SIZE 6 /* \uXXXX */
/* Where the halves of pairs begin, 0x400 of each. */
#define HIGH 0xd800
#define LOW 0xdc00

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

/* The number of an escape (\u20ac), or −1 when the text does not begin with one. */
static int number_of_escape(const char *at, const char *end)
{
    int number = 0;
    if (end - at < ESCAPE_SIZE || at[0] != '\\' || at[1] != 'u')
        return -1;
    for (int i = 2; i < ESCAPE_SIZE; i++) {
        char c = at[i], letter = (char)(c | 0x20);
        if (!is_digit(c) && (letter < 'a' || letter > 'f'))
            return -1;
        number = number << 4 | (is_digit(c) ? c - '0' : letter - 'a' + 10);
    }
    return number;
}

static bool is_surrogate(int number, int first)
{
    return number >= first && number < first + 0x400;
}

/* How many bytes the character takes that the escape at `at` is, with its number, or the first half
 * of. 0: it is half a pair, and the other half is missing. */
static size_t escaped_size(int number, const char *at, const char *end)
{
    if (is_surrogate(number, LOW))
        return 0;
    if (!is_surrogate(number, HIGH))
        return ESCAPE_SIZE;
    return is_surrogate(number_of_escape(at + ESCAPE_SIZE, end), LOW) ? 2 * ESCAPE_SIZE : 0;
}

/* A backslash and what belongs to it. */
static bool take_escape(struct cursor *cursor)
{
    const char *at = cursor->at, *end = cursor->end;
    if (end - at < 2)
        return false;
    if (at[1] != 'u') {
        cursor->at += 2;
        return at[1] != '\0' && strchr("\"\\/bfnrt", at[1]) != NULL;
    }
    int number = number_of_escape(at, end);
    size_t size = number < 0 ? 0 : escaped_size(number, at, end);
    cursor->at += size;
    return size > 0;
}

static bool take_string(struct cursor *cursor)
{
    if (!take(cursor, '"'))
        return false;
    while (cursor->at < cursor->end) {
        unsigned char c = (unsigned char)*cursor->at;
        bool valid = c >= 0x20;
        if (c == '\\')
            valid = take_escape(cursor);
        else if (c >= 0x80)
            cursor->at += utf8_next(cursor->at, (size_t)(cursor->end - cursor->at), &valid);
        else
            cursor->at++;
        if (c == '"')
            return true;
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

void json_mend_surrogates(char *text, size_t size)
{
    static const char replacement[ESCAPE_SIZE] = {'\\', 'u', 'f', 'f', 'f', 'd'};
    const char *end = text + size;
    for (char *at = text; (at = memchr(at, '\\', (size_t)(end - at))) != NULL && end - at >= 2;) {
        int number = number_of_escape(at, end);
        size_t taken = number < 0 ? 2 : escaped_size(number, at, end);
        if (taken == 0) {
            memcpy(at, replacement, ESCAPE_SIZE);
            taken = ESCAPE_SIZE;
        }
        at += taken;
    }
}
