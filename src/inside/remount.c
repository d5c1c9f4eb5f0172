/* The work of mount_setattr(2) for kernels before 5.12: remounts each mount by itself. See mount.h.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mount.h>

#include "common/util.h"
#include "inside/calls.h"
#include "inside/mount.h"

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

/* ── The list of mounts ────────────────────────────────────────────────────────────────────── */

struct list {
    int fd;
    size_t at, size;
    char data[4096];
};

struct line {
    uint64_t id, parent;
    char point[1 + PATH_MAX]; /* "." and the path, so that it is reached from the cwd */
    char options[256];        /* "rw,nosuid,relatime" */
};

/* The next character; −1 at the end. */
static int next(struct list *list)
{
    if (list->at == list->size) {
        ssize_t n = sys_read(list->fd, list->data, sizeof(list->data));
        if (n <= 0)
            return -1;
        list->at = 0;
        list->size = (size_t)n;
    }
    return (unsigned char)list->data[list->at++];
}

/* Reads a word up to the next space; a word that is too long becomes empty, which no call accepts.
 * Returns the character that ended it. */
static int next_field(struct list *list, char *field, size_t room)
{
    size_t length = 0;
    int c;
    while ((c = next(list)) >= 0 && c != ' ' && c != '\n')
        if (length < room)
            field[length++] = (char)c;
    field[length < room ? length : 0] = '\0';
    return c;
}

static uint64_t next_number(struct list *list)
{
    char digits[32];
    uint64_t number = 0;
    next_field(list, digits, sizeof(digits));
    for (const char *c = digits; *c >= '0' && *c <= '9'; c++)
        number = number * 10 + (uint64_t)(*c - '0');
    return number;
}

static bool is_octal(char c)
{
    return c >= '0' && c <= '7';
}

/* mountinfo writes space, tab, newline and backslash as \ooo. */
static void unescape(char *text)
{
    char *to = text;
    for (const char *from = text; *from; to++) {
        if (*from == '\\' && is_octal(from[1]) && is_octal(from[2]) && is_octal(from[3])) {
            *to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
            from += 4;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
}

/* "ID PARENT DEVICE ROOT POINT OPTIONS …" (proc_pid_mountinfo(5)). False at the end. */
static bool next_line(struct list *list, struct line *line)
{
    line->id = next_number(list);
    line->parent = next_number(list);
    next_field(list, line->options, sizeof(line->options));
    next_field(list, line->options, sizeof(line->options));
    line->point[0] = '.';
    next_field(list, line->point + 1, sizeof(line->point) - 1);
    unescape(line->point);
    int c = next_field(list, line->options, sizeof(line->options));
    while (c >= 0 && c != '\n')
        c = next(list);
    return c >= 0;
}

/* ── Remounting ────────────────────────────────────────────────────────────────────────────── */

static bool has_option(const char *options, const char *option)
{
    size_t length = strlen(option);
    for (const char *at = options; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, option, length) == 0 && (at[length] == ',' || at[length] == '\0'))
            return true;
    }
    return false;
}

static unsigned long flags_of(uint64_t attributes, const char *options)
{
    unsigned long result = 0;
    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        if ((attributes & flags[i].attribute) != 0 || has_option(options, flags[i].option))
            result |= flags[i].flag;
    return result;
}

/* The known mounts of the tree. */
struct tree {
    uint64_t ids[256];
    size_t count;
};

static bool has_id(const struct tree *tree, uint64_t id)
{
    for (size_t i = 0; i < tree->count; i++)
        if (tree->ids[i] == id)
            return true;
    return false;
}

/* Remounts each mount of the list that is the tree's first or lies below one that is known. */
static int remount_tree(struct list *list, const char *path, uint64_t top, uint64_t attributes)
{
    struct tree tree = {{top}, 1};
    struct line line;
    while (next_line(list, &line)) {
        if (line.id != top && !has_id(&tree, line.parent))
            continue;
        if (tree.count == ARRAY_LEN(tree.ids)) {
            errno = E2BIG;
            return -1;
        }
        tree.ids[tree.count++] = line.id;
        if (sys_mount(NULL, line.id == top ? path : line.point, NULL,
                      MS_REMOUNT | MS_BIND | flags_of(attributes, line.options), NULL) < 0)
            return -1;
    }
    return 0;
}

/* Remounts every mount from the one at `path` downwards. The list shows mount points from our root;
 * the tree may cover that root, so a mount is known by its parent's id, and reached from the cwd.
 */
int mount_remount(const char *path, uint64_t attributes)
{
    struct statx top;
    struct list list = {.fd = -1};
    if (syscall(SYS_statx, AT_FDCWD, path, AT_NO_AUTOMOUNT, STATX_MNT_ID, &top) < 0 ||
        (list.fd = sys_open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC)) < 0)
        return -1;
    int result = remount_tree(&list, path, top.stx_mnt_id, attributes);
    sys_close_fd(&list.fd);
    return result;
}
