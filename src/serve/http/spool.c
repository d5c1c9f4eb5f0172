/* See spool.h. */
#include "serve/http/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>

#include "common/error.h"
#include "common/util.h"

/* Not every file system has O_TMPFILE. */
static int open_named(const char *directory)
{
    char path[4096];
    int size = snprintf(path, sizeof(path), "%s/sandbox-serve-XXXXXX", directory);
    if (size >= (int)sizeof(path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

static int open_in(const char *directory)
{
    int fd = open(directory, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    return fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR) ? fd : open_named(directory);
}

int spool_open(const struct spool *spool)
{
    return spool->directory != NULL ? open_in(spool->directory)
                                    : memfd_create("sandbox-serve body", MFD_CLOEXEC);
}

bool spool_write(int file, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t written = write(file, data, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        data += written;
        size -= (size_t)written;
    }
    return true;
}

/* Whether files can be made in a directory. */
static bool try_directory(struct spool *spool, const char *directory)
{
    struct statfs status;
    _cleanup_close_ int fd = open_in(directory);
    if (fd < 0 || fstatfs(fd, &status) < 0)
        return false;
    spool->directory = directory;
    spool->in_memory = status.f_type == TMPFS_MAGIC || status.f_type == RAMFS_MAGIC;
    return true;
}

int spool_find(struct spool *spool, const char *directory, struct sb_error *err)
{
    const char *candidates[] = {getenv("TMPDIR"), "/var/tmp", "/tmp"};
    *spool = (struct spool){.in_memory = true};
    if (directory != NULL)
        return try_directory(spool, directory)
                   ? 0
                   : sb_fail_field(err, "http", "upload-dir",
                                   "can't make files in --upload-dir %.200s (%s): give a directory "
                                   "that the service may write to",
                                   directory, strerror(errno));
    for (size_t i = 0; i < ARRAY_LEN(candidates); i++)
        if (candidates[i] != NULL && candidates[i][0] == '/' && try_directory(spool, candidates[i]))
            break;
    return 0;
}
