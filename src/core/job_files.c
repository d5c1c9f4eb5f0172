/* Checks the files that a job brings: each can have its name, and there is room for all. Counts
 * what tmp.c makes of them, so that an admitted job does not fail on its own tmpfs. */
#include "core/job.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/error.h"
#include "common/path.h"
#include "common/util.h"
#include "policy/limit.h"

#define FILES_MAX 10000

/* A file that gets a name in /work: the script, or one of the job's files. */
struct wanted {
    const char *path;  /* normalised */
    const char *given; /* as the caller wrote it */
    bool script;
};

/* Sorts a slash before every other character, so that the paths below a path follow it directly. */
static int by_path(const void *left, const void *right)
{
    const char *a = ((const struct wanted *)left)->path, *b = ((const struct wanted *)right)->path;
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    int first = *a == '/' ? 0 : (unsigned char)*a, second = *b == '/' ? 0 : (unsigned char)*b;
    return *a == '\0' || *b == '\0' ? (*a != '\0') - (*b != '\0') : first - second;
}

static bool is_below(const char *path, const char *directory)
{
    size_t length = strlen(directory);
    return strncmp(path, directory, length) == 0 && path[length] == '/';
}

/* Refuses two paths of which the second is the same as the first, or below it. */
static int refuse_pair(const struct wanted *first, const struct wanted *second,
                       struct sb_error *err)
{
    char one[PATH_SHOWN_BYTES], two[PATH_SHOWN_BYTES], both[PATH_SHOWN_BYTES];
    path_show(one, first->given);
    path_show(two, second->given);
    path_show(both, second->path);
    if (strcmp(first->path, second->path) != 0)
        return sb_fail_field(err, "job", "files",
                             "'%s' can't be below '%s', which is a file; rename one", two, one);
    if (first->script || second->script)
        return sb_fail_field(err, "job", "files",
                             "the file '%s' has the name of the script, '%s'; rename one",
                             first->script ? two : one, both);
    if (strcmp(first->given, second->given) == 0)
        return sb_fail_field(err, "job", "files", "two files have the name '%s'; rename one", two);
    return sb_fail_field(err, "job", "files", "'%s' and '%s' are the same file, '%s'; rename one",
                         one, two, both);
}

/* The script and the files need names of their own in /work, and none may be a directory of
 * another. */
static int check_names(const struct wanted *wanted, size_t count, struct sb_error *err)
{
    for (size_t i = 1; i < count; i++)
        if (strcmp(wanted[i - 1].path, wanted[i].path) == 0 ||
            is_below(wanted[i].path, wanted[i - 1].path))
            return refuse_pair(&wanted[i - 1], &wanted[i], err);
    return 0;
}

static int read_paths(struct wanted *wanted, char *paths, const struct sb_job *job,
                      struct sb_error *err)
{
    for (size_t i = 0; i < job->files_count; i++) {
        const char *given = job->files[i].path;
        enum path_fault fault = path_normalise(paths, given);
        char shown[PATH_SHOWN_BYTES];
        if (fault != PATH_FINE) {
            path_show(shown, given);
            return sb_fail_field(err, "job", "files", "the file name '%s' %s", shown,
                                 path_fault_text(fault));
        }
        wanted[i] = (struct wanted){paths, given, false};
        paths += strlen(paths) + 1;
    }
    return 0;
}

/* The number of directories of a path that the path before it, in by_path's order, does not
 * have. */
static size_t new_directories(const char *path, const char *before)
{
    size_t common = 0, count = 0;
    for (size_t i = 0; path[i] != '\0' && path[i] == before[i]; i++)
        if (path[i] == '/')
            common = i + 1;
    for (const char *at = path + common; (at = strchr(at, '/')) != NULL; at++)
        count++;
    return count;
}

/* Each file needs an inode, and so does each directory of its path. */
static int check_inodes(const struct wanted *wanted, size_t count, const struct sb_limits *limits,
                        struct sb_error *err)
{
    int64_t inodes = (int64_t)count, most = limits->value[SB_TMP_FILES];
    for (size_t i = 0; i < count; i++)
        inodes += (int64_t)new_directories(wanted[i].path, i > 0 ? wanted[i - 1].path : "");
    if (inodes <= most)
        return 0;
    return sb_fail_field(err, "job", "files",
                         "the files are too many: %" PRId64 " with the script's own and all "
                         "directories; tmp_files allows %" PRId64
                         ": send fewer, or raise tmp_files",
                         inodes, most);
}

/* tmpfs(5) allocates whole pages. */
static int check_bytes(const struct sb_job *job, const struct sb_file *script,
                       const struct sb_limits *limits, struct sb_error *err)
{
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    const uint64_t most = (uint64_t)limits->value[SB_TMP_BYTES];
    uint64_t pages = script != NULL ? (job_file_size(script, true) + page - 1) / page : 0;
    for (size_t i = 0; i < job->files_count; i++)
        pages += (job_file_size(&job->files[i], false) + page - 1) / page;
    if (pages <= (most + page - 1) / page)
        return 0;
    char text[LIMIT_TEXT_SIZE];
    const char *what = job->files_count == 0 ? "the code takes"
                       : script == NULL      ? "the files take"
                                             : "the files and the script take";
    return sb_fail_field(err, "job", job->files_count > 0 ? "files" : "code",
                         "%s %" PRIu64 " bytes, of each whole pages; tmp_bytes allows %s: send "
                         "less, or raise tmp_bytes",
                         what, pages * page,
                         limit_text(text, SB_TMP_BYTES, limits->value[SB_TMP_BYTES]));
}

int job_check_files(const struct sb_job *job, const struct sb_file *script,
                    const struct sb_limits *limits, struct sb_error *err)
{
    if (check_bytes(job, script, limits, err) < 0)
        return -1;
    if (job->files_count == 0)
        return 0; /* each tmpfs has room for the script */
    if (job->files_count > FILES_MAX)
        return sb_fail_field(err, "job", "files", "%zu files; at most %d are allowed: send fewer",
                             job->files_count, FILES_MAX);
    _cleanup_free_ char *paths = malloc(job_paths_size(job));
    _cleanup_free_ struct wanted *wanted = calloc(job->files_count + 1, sizeof(*wanted));
    if (paths == NULL || wanted == NULL)
        return sb_fail(err, "job", ENOMEM, "out of memory (the job's files)");
    if (read_paths(wanted, paths, job, err) < 0)
        return -1;
    size_t count = job->files_count;
    if (script != NULL)
        wanted[count++] = (struct wanted){script->path, script->path, true};
    qsort(wanted, count, sizeof(*wanted), by_path);
    return check_names(wanted, count, err) < 0 ? -1 : check_inodes(wanted, count, limits, err);
}
