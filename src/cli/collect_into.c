/* See collect_into.h. Names and contents are the script's, or a service's. Files are written only
 * below the directory: each part of a path is made or opened in the one before it, and no link is
 * followed. A file that is there already stays as it is, unless --force. */
#include "cli/collect_into.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/display.h"
#include "cli/message.h"
#include "cli/status.h"
#include "common/path.h"
#include "common/util.h"

enum { TOLD_MAX = 20, NAMES_MAX = 100 };

int collect_open(struct presenter *presenter, struct sb_error *err)
{
    const char *path = presenter->options->collect;
    if (path == NULL)
        return 0;
    if (mkdir(path, 0777) < 0 && errno != EEXIST)
        return fail(err, "collect",
                    "can't make --collect %s: %s; name a directory in one that "
                    "you may write to",
                    path, strerror(errno));
    presenter->collect = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (presenter->collect < 0 || faccessat(presenter->collect, ".", W_OK, AT_EACCESS) < 0)
        return fail(err, "collect",
                    "can't write to --collect %s: %s; name a directory that you may "
                    "write to",
                    path, strerror(errno));
    return 0;
}

const char *const *collect_globs(const struct options *options)
{
    static const char *const all[] = {"**", NULL};
    if (options->collect_globs != NULL && options->collect_globs[0] != NULL)
        return options->collect_globs;
    return options->collect != NULL ? all : NULL;
}

/* ── Writing ────────────────────────────────────────────────────────────────────────────────── */

/* `name` has one part. */
static int open_part(int directory, const char *name)
{
    return openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int create(int directory, const char *name)
{
    return openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
}

/* Makes the directories of a path. Its last part is left in *name. */
static int make_directories(int top, char *path, const char **name)
{
    _cleanup_close_ int directory = fcntl(top, F_DUPFD_CLOEXEC, 0);
    char *part = path;
    for (char *slash; directory >= 0 && (slash = strchr(part, '/')) != NULL; part = slash + 1) {
        *slash = '\0';
        if (mkdirat(directory, part, 0777) < 0 && errno != EEXIST)
            return -1;
        int next = open_part(directory, part);
        close_fd(&directory);
        directory = next;
    }
    *name = part;
    return steal_fd(&directory);
}

/* Creates a file that was not there. Without --force it gets another name, NAME.1 and so on, if
 * something has its own: the script may have run for an hour. */
static int create_new(int directory, const char *name, bool force, int *number)
{
    char other[PATH_PART_BYTES_MAX + 16];
    if (force && unlinkat(directory, name, 0) < 0 && errno != ENOENT)
        return -1;
    int fd = create(directory, name);
    for (*number = 0; fd < 0 && errno == EEXIST && ++*number < NAMES_MAX;) {
        snprintf(other, sizeof(other), "%s.%d", name, *number);
        fd = create(directory, other);
    }
    return fd;
}

static int write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, data, size);
        if (n < 0 && errno != EINTR)
            return -1;
        data += MAX(n, 0);
        size -= (size_t)MAX(n, 0);
    }
    return 0;
}

static void complain(struct presenter *presenter, const char *path, const char *what)
{
    char shown[PATH_SHOWN_BYTES];
    path_show(shown, path);
    presenter_say(presenter, "%s/%s: %s", presenter->options->collect, shown, what);
    presenter->status = STATUS_FAILED;
}

static bool is_collected(const struct sb_verdict *verdict, const char *path)
{
    for (size_t i = 0; i < verdict->files_count; i++)
        if (strcmp(verdict->files[i].path, path) == 0)
            return true;
    return false;
}

/* Whether a file of /tmp would get the name of one of /work. */
static bool is_taken(const struct sb_verdict *verdict, const char *path)
{
    return path[0] == '/' && is_collected(verdict, path + 1);
}

/* `path`: one that path_normalise has accepted; it is taken apart. */
static void write_file(struct presenter *presenter, char *path, const char *data, size_t size)
{
    char shown[PATH_BYTES_MAX + 1], told[128];
    const char *name = NULL;
    int number = 0;
    snprintf(shown, sizeof(shown), "%s", path);
    _cleanup_close_ int directory = make_directories(presenter->collect, path, &name);
    _cleanup_close_ int fd =
        directory >= 0 ? create_new(directory, name, presenter->options->force, &number) : -1;
    if (fd < 0 || write_all(fd, data, size) < 0) {
        snprintf(told, sizeof(told), "can't be written: %s", strerror(errno));
        complain(presenter, shown, told);
    } else if (number > 0) {
        snprintf(told, sizeof(told),
                 "is there already, so the new one is called %.40s.%d; --force replaces files",
                 name, number);
        complain(presenter, shown, told);
    }
}

static void write_collected(struct presenter *presenter, const struct sb_verdict *verdict,
                            const struct sb_collected *file)
{
    const char *path = file->path + (file->path[0] == '/');
    _cleanup_free_ char *normal = malloc(strlen(path) + 1);
    if (normal == NULL || path_normalise(normal, path) != PATH_FINE ||
        is_taken(verdict, file->path))
        complain(presenter, path, "can't be written: another file has this name, or none can");
    else
        write_file(presenter, normal, file->data, file->size);
}

/* Pictures among the displays of a notebook cell: figure-1.png, figure-2.svg, … A number whose name
 * a file of the script has is left out. */
static void write_figures(struct presenter *presenter, const struct sb_verdict *verdict)
{
    struct display_array array;
    const char *json;
    size_t size;
    unsigned number = 0;
    display_array_begin(&array, verdict->display);
    while ((json = display_array_next(&array, &size)) != NULL) {
        struct display_picture picture = display_picture(json, size);
        char name[32];
        if (picture.ending == NULL)
            continue;
        do
            snprintf(name, sizeof(name), "figure-%u.%s", ++number, picture.ending);
        while (is_collected(verdict, name));
        write_file(presenter, name, picture.data, picture.size);
        free(picture.data);
    }
}

static void tell_left_out(struct presenter *presenter, const struct sb_verdict *verdict)
{
    for (size_t i = 0; i < verdict->left_out_count; i++) {
        const struct sb_left_out *left_out = &verdict->left_out[i];
        char shown[PATH_SHOWN_BYTES], why[PATH_SHOWN_BYTES];
        path_show(shown, left_out->path);
        path_show(why, left_out->why);
        if (i >= TOLD_MAX && shown[0] != '\0')
            continue;
        presenter_say(presenter, "not collected: %s%s%s", shown, shown[0] != '\0' ? ": " : "", why);
    }
    if (verdict->left_out_count > TOLD_MAX)
        presenter_say(presenter, "not collected: %zu in all; --json lists up to 100",
                      verdict->left_out_count);
}

void collect_write(struct presenter *presenter, const struct sb_verdict *verdict)
{
    if (presenter->collect < 0)
        return;
    for (size_t i = 0; i < verdict->files_count; i++)
        write_collected(presenter, verdict, &verdict->files[i]);
    if (verdict->display != NULL && !presenter->options->json)
        write_figures(presenter, verdict);
    tell_left_out(presenter, verdict);
}
