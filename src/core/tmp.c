/* What can be written: one tmpfs with one limit on size and inodes, whose directories stand at
 * /tmp, /work and /dev/shm. Its pages count towards the job's memory. It is mounted at tmp/ while
 * it is being filled; tmp_place then covers it with its own directory tmp/tmp. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inside.h"
#include "mount.h"
#include "util.h"

/* Inodes that are ours: the directories here. */
#define OWN_INODES 4
/* What most jobs' script is called: made before the job comes. */
#define MAIN "main.py"

int tmp_mount(struct inside *in)
{
    char options[128];
    snprintf(options, sizeof(options), "size=%lld,nr_inodes=%lld,mode=0755",
             (long long)in->limits->value[SB_TMP_BYTES],
             (long long)in->limits->value[SB_TMP_FILES] + OWN_INODES);
    if (mount("tmpfs", "tmp", "tmpfs", MS_NOSUID | MS_NODEV, options) < 0)
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
        if (mkdir(directories[i].path, 0755) < 0 ||
            chmod(directories[i].path, directories[i].mode) < 0)
            return -1;
    return 0;
}

static int create(int work, const char *path)
{
    return openat(work, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
}

/* Makes one file below the directory `work`, with the directories on its way. Its path was checked
 * by job.c. */
static int create_below(int work, const char *name)
{
    char path[PATH_MAX];
    size_t length = strlen(name);
    if (length >= sizeof(path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(path, name, length + 1);
    for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdirat(work, path, 0755) < 0 && errno != EEXIST)
            return -1;
        *slash = '/';
    }
    return create(work, path);
}

static int drop_main(struct inside *in)
{
    if (in->main < 0)
        return 0;
    close_fd(&in->main);
    return unlinkat(in->work, MAIN, 0);
}

/* The script comes first. */
int tmp_write_file(struct inside *in, const struct sb_file *file)
{
    bool made = in->main >= 0 && strcmp(file->path, MAIN) == 0;
    if (!made && drop_main(in) < 0)
        return -1;
    _cleanup_close_ int fd = made ? steal_fd(&in->main) : create_below(in->work, file->path);
    if (fd < 0)
        return -1;
    for (size_t done = 0; done < file->size;) {
        ssize_t n = write(fd, (const char *)file->data + done, file->size - done);
        if (n < 0)
            return -1;
        done += (size_t)n;
    }
    return 0;
}

/* The descriptor's mount stays writable, whatever becomes of /work: a warm start keeps it until its
 * job has come. */
int tmp_open_work(struct inside *in)
{
    in->work = open("tmp/work", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return in->work < 0 ? -1 : 0;
}

int tmp_write_files(struct inside *in)
{
    if (is_warm(in)) {
        in->main = create(in->work, MAIN); /* one that can't be made is made, or fails, in time */
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
    close_fd(&in->work);
    return 0;
}

int tmp_place(struct inside *in)
{
    /* tmp/tmp last: it covers the others' source. */
    static const char *const places[][2] = {
        {"tmp/shm", "dev/shm"}, {"tmp/work", "work"}, {"tmp/tmp", "tmp"}};
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        if (mount(places[i][0], places[i][1], NULL, MS_BIND, NULL) < 0)
            return -1;
        if (!in->policy->writable &&
            mount_restrict(places[i][1], MOUNT_READ_ONLY | MOUNT_NOSUID | MOUNT_NODEV) < 0)
            return -1;
    }
    return 0;
}
