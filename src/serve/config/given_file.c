/* Opening what an administrator has named. The unit runs as a user of its own, who often can't read
 * what root has made: the error says whether a file is missing or not readable. */
#include "serve/config/given_file.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/error.h"
#include "common/util.h"

enum { NAME_SIZE = 64 };

static void user_name(char name[static NAME_SIZE])
{
    const struct passwd *user = getpwuid(geteuid());
    if (user != NULL)
        snprintf(name, NAME_SIZE, "%s", user->pw_name);
    else
        snprintf(name, NAME_SIZE, "%u", (unsigned)geteuid());
}

static void group_name(char name[static NAME_SIZE])
{
    const struct group *group = getgrgid(getegid());
    if (group != NULL)
        snprintf(name, NAME_SIZE, "%s", group->gr_name);
    else
        snprintf(name, NAME_SIZE, "%u", (unsigned)getegid());
}

/* The first directory on the way that we may not enter: one of the path, or of a link's target.
 */
static void closed_directory(const char *path, char directory[static PATH_MAX])
{
    for (const char *end = strchr(path + 1, '/'); end != NULL; end = strchr(end + 1, '/')) {
        snprintf(directory, PATH_MAX, "%.*s", (int)(end - path), path);
        if (faccessat(AT_FDCWD, directory, X_OK, AT_EACCESS) < 0)
            return;
    }
    snprintf(directory, PATH_MAX, "a directory that it links to");
}

/* Either a directory on the way is closed to us, or the file itself. */
static int fail_closed(const struct given_file *file, struct sb_error *err)
{
    char user[NAME_SIZE], group[NAME_SIZE], directory[PATH_MAX];
    const char *path = file->path;
    _cleanup_close_ int reached = open(path, O_PATH | O_CLOEXEC);
    user_name(user);
    group_name(group);
    if (reached >= 0)
        return sb_fail_field(err, file->step, file->field,
                             "user %s may not read %s: chgrp %s %.100s && chmod 640 %.100s", user,
                             file->what, group, path, path);
    closed_directory(path, directory);
    return sb_fail_field(err, file->step, file->field,
                         "user %s may not read %s, %.100s, as it has no access to %.100s: put it "
                         "where this user may read it, such as /etc/sandbox-run",
                         user, file->what, path, directory);
}

int given_file_fail(const struct given_file *file, int errnum, struct sb_error *err)
{
    if (errnum == EACCES)
        fail_closed(file, err);
    else if (errnum == ENOENT || errnum == ENOTDIR)
        sb_fail_field(err, file->step, file->field, "%s %.200s is not there: %s", file->what,
                      file->path, file->make != NULL ? file->make : "name one that is");
    else
        sb_fail_field(err, file->step, file->field, "%s %.200s can't be read: %s", file->what,
                      file->path, strerror(errnum));
    if (err != NULL)
        err->errnum = errnum;
    return -1;
}

int given_file_open(const struct given_file *file, struct sb_error *err)
{
    _cleanup_close_ int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) < 0)
        return given_file_fail(file, errno, err);
    if (!S_ISREG(status.st_mode))
        return sb_fail_field(err, file->step, file->field, "%.200s is not a file: name %s",
                             file->path, file->what);
    return steal_fd(&fd);
}
