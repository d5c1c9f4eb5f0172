/* See glob.h. Nothing here recurses: behind a star, only the last star is tried again, which finds
 * every match (names between two stars match best where they match first). */
#include "common/glob.h"

#include <stddef.h>
#include <string.h>

#include "common/utf8.h"

struct part {
    const char *at;
    size_t size;
    const char *next; /* the part behind the slash; the end of the text, if this is the last */
};

static struct part part_at(const char *text)
{
    const char *end = strchrnul(text, '/');
    return (struct part){text, (size_t)(end - text), *end == '/' ? end + 1 : end};
}

static size_t character(const char *text, const char *end)
{
    bool valid;
    return utf8_next(text, (size_t)(end - text), &valid);
}

/* Compares characters by their bytes: UTF-8 keeps the order of code points. */
static int compare(const char *left, size_t left_size, const char *right, size_t right_size)
{
    size_t size = left_size < right_size ? left_size : right_size;
    int order = memcmp(left, right, size);
    return order != 0 ? order : (left_size > size) - (right_size > size);
}

/* The end of the class that begins at `class`, behind its "]"; NULL: the bracket stands for itself.
 */
static const char *class_end(const char *class, const char *end)
{
    const char *at = class + 1;
    at += at < end && *at == '!';
    at += at < end && *at == ']'; /* there, it is one of the characters */
    while (at < end && *at != ']')
        at++;
    return at < end ? at + 1 : NULL;
}

static bool in_class(const char *class, const char *end, const char *name, size_t size)
{
    bool other = class[1] == '!', found = false;
    const char *at = class + 1 + other, *last = end - 1;
    while (at < last) {
        size_t first = character(at, last);
        const char *high = at;
        size_t high_size = first;
        const char *next = at + first;
        if (next + 1 < last && *next == '-') {
            high = next + 1;
            high_size = character(high, last);
            next = high + high_size;
        }
        found |= compare(at, first, name, size) <= 0 && compare(name, size, high, high_size) <= 0;
        at = next;
    }
    return found != other;
}

/* Matches one character of a name. Returns what follows in the pattern; NULL: it does not match. */
static const char *match_character(const char *glob, const char *glob_end, const char *name,
                                   size_t size, int64_t *steps)
{
    if (glob == glob_end)
        return NULL;
    const char *end = NULL;
    if (*glob == '[') {
        end = class_end(glob, glob_end);
        *steps -= (end != NULL ? end : glob_end) - glob;
    }
    if (end != NULL)
        return in_class(glob, end, name, size) ? end : NULL;
    if (*glob == '?')
        return glob + 1;
    return (size_t)(glob_end - glob) >= size && memcmp(glob, name, size) == 0 ? glob + size : NULL;
}

/* No wildcard stands for the dot of a hidden name, or for the empty part before a path's first
 * slash. */
static bool is_hidden(struct part name)
{
    return name.size == 0 || name.at[0] == '.';
}

static bool match_part(struct part part, struct part name, int64_t *steps)
{
    const char *glob = part.at, *glob_end = part.at + part.size;
    const char *at = name.at, *end = name.at + name.size;
    const char *star = NULL, *starred = NULL;
    if (is_hidden(name) && (part.size == 0) != (name.size == 0))
        return false;
    if (is_hidden(name) && name.size > 0 && part.at[0] != '.')
        return false;
    while (at < end && --*steps >= 0) {
        if (glob < glob_end && *glob == '*') {
            star = ++glob;
            starred = at;
            continue;
        }
        size_t size = character(at, end);
        const char *next = match_character(glob, glob_end, at, size, steps);
        if (next != NULL) {
            glob = next;
            at += size;
        } else if (star != NULL) {
            starred += character(starred, end);
            glob = star;
            at = starred;
        } else {
            return false;
        }
    }
    while (glob < glob_end && *glob == '*')
        glob++;
    return at == end && glob == glob_end;
}

static bool all_visible(const char *path)
{
    while (*path != '\0') {
        struct part name = part_at(path);
        if (is_hidden(name))
            return false;
        path = name.next;
    }
    return true;
}

bool glob_match(const char *glob, const char *path, bool below, int64_t *steps)
{
    const char *resume = NULL, *absorbed = NULL; /* behind the last "**", and what it stands for */
    while (*path != '\0' && --*steps >= 0) {
        struct part part = part_at(glob), name = part_at(path);
        if (part.size == 2 && memcmp(part.at, "**", 2) == 0) {
            if (*part.next == '\0')
                return all_visible(path);
            resume = glob = part.next;
            absorbed = path;
        } else if (*glob != '\0' && match_part(part, name, steps)) {
            glob = part.next;
            path = name.next;
        } else if (resume != NULL && !is_hidden(part_at(absorbed))) {
            path = absorbed = part_at(absorbed).next;
            glob = resume;
        } else {
            return false;
        }
    }
    if (*path != '\0')
        return false;
    return below ? *glob != '\0' || resume != NULL : *glob == '\0';
}
