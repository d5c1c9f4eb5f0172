/* The writable places: one tmpfs with one limit on size and inodes, whose directories are /tmp,
 * /work and /dev/shm. Its pages count as the job's memory. It is mounted at tmp/ while it is
 * filled; tmp_place then covers it with its own directory tmp/tmp. */
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>

#include "common/append.h"
#include "common/path.h"
#include "common/util.h"
#include "inside/calls.h"
#include "inside/inside.h"
#include "inside/mount.h"

/* Inodes that are ours: the directories here. */
#define OWN_INODES 4
/* The name of most jobs' script: the file is made before the job comes. */
#define MAIN "main.py"

int tmp_mount(struct inside *in)
{
    char options[32 + 2 * NUMBER_CHARS];
    char *end = append_text(options, "mode=0755,size=");
    end = append_number(end, (uint64_t)in->limits->value[SB_TMP_BYTES]);
    end = append_text(end, ",nr_inodes=");
    append_number(end, (uint64_t)in->limits->value[SB_TMP_FILES] + OWN_INODES);
    if (sys_mount("tmpfs", "tmp", "tmpfs", MS_NOSUID | MS_NODEV, options) < 0)
        return -1;
    static const struct {
        const char *path;
        mode_t mode;
    } directories[] = {
        {"tmp/tmp", 01777},
        {"tmp/shm", 01777},
        {"tmp/work", 0755},
    };
    for (size_t i = 0; i < ARRAY_LEN(directories); i++)
        /* chmod: the umask takes the write bits for others from mkdir's mode. */
        if (sys_mkdirat(AT_FDCWD, directories[i].path, 0755) < 0 ||
            sys_chmod(directories[i].path, directories[i].mode) < 0)
            return -1;
    return 0;
}

static int create(int work, const char *path)
{
    return sys_openat(work, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
}

static int open_directory(int directory, const char *path)
{
    return sys_openat(directory, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
}

/* How many of a path's directories exist, each of which ends at a slash; the deepest one is opened.
 * Found by binary search: the kernel walks the whole path for each call. */
static ssize_t find_deepest(int work, char *path, const uint16_t *slashes, size_t count,
                            int *deepest)
{
    size_t there = 0;
    while (there < count) {
        size_t tried = (there + count + 1) / 2;
        path[slashes[tried - 1]] = '\0';
        int fd = open_directory(work, path);
        path[slashes[tried - 1]] = '/';
        if (fd >= 0) {
            sys_close_fd(deepest);
            *deepest = fd;
            there = tried;
        } else if (errno == ENOENT) {
            count = tried - 1;
        } else {
            return -1;
        }
    }
    return (ssize_t)there;
}

/* Makes one file and the missing directories on its path, each from the one above it, so that the
 * time is linear in their number. */
static int create_below(int work, char *path)
{
    uint16_t slashes[PATH_BYTES_MAX];
    size_t count = 0;
    _cleanup_sys_close_ int directory = -1;
    for (char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/'))
        slashes[count++] = (uint16_t)(slash - path);
    ssize_t there = find_deepest(work, path, slashes, count, &directory);
    if (there < 0)
        return -1;
    const char *name = there > 0 ? path + slashes[there - 1] + 1 : path;
    for (size_t i = (size_t)there; i < count; i++) {
        int above = directory >= 0 ? directory : work;
        path[slashes[i]] = '\0';
        int made = sys_mkdirat(above, name, 0755) == 0 ? open_directory(above, name) : -1;
        if (made < 0)
            return -1;
        sys_close_fd(&directory);
        directory = made;
        name = path + slashes[i] + 1;
    }
    return create(directory >= 0 ? directory : work, name);
}

/* job.c has checked its path. Most files' directory exists. */
static int create_file(int work, const char *given)
{
    char path[PATH_BYTES_MAX + 1];
    size_t length = strlen(given);
    if (length >= sizeof(path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = create(work, given);
    if (fd >= 0 || errno != ENOENT)
        return fd;
    memcpy(path, given, length + 1);
    return create_below(work, path);
}

static int drop_main(struct inside *in)
{
    if (in->main < 0)
        return 0;
    sys_close_fd(&in->main);
    return sys_unlinkat(in->work, MAIN);
}

/* The script comes first. */
int tmp_write_file(struct inside *in, const struct sb_file *file)
{
    bool made = in->main >= 0 && strcmp(file->path, MAIN) == 0;
    if (!made && drop_main(in) < 0)
        return -1;
    _cleanup_sys_close_ int fd = made ? steal_fd(&in->main) : create_file(in->work, file->path);
    if (fd < 0)
        return -1;
    for (size_t done = 0; done < file->size;) {
        ssize_t n = sys_write(fd, (const char *)file->data + done, file->size - done);
        if (n < 0)
            return -1;
        done += (size_t)n;
    }
    return 0;
}

/* The descriptor's mount stays writable, even if /work becomes read-only: a warm start keeps it
 * until its job has come. */
int tmp_open_work(struct inside *in)
{
    in->work = sys_open("tmp/work", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return in->work < 0 ? -1 : 0;
}

int tmp_write_files(struct inside *in)
{
    if (is_warm(in)) {
        in->main = create(in->work, MAIN); /* on failure it is made when the job comes */
        return 0;
    }
    for (size_t i = 0; i < in->files_count; i++)
        if (tmp_write_file(in, &in->files[i]) < 0)
            return -1;
    return tmp_have_files(in);
}

int tmp_have_files(struct inside *in)
{
    if (drop_main(in) < 0)
        return -1;
    sys_close_fd(&in->work);
    return 0;
}

int tmp_place(struct inside *in)
{
    /* tmp/tmp last: it covers the source of the others. */
    static const char *const places[][2] = {
        {"tmp/shm", "dev/shm"}, {"tmp/work", "work"}, {"tmp/tmp", "tmp"}};
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        if (sys_mount(places[i][0], places[i][1], NULL, MS_BIND, NULL) < 0)
            return -1;
        if (!in->policy->writable &&
            mount_restrict(places[i][1], MOUNT_READ_ONLY | MOUNT_NOSUID | MOUNT_NODEV) < 0)
            return -1;
    }
    return 0;
}
