/* See source_coding.h. */
#include "common/source_coding.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static const char bom[] = "\xef\xbb\xbf";

static size_t line_size(const char *line, size_t size)
{
    size_t i = 0;
    while (i < size && line[i] != '\n' && line[i] != '\r')
        i++;
    return i;
}

static size_t skip_newline(const char *text, size_t at, size_t size)
{
    if (at + 1 < size && text[at] == '\r' && text[at + 1] == '\n')
        return at + 2;
    return at < size ? at + 1 : at;
}

static size_t spaces(const char *text, size_t size, const char *which)
{
    size_t i = 0;
    while (i < size && text[i] != '\0' && strchr(which, text[i]) != NULL)
        i++;
    return i;
}

static size_t name_size(const char *text, size_t size)
{
    size_t i = 0;
    while (i < size &&
           (isalnum((unsigned char)text[i]) || (text[i] != '\0' && strchr("-_.", text[i]))))
        i++;
    return i;
}

/* "coding:" or "coding=", spaces, a name. */
static struct source_coding find_in_comment(const char *comment, size_t size)
{
    static const char word[] = "coding";
    const size_t length = sizeof(word) - 1;
    for (size_t i = 0; i + length < size; i++) {
        if (memcmp(comment + i, word, length) != 0 ||
            (comment[i + length] != ':' && comment[i + length] != '='))
            continue;
        size_t at = i + length + 1;
        at += spaces(comment + at, size - at, " \t");
        size_t name = name_size(comment + at, size - at);
        if (name > 0)
            return (struct source_coding){at, name};
    }
    return (struct source_coding){0, 0};
}

struct source_coding source_coding_find(const char *source, size_t size)
{
    size_t at = size >= 3 && memcmp(source, bom, 3) == 0 ? 3 : 0;
    for (int line = 0; line < 2 && at < size; line++) {
        size_t length = line_size(source + at, size - at);
        size_t begin = spaces(source + at, length, " \t\f");
        if (begin < length && source[at + begin] != '#')
            break; /* code: a declaration behind it does not count */
        struct source_coding found = find_in_comment(source + at + begin, length - begin);
        if (found.size > 0)
            return (struct source_coding){at + begin + found.offset, found.size};
        at = skip_newline(source, at + length, size);
    }
    return (struct source_coding){0, 0};
}

bool source_coding_is_utf8(const char *source, struct source_coding coding)
{
    static const char *const names[] = {"utf-8", "utf8", "utf_8"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (coding.size == strlen(names[i]) &&
            strncasecmp(source + coding.offset, names[i], coding.size) == 0)
            return true;
    return coding.size == 0;
}
