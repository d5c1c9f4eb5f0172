/* Patterns of paths, as shells and Python's glob module know them. */
#ifndef SB_GLOB_H
#define SB_GLOB_H

#include <stdbool.h>
#include <stdint.h>

/* Whether a path matches a pattern, or, with `below`, whether paths below the path can.
 *
 *     *      any characters of one name        [a-z]  one of these characters
 *     ?      one character                     [!a-z] one other character
 *     **     as a whole part: any number of directories; at the end, all that is below
 *
 * A name that begins with a dot matches only a part that begins with a dot. Everything else stands
 * for itself; there is no escape but "[*]". Paths may be any bytes.
 *
 * Hostile patterns and paths together can take long: each comparison takes one of *steps, and one
 * for each character of a class. When none are left, nothing matches. */
bool glob_match(const char *glob, const char *path, bool below, int64_t *steps);

#endif
