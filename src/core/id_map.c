/* See id_map.h. */
#include "core/id_map.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

#include "common/small_file.h"
#include "common/util.h"
#include "core/own_capability.h"

/* Below these are the system's users. */
#define FIRST_USER 1000
/* nobody, and (uint16_t)-1. */
#define NOBODY 65534
#define NOBODY_END 65536
/* Fewer ids are not worth a choice: a service may have this many jobs and parked children. */
#define FEWEST 1024

bool id_map_read(const char *file, char text[static ID_MAP_TEXT_SIZE])
{
    return small_file_read(AT_FDCWD, file, text, ID_MAP_TEXT_SIZE) > 0;
}

/* The next line: "INSIDE OUTSIDE COUNT". NULL: there is none. */
static const char *next_line(const char *map, struct id_range *range)
{
    if (sscanf(map, "%" SCNu32 " %*u %" SCNu32, &range->first, &range->count) != 2)
        return NULL;
    const char *end = strchr(map, '\n');
    return end != NULL ? end + 1 : map + strlen(map);
}

bool id_map_has(const char *map, struct id_range range)
{
    struct id_range line;
    while ((map = next_line(map, &line)) != NULL)
        if (range.first >= line.first &&
            (uint64_t)range.first + range.count <= (uint64_t)line.first + line.count)
            return true;
    return false;
}

/* What lies in a line from `from` up to `below`. */
static struct id_range part(struct id_range line, uint64_t from, uint64_t below)
{
    uint64_t first = MAX(line.first, from);
    uint64_t end = MIN((uint64_t)line.first + line.count, below);
    return first < end ? (struct id_range){(uint32_t)first, (uint32_t)(end - first)}
                       : (struct id_range){0};
}

static void keep_end(struct id_range *range, uint32_t most)
{
    if (range->count <= most)
        return;
    range->first += range->count - most;
    range->count = most;
}

/* The larger of the two parts beside an id. */
static struct id_range beside(struct id_range range, uint32_t id)
{
    if (id < range.first || id - range.first >= range.count)
        return range;
    uint32_t below = id - range.first, above = range.count - below - 1;
    return below > above ? (struct id_range){range.first, below} : (struct id_range){id + 1, above};
}

struct id_range id_map_choose(const char *map, uint32_t own, uint32_t most)
{
    struct id_range line, best = {0};
    while ((map = next_line(map, &line)) != NULL) {
        struct id_range low = part(line, FIRST_USER, NOBODY);
        struct id_range high = part(line, NOBODY_END, UINT32_MAX);
        keep_end(&low, low.count / 2);
        low = beside(low, own);
        high = beside(high, own);
        best = low.count > best.count ? low : best;
        best = high.count > best.count ? high : best;
    }
    keep_end(&best, most);
    return best.count >= FEWEST ? best : (struct id_range){0};
}

static bool is_mapped(const char *file, struct id_range range)
{
    char map[ID_MAP_TEXT_SIZE];
    return !id_map_read(file, map) || id_map_has(map, range);
}

const char *id_map_why(struct id_range uids, struct id_range gids, int errnum,
                       char text[static ID_MAP_WHY_SIZE])
{
    bool root = uids.first == 0 || gids.first == 0;
    if (!is_mapped("/proc/self/uid_map", uids) || !is_mapped("/proc/self/gid_map", gids))
        snprintf(text, ID_MAP_WHY_SIZE,
                 "/proc/self/uid_map or gid_map does not have all of these ids: choose --uid-range "
                 "inside what both have in one line");
    else if (errnum == EPERM && !(own_capability(CAP_SETUID) && own_capability(CAP_SETGID)))
        snprintf(text, ID_MAP_WHY_SIZE,
                 "this process has no CAP_SETUID or no CAP_SETGID: give it both (docker and podman "
                 "run: --cap-add SETUID --cap-add SETGID)");
    else if (errnum == EPERM && root && !own_capability(CAP_SETFCAP))
        snprintf(text, ID_MAP_WHY_SIZE,
                 "to map uid 0, this process must have CAP_SETFCAP (docker and podman run: "
                 "--cap-add SETFCAP)");
    else
        snprintf(text, ID_MAP_WHY_SIZE, "see sandbox-run --doctor");
    return text;
}
