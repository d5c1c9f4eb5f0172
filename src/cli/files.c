/* Gathers the files of --files. A directory's content may be hostile: nothing in it is followed,
 * waited for or read without bound. */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/input.h"
#include "cli/message.h"
#include "common/util.h"

enum { DEEPEST = 64 };

struct file_walk {
    struct files *files;
    const char *given;     /* the path as the user gave it */
    char target[PATH_MAX]; /* where the entry at hand goes to, below /work */
    int depth;
    struct sb_error *err;
};

static int too_many(struct file_walk *walk)
{
    return fail(walk->err, "files", "--files %s: more than %zu files or %zu bytes, %s", walk->given,
                walk->files->most_count, walk->files->most_bytes, walk->files->most_why);
}

/* Whether the file is the script, on its way to where the script goes anyway: a script is given
 * along with its directory more often than not. */
static bool is_script(const struct file_walk *walk, int fd)
{
    const char *script = walk->files->script;
    struct stat ours, theirs;
    return script != NULL && strcmp(walk->target, basename(script)) == 0 &&
           stat(script, &ours) == 0 && fstat(fd, &theirs) == 0 && ours.st_dev == theirs.st_dev &&
           ours.st_ino == theirs.st_ino;
}

static int add_file(struct file_walk *walk, int fd)
{
    struct files *files = walk->files;
    if (is_script(walk, fd))
        return 0;
    if (files->count == files->most_count)
        return too_many(walk);
    if (files->count == files->allocated) {
        size_t more = files->allocated * 2 + 16;
        struct sb_file *larger = reallocarray(files->items, more, sizeof(*larger));
        if (larger == NULL)
            return fail(walk->err, "files", "out of memory (--files %s)", walk->given);
        files->items = larger;
        files->allocated = more;
    }
    struct bytes bytes;
    if (read_whole(fd, files->most_bytes - files->bytes, &bytes) < 0) {
        int errnum = errno;
        free(bytes.data);
        return errnum == EFBIG ? too_many(walk)
                               : fail(walk->err, "files", "--files %s: can't read %s: %s",
                                      walk->given, walk->target, strerror(errnum));
    }
    struct sb_file *file = &files->items[files->count];
    *file = (struct sb_file){.path = strdup(walk->target), .data = bytes.data, .size = bytes.size};
    files->count++;
    files->bytes += bytes.size;
    if (file->path == NULL)
        return fail(walk->err, "files", "out of memory (--files %s)", walk->given);
    return 0;
}

static int leave_out(struct file_walk *walk)
{
    if (walk->files->left_out++ == 0)
        walk->files->first_left_out = strdup(walk->target);
    return 0;
}

static int add_directory(struct file_walk *walk, int *fd);

/* One entry of a directory. Looked at before it is opened, since opening a device may do something;
 * and after, since what the name stands for may change at any time. */
static int add_entry(struct file_walk *walk, int directory, const char *name)
{
    struct stat st;
    if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(st.st_mode) &&
        !S_ISDIR(st.st_mode))
        return leave_out(walk);
    _cleanup_close_ int fd =
        openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return fail(walk->err, "files", "--files %s: can't open %s: %s", walk->given, walk->target,
                    strerror(errno));
    if (S_ISDIR(st.st_mode))
        return add_directory(walk, &fd);
    return S_ISREG(st.st_mode) ? add_file(walk, fd) : leave_out(walk);
}

static void close_directory(DIR **directory)
{
    if (*directory != NULL)
        closedir(*directory);
}

/* Takes the descriptor over. */
static int add_directory(struct file_walk *walk, int *fd)
{
    size_t length = strlen(walk->target);
    __attribute__((cleanup(close_directory))) DIR *directory = fdopendir(*fd);
    if (directory == NULL)
        return fail(walk->err, "files", "--files %s: can't read the directory: %s", walk->given,
                    strerror(errno));
    steal_fd(fd);
    if (++walk->depth > DEEPEST)
        return fail(walk->err, "files", "--files %s: directories are nested more than %d deep",
                    walk->given, DEEPEST);
    const struct dirent *entry;
    while (errno = 0, (entry = readdir(directory)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        int n = snprintf(walk->target + length, sizeof(walk->target) - length, "%s%s",
                         length > 0 ? "/" : "", entry->d_name);
        if ((size_t)n >= sizeof(walk->target) - length)
            return fail(walk->err, "files", "--files %s: a path in it is too long", walk->given);
        if (add_entry(walk, dirfd(directory), entry->d_name) < 0)
            return -1;
        walk->target[length] = '\0';
    }
    walk->depth--;
    return errno == 0 ? 0
                      : fail(walk->err, "files", "--files %s: can't read the directory: %s",
                             walk->given, strerror(errno));
}

/* The last part of a path, without slashes at its end; "" when that is not a name. */
static void last_part(char name[static PATH_MAX], const char *path)
{
    size_t end = strlen(path);
    while (end > 0 && path[end - 1] == '/')
        end--;
    size_t start = end;
    while (start > 0 && path[start - 1] != '/')
        start--;
    snprintf(name, PATH_MAX, "%.*s", (int)(end - start), path + start);
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        name[0] = '\0';
}

int files_add(struct files *files, const char *path, struct sb_error *err)
{
    struct file_walk walk = {.files = files, .given = path, .err = err};
    last_part(walk.target, path);
    /* The path itself is the user's own word: a link is followed here, and only here. */
    _cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return fail(err, "files", "--files %s: %s; name a file or a directory that is there", path,
                    strerror(errno));
    if (S_ISDIR(st.st_mode))
        return add_directory(&walk, &fd);
    if (S_ISREG(st.st_mode))
        return add_file(&walk, fd);
    return fail(err, "files",
                "--files %s is neither a regular file nor a directory: copy it into a file", path);
}

int gather_files(const struct options *options, struct files *files, struct sb_error *err)
{
    files->script = options->code == NULL ? options->script : NULL;
    for (const char **path = options->files; path != NULL && *path != NULL; path++) {
        if (files_add(files, *path, err) < 0)
            return -1;
    }
    if (files->left_out > 0 && !options->quiet)
        say(files->left_out == 1
                ? "--files skipped %zu link or other entry that is not a regular file: %s"
                : "--files skipped %zu links or other entries that are not regular files, such as "
                  "%s",
            files->left_out, files->first_left_out);
    return 0;
}

void files_free(struct files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free((void *)files->items[i].path);
        free((void *)files->items[i].data);
    }
    free(files->items);
    free(files->first_left_out);
    *files = (struct files){0};
}
