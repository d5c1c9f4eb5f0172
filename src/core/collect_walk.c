/* See collect_walk.h.
 *
 * The search is a visit to the job's namespaces (visit.h): it has all capabilities over the job's
 * files there, whatever modes the script gave them, and over nothing else: the job's root file
 * system is not the job's. All of the job's processes are dead, so nothing changes meanwhile;
 * nothing here relies on it.
 *
 * The descriptor of each directory is open while its entries are looked at, one name at a time. No
 * link is followed and no mount is crossed. */
#include "core/collect_walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/glob.h"
#include "common/keyed_hash.h"
#include "common/path.h"
#include "common/utf8.h"
#include "common/util.h"
#include "core/visit.h"

/* More entries than anyone wants to have searched, and tens of milliseconds: this program does
 * nothing else meanwhile. */
#define ENTRIES_MAX 20000
/* Comparisons of characters with patterns: as long. */
#define STEPS_MAX (INT64_C(1) << 23)
/* Directories within each other; each takes a descriptor while it is searched. */
#define DEPTH_MAX 64
#define CHUNK (64 * 1024)

/* The directories in the job, and the beginning of the names of their files. */
static const struct {
    const char *directory, *prefix;
} places[] = {{"/work", ""}, {"/tmp", "/tmp"}};

struct walk {
    struct collect *collect;
    size_t files_max;
    int64_t bytes_max, bytes;
    dev_t device; /* of the directory that is searched */
    size_t entries;
    int64_t steps;
    size_t unnamed;        /* files that are left out, beyond COLLECT_LEFT_OUT_MAX */
    const char *cut_short; /* why the search ended early; NULL: it did not */
    char path[PATH_BYTES_MAX + 1];
    char *chunk;
};

/* An entry of a directory. */
struct entry {
    char *name;
    unsigned char type;
};

struct entries {
    struct entry *list;
    size_t count, room;
};

/* ── What is left out ──────────────────────────────────────────────────────────────────────── */

/* Leaves out the file at hand. */
static void leave_out(struct walk *walk, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void leave_out(struct walk *walk, const char *format, ...)
{
    struct collect *collect = walk->collect;
    char *path = NULL, *why = NULL;
    va_list args;
    if (collect->left_out_count < COLLECT_LEFT_OUT_MAX)
        path =
            walk->path[0] == '\0' ? strdup(".") : utf8_repair(walk->path, strlen(walk->path), NULL);
    va_start(args, format);
    if (path != NULL && vasprintf(&why, format, args) < 0)
        why = NULL;
    va_end(args);
    if (why == NULL) {
        walk->unnamed++;
        free(path);
        return;
    }
    collect->left_out[collect->left_out_count++] = (struct sb_left_out){path, why};
}

/* Whether the path at hand matches, or paths below it can. */
static bool is_wanted(struct walk *walk, bool below)
{
    for (char **glob = walk->collect->globs; *glob != NULL; glob++)
        if (glob_match(*glob, walk->path, below, &walk->steps))
            return true;
    return false;
}

/* ── A file ────────────────────────────────────────────────────────────────────────────────── */

/* Opens an entry of a directory, unless it is a link, or is mounted there (EXDEV). Names have one
 * part. openat2(2) would say the same, but systemd's RestrictSUIDSGID= forbids it. */
static int open_entry(const struct walk *walk, int directory, const char *name, int flags)
{
    struct stat st;
    _cleanup_close_ int fd =
        openat(directory, name, flags | O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return -1;
    if (st.st_dev == walk->device)
        return steal_fd(&fd);
    errno = EXDEV;
    return -1;
}

static int compare_given(const void *path, const void *given)
{
    return strcmp(path, ((const struct given *)given)->path);
}

/* What the job was given under the name at hand; NULL: nothing. */
static const struct given *find_given(const struct walk *walk)
{
    const struct collect *collect = walk->collect;
    if (collect->given_count == 0)
        return NULL;
    return bsearch(walk->path, collect->given, collect->given_count, sizeof(*collect->given),
                   compare_given);
}

static bool is_unchanged(const struct walk *walk, int fd, const struct stat *st)
{
    const struct given *given = find_given(walk);
    struct keyed_hash hash;
    if (given == NULL || st->st_size != (off_t)given->size)
        return false;
    keyed_hash_begin(&hash, walk->collect->key);
    ssize_t n;
    for (off_t at = 0; (n = pread(fd, walk->chunk, CHUNK, at)) > 0 && at <= st->st_size; at += n)
        keyed_hash_add(&hash, walk->chunk, (size_t)n);
    return n == 0 && hash.size == given->size && keyed_hash_end(&hash) == given->hash;
}

/* Reads `size` bytes and no more. NULL: see errno. */
static char *read_file(int fd, size_t size, size_t *got)
{
    _cleanup_free_ char *data = malloc(size + 1);
    ssize_t n = 0;
    for (*got = 0; data != NULL && *got < size; *got += (size_t)n) {
        n = read(fd, data + *got, size - *got);
        if (n < 0)
            return NULL;
        if (n == 0)
            break;
    }
    return steal_ptr(data);
}

static bool is_full(const struct walk *walk)
{
    return walk->collect->files_count >= walk->files_max;
}

static void leave_too_many(struct walk *walk)
{
    leave_out(walk, "there are more than %zu files (collect_files)", walk->files_max);
}

static bool has_room(struct collect *collect)
{
    if (collect->files_count < collect->files_room)
        return true;
    size_t room = collect->files_room * 2 + 16;
    struct sb_collected *larger = reallocarray(collect->files, room, sizeof(*larger));
    if (larger == NULL)
        return false;
    collect->files = larger;
    collect->files_room = room;
    return true;
}

static void keep_file(struct walk *walk, int fd, const struct stat *st)
{
    struct collect *collect = walk->collect;
    int64_t left = walk->bytes_max - walk->bytes;
    if (is_full(walk)) {
        leave_too_many(walk);
        return;
    }
    if (st->st_size > left) {
        leave_out(walk,
                  "it has %" PRId64 " bytes, and %" PRId64 " of %" PRId64
                  " are left (collect_bytes)",
                  (int64_t)st->st_size, left, walk->bytes_max);
        return;
    }
    size_t size = 0;
    char *path = strdup(walk->path);
    char *data =
        path != NULL && has_room(collect) ? read_file(fd, (size_t)st->st_size, &size) : NULL;
    if (data == NULL) {
        leave_out(walk, "it cannot be read: %s", strerror(errno));
        free(path);
        return;
    }
    data[size] = '\0';
    walk->bytes += (int64_t)size;
    struct sb_collected *file = &collect->files[collect->files_count++];
    file->path = path;
    file->data = data;
    file->size = size;
}

static void take_file(struct walk *walk, int directory, const char *name)
{
    struct stat st;
    if (is_full(walk) && find_given(walk) == NULL) {
        leave_too_many(walk);
        return;
    }
    _cleanup_close_ int fd = open_entry(walk, directory, name, 0);
    if (fd < 0 && errno == EXDEV)
        return; /* a mount of the policy is not the job's */
    if (fd < 0 || fstat(fd, &st) < 0)
        leave_out(walk, "it cannot be opened: %s", strerror(errno));
    else if (!S_ISREG(st.st_mode))
        leave_out(walk, "it is not a regular file");
    else if (!is_unchanged(walk, fd, &st))
        keep_file(walk, fd, &st);
}

/* ── A directory ───────────────────────────────────────────────────────────────────────────── */

static void free_entries(struct entries *entries)
{
    for (size_t i = 0; i < entries->count; i++)
        free(entries->list[i].name);
    free(entries->list);
}

static int add_entry(struct entries *entries, const struct dirent *from)
{
    if (entries->count == entries->room) {
        size_t room = entries->room * 2 + 16;
        struct entry *larger = reallocarray(entries->list, room, sizeof(*larger));
        if (larger == NULL)
            return -1;
        entries->list = larger;
        entries->room = room;
    }
    struct entry *entry = &entries->list[entries->count];
    *entry = (struct entry){strdup(from->d_name), from->d_type};
    entries->count += entry->name != NULL;
    return entry->name != NULL ? 0 : -1;
}

static int by_name(const void *left, const void *right)
{
    return strcmp(((const struct entry *)left)->name, ((const struct entry *)right)->name);
}

/* Sorted, so that the same files are always the ones that a limit leaves out. */
static int read_entries(struct walk *walk, struct entries *entries, DIR *stream)
{
    const struct dirent *entry;
    while (errno = 0, (entry = readdir(stream)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (++walk->entries > ENTRIES_MAX) {
            walk->cut_short = "there are more than 20000 entries: not all were looked at";
            break;
        }
        if (add_entry(entries, entry) < 0)
            return -1;
    }
    if (entries->count > 0)
        qsort(entries->list, entries->count, sizeof(*entries->list), by_name);
    return errno != 0 ? -1 : 0;
}

static void search(struct walk *walk, int fd, int depth);

static void enter(struct walk *walk, int directory, const char *name, int depth)
{
    if (!is_wanted(walk, true))
        return;
    int fd = depth <= DEPTH_MAX ? open_entry(walk, directory, name, O_DIRECTORY) : -1;
    if (depth > DEPTH_MAX)
        leave_out(walk, "the directory is more than %d deep", DEPTH_MAX);
    else if (fd >= 0)
        search(walk, fd, depth);
    else if (errno != EXDEV)
        leave_out(walk, "the directory cannot be opened: %s", strerror(errno));
}

static void look_at(struct walk *walk, int directory, const struct entry *entry, int depth)
{
    struct stat st;
    bool is_directory = entry->type == DT_DIR;
    if (entry->type == DT_UNKNOWN)
        is_directory =
            fstatat(directory, entry->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
    if (utf8_count(entry->name, strlen(entry->name)) < 0) {
        if (is_wanted(walk, is_directory))
            leave_out(walk, "its name is not UTF-8");
    } else if (is_directory) {
        enter(walk, directory, entry->name, depth);
    } else if (!is_wanted(walk, false)) {
        return;
    } else if (entry->type != DT_REG && entry->type != DT_UNKNOWN) {
        leave_out(walk, "it is not a regular file");
    } else {
        take_file(walk, directory, entry->name);
    }
}

/* Searches a directory, whose path is at hand, and closes it. */
static void search(struct walk *walk, int fd, int depth)
{
    struct entries entries = {0};
    size_t length = strlen(walk->path);
    DIR *stream = fdopendir(fd);
    if (stream == NULL)
        close(fd);
    if (stream == NULL || read_entries(walk, &entries, stream) < 0)
        leave_out(walk, "the directory cannot be read: %s", strerror(errno));
    for (size_t i = 0; i < entries.count && walk->steps >= 0; i++) {
        const char *name = entries.list[i].name;
        if (length + 1 + strlen(name) > PATH_BYTES_MAX) {
            leave_out(walk, "a path in this directory is too long: at most %d bytes are allowed",
                      PATH_BYTES_MAX);
            continue;
        }
        snprintf(walk->path + length, sizeof(walk->path) - length, "%s%s", length > 0 ? "/" : "",
                 name);
        look_at(walk, dirfd(stream), &entries.list[i], depth + 1);
        walk->path[length] = '\0';
    }
    free_entries(&entries);
    if (stream != NULL)
        closedir(stream);
}

/* ── In the job's namespaces ───────────────────────────────────────────────────────────────── */

/* Whether a pattern is for names with this prefix. */
static bool has_patterns(const struct collect *collect, const char *prefix)
{
    for (char **glob = collect->globs; *glob != NULL; glob++)
        if (((*glob)[0] == '/') == (prefix[0] == '/'))
            return true;
    return false;
}

static void search_all(void *user)
{
    struct walk *walk = user;
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        if (!has_patterns(walk->collect, places[i].prefix))
            continue;
        snprintf(walk->path, sizeof(walk->path), "%s", places[i].prefix);
        int fd = open(places[i].directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        struct stat st;
        if (fd < 0 || fstat(fd, &st) < 0) {
            leave_out(walk, "the directory cannot be opened: %s", strerror(errno));
            close_fd(&fd);
            continue;
        }
        walk->device = st.st_dev;
        search(walk, fd, 0);
    }
}

void collect_walk(struct collect *collect, const struct sb_limits *limits, int mounts)
{
    _cleanup_free_ char *chunk = malloc(CHUNK);
    struct walk walk = {
        .collect = collect,
        .files_max = (size_t)limits->value[SB_COLLECT_FILES],
        .bytes_max = limits->value[SB_COLLECT_BYTES],
        .steps = STEPS_MAX,
        .chunk = chunk,
    };
    if (chunk == NULL || visit(mounts, search_all, &walk) < 0)
        collect_remark(collect, "the job's directories cannot be entered: %s", strerror(errno));
    if (walk.unnamed > 0)
        collect_remark(collect, "%zu more were left out", walk.unnamed);
    if (walk.steps < 0)
        walk.cut_short = "the patterns take too long to compare with all names: give simpler ones";
    if (walk.cut_short != NULL)
        collect_remark(collect, "%s", walk.cut_short);
}
