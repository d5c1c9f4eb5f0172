/* See path.h. */
#include "common/path.h"

#include <stdbool.h>
#include <string.h>

#include "common/utf8.h"

/* What is left of a path without its last part. */
static size_t drop_part(const char *normal, size_t size)
{
    while (size > 0 && normal[--size] != '/')
        ;
    return size;
}

static size_t add_part(char *normal, size_t size, const char *part, size_t length)
{
    if (size > 0)
        normal[size++] = '/';
    memcpy(normal + size, part, length);
    return size + length;
}

enum path_fault path_normalise(char *normal, const char *path)
{
    size_t size = 0;
    bool named = false; /* by the last part */
    normal[0] = '\0';
    if (path[0] == '\0' || path[0] == '/')
        return path[0] == '/' ? PATH_ABSOLUTE : PATH_EMPTY;
    for (const char *part = path; part != NULL;) {
        const char *end = strchrnul(part, '/');
        size_t length = (size_t)(end - part);
        bool up = length == 2 && part[0] == '.' && part[1] == '.';
        named = length > 0 && !up && !(length == 1 && part[0] == '.');
        if (up && size == 0)
            return PATH_OUTSIDE;
        if (length > PATH_PART_BYTES_MAX)
            return PATH_TOO_LONG;
        if (up)
            size = drop_part(normal, size);
        else if (named)
            size = add_part(normal, size, part, length);
        part = *end == '/' ? end + 1 : NULL;
    }
    normal[size] = '\0';
    if (!named)
        return PATH_DIRECTORY;
    return size <= PATH_BYTES_MAX ? PATH_FINE : PATH_TOO_LONG;
}

const char *path_fault_text(enum path_fault fault)
{
    _Static_assert(PATH_BYTES_MAX == 1024 && PATH_PART_BYTES_MAX == 255, "as the text says");
    static const char *const texts[] = {
        [PATH_FINE] = "is fine",
        [PATH_EMPTY] = "is empty: name a file below the working directory",
        [PATH_ABSOLUTE] = "is an absolute path: give one below the working directory",
        [PATH_OUTSIDE] = "leads out of the working directory: give a path below it",
        [PATH_DIRECTORY] = "is the path of a directory: name a file in it",
        [PATH_TOO_LONG] = "is too long: a path may have 1024 bytes, and each name in it 255",
    };
    return texts[fault];
}

/* Whether a character of that many bytes is one to look at: not for a terminal to act on. */
static bool is_plain(const char *text, size_t length)
{
    unsigned char first = (unsigned char)text[0], second = (unsigned char)text[1];
    return length == 1 ? first >= ' ' && first != 0x7f : first != 0xc2 || second >= 0xa0;
}

void path_show(char shown[static PATH_SHOWN_BYTES], const char *path)
{
    static const char more[] = "…";
    size_t size = strlen(path), done = 0, used = 0;
    while (done < size) {
        bool valid = true;
        size_t length = utf8_next(path + done, size - done, &valid);
        bool plain = valid && is_plain(path + done, length);
        const char *from = plain ? path + done : UTF8_REPLACEMENT;
        size_t count = plain ? length : strlen(UTF8_REPLACEMENT);
        if (used + count + sizeof(more) > PATH_SHOWN_BYTES) {
            memcpy(shown + used, more, sizeof(more) - 1);
            used += sizeof(more) - 1;
            break;
        }
        memcpy(shown + used, from, count);
        used += count;
        done += length;
    }
    shown[used] = '\0';
}
