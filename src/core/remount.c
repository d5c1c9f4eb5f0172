/* What mount_setattr(2) does, for kernels before 5.12 that lack it: a remount of each mount by
 * itself. See mount.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "mount.h"
#include "util.h"

/* The flags of mount(2) for attributes, and for the options of a line of mountinfo: a remount must
 * repeat those that are there, locked as they are in a user namespace. */
static const struct {
    uint64_t attribute;
    unsigned long flag;
    const char *option;
} flags[] = {
    {MOUNT_READ_ONLY, MS_RDONLY, "ro"}, {MOUNT_NOSUID, MS_NOSUID, "nosuid"},
    {MOUNT_NODEV, MS_NODEV, "nodev"},   {MOUNT_NOEXEC, MS_NOEXEC, "noexec"},
    {0, MS_NOATIME, "noatime"},         {0, MS_NODIRATIME, "nodiratime"},
    {0, MS_RELATIME, "relatime"},
};

static unsigned long flags_of(uint64_t attributes, char *options)
{
    unsigned long result = 0;
    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        if (attributes & flags[i].attribute)
            result |= flags[i].flag;
    char *state = NULL;
    for (char *word = strtok_r(options, ",", &state); word; word = strtok_r(NULL, ",", &state))
        for (size_t i = 0; i < ARRAY_LEN(flags); i++)
            if (strcmp(word, flags[i].option) == 0)
                result |= flags[i].flag;
    return result;
}

/* mountinfo writes space, tab, newline and backslash as \ooo. */
static void unescape(char *text)
{
    char *to = text;
    for (char *from = text; *from; to++) {
        unsigned octal;
        if (*from == '\\' && sscanf(from + 1, "%3o", &octal) == 1) {
            *to = (char)octal;
            from += 4;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
}

/* Remounts every mount from the one at `path` downwards. The list shows mount points from our root;
 * the tree may cover that root, so a mount is known by its parent's id, and reached from the cwd.
 */
int mount_remount(const char *path, uint64_t attributes)
{
    struct statx top;
    if (statx(AT_FDCWD, path, AT_NO_AUTOMOUNT, STATX_MNT_ID, &top) < 0)
        return -1;
    FILE *list = fopen("/proc/self/mountinfo", "re");
    if (list == NULL)
        return -1;
    unsigned long long known[256] = {top.stx_mnt_id};
    size_t known_count = 1;
    char line[PATH_MAX * 2 + 512], point[PATH_MAX], options[512];
    int result = 0;
    while (result == 0 && fgets(line, sizeof(line), list) != NULL) {
        unsigned long long id, parent;
        if (sscanf(line, "%llu %llu %*s %*s %4095s %511s", &id, &parent, point, options) != 4)
            continue;
        int ours = id == top.stx_mnt_id;
        for (size_t i = 0; !ours && i < known_count; i++)
            ours = parent == known[i];
        if (!ours)
            continue;
        if (id != top.stx_mnt_id) {
            if (known_count == ARRAY_LEN(known)) {
                errno = E2BIG;
                result = -1;
                break;
            }
            known[known_count++] = id;
        }
        unescape(point);
        char relative[PATH_MAX + 2];
        snprintf(relative, sizeof(relative), ".%s", point);
        result = mount(NULL, id == top.stx_mnt_id ? path : relative, NULL,
                       MS_REMOUNT | MS_BIND | flags_of(attributes, options), NULL);
    }
    fclose(list);
    return result;
}
