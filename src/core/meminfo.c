/* How much memory the host has left. See meminfo.h. */
#include "core/meminfo.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "common/util.h"

/* The numbers of nodes may have gaps: the search ends when this many are missing in a row. */
#define GAP_MAX 4

/* The number behind a key, in bytes; −1: the key is missing. */
static int64_t find(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    return at != NULL ? strtoll(at + strlen(key), NULL, 10) * 1024 : -1;
}

/* What a node's file cache and slabs could give back; −1: there is no such node. */
static int64_t node_reclaimable(int node)
{
    static const char *const keys[] = {"Active(file):", "Inactive(file):", "SReclaimable:"};
    char path[64], text[4096];
    int64_t bytes = 0;
    snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/meminfo", node);
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (size < 0)
        return -1;
    text[size] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        int64_t part = find(text, keys[i]);
        bytes += part > 0 ? part : 0;
    }
    return bytes;
}

/* Free memory and what can be reclaimed: the kernel's own estimate, except for its reserves, a
 * hundredth of all memory. */
static int64_t estimate(void)
{
    struct sysinfo info;
    bool known = false;
    int64_t bytes = 0;
    for (int node = 0, gap = 0; gap < GAP_MAX; node++) {
        int64_t part = node_reclaimable(node);
        gap = part < 0 ? gap + 1 : 0;
        known |= part >= 0;
        bytes += part > 0 ? part : 0;
    }
    if (!known || sysinfo(&info) < 0)
        return -1;
    return bytes + (int64_t)info.freeram * info.mem_unit;
}

int64_t meminfo_available(int *fd)
{
    char text[512]; /* the value is in the third line */
    if (*fd < 0)
        *fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
    ssize_t size = *fd < 0 ? -1 : pread(*fd, text, sizeof(text) - 1, 0);
    if (size < 0)
        return estimate();
    text[size] = '\0';
    return find(text, "MemAvailable:");
}
