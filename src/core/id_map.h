/* Which ids exist in our own user namespace: the lines of /proc/self/uid_map and gid_map. On the
 * host all exist; in a rootless container, or a pod with hostUsers: false, about 65536 do. */
#ifndef CORE_ID_MAP_H
#define CORE_ID_MAP_H

#include <stdbool.h>
#include <stdint.h>

#define ID_MAP_TEXT_SIZE 16384 /* a map has at most 340 lines of 33 characters */

struct id_range {
    uint32_t first, count;
};

/* Reads one of the two files. False: there is none, and nothing is known. */
bool id_map_read(const char *file, char text[static ID_MAP_TEXT_SIZE]);

/* Whether one line of a map has all of a range. A map that is made of it may not have parts of two
 * lines (map_id_range_down in kernel/user_namespace.c). */
bool id_map_has(const char *map, struct id_range range);

/* The best range for jobs in a map: at most `most` ids, at the end of the largest part that is free
 * of others, who get theirs from the beginning: the system's below 1000, users' above, nobody and
 * its neighbours around 65534. It does not have our own id. Its count is 0 where there is none. */
struct id_range id_map_choose(const char *map, uint32_t own, uint32_t most);

/* For an error: why the kernel refused, with `errnum`, to map this uid and gid of ours to a new
 * user namespace, and what to do. `text` has room for it. Returns `text`. */
#define ID_MAP_WHY_SIZE 256
const char *id_map_why(struct id_range uids, struct id_range gids, int errnum,
                       char text[static ID_MAP_WHY_SIZE]);

#endif
