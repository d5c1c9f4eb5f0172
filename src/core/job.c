/* Checks a job and makes ready what the child needs of it. Knows nothing of how it is run. See
 * job.h. */
#include "job.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "embedded.h"
#include "error.h"
#include "limit.h"
#include "path.h"
#include "source_coding.h"
#include "utf8.h"
#include "util.h"

/* Of the 3/4 of the stack's 8 MiB that the kernel takes of all strings together, this leaves room.
 */
#define STRINGS_MAX (2 * 1024 * 1024)
#define FILES_MAX 10000

static const char *name_of(const struct sb_job *job)
{
    return job->name != NULL ? job->name : "main.py";
}

/* "-c", "-" and "<string>" are no files, as with python3 itself; nor is a module's code. */
static const char *file_name(const struct sb_job *job)
{
    const char *name = name_of(job);
    if (job->module != NULL || strcmp(name, "-") == 0 || strcmp(name, "-c") == 0 || name[0] == '<')
        return NULL;
    const char *slash = strrchr(name, '/');
    return slash != NULL ? slash + 1 : name;
}

static int check_code(const struct sb_job *job, const struct sb_limits *limits,
                      struct sb_error *err)
{
    const char *nul = job->code_size ? memchr(job->code, '\0', job->code_size) : NULL;
    if (nul != NULL) /* CPython 3.11 would cut the source there and run the part before it */
        return sb_fail_field(err, "job", "code", "the code has a NUL byte at offset %zu; remove it",
                             (size_t)(nul - (const char *)job->code));
    int64_t characters = utf8_count(job->code, job->code_size);
    if (characters < 0 && !job->code_encoded)
        return sb_fail_field(err, "job", "code", "the code is not valid UTF-8; save it as UTF-8");
    if (characters < 0)
        characters = (int64_t)job->code_size;
    int64_t most = limits->value[SB_CODE_CHARS];
    if (characters > most)
        return sb_fail_field(err, "job", "code",
                             "the code has %" PRId64 " characters; code_chars allows %" PRId64,
                             characters, most);
    return 0;
}

static int check_strings(const char *const *strings, const char *field, struct sb_error *err)
{
    size_t total = 0;
    for (size_t i = 0; strings != NULL && strings[i] != NULL; i++) {
        size_t length = strlen(strings[i]);
        total += length + sizeof(char *);
        if (length > JOB_STRING_MAX || total > STRINGS_MAX)
            return sb_fail_field(err, "job", field,
                                 "%s is too long: at most %d bytes each and %d in all; pass more "
                                 "on stdin or in a file",
                                 field, JOB_STRING_MAX, STRINGS_MAX);
    }
    return 0;
}

/* What wants a name in /work: the script, or one of the files. */
struct wanted {
    const char *path;  /* in its one spelling */
    const char *given; /* as the caller wrote it */
    bool script;
};

/* A slash before every other character: what is below a path comes right behind it. */
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

/* The second is the same as the first, or below it. */
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

/* The script and the files all want a name of their own in /work, and none is a directory. */
static int check_names(const struct wanted *wanted, size_t count, struct sb_error *err)
{
    for (size_t i = 1; i < count; i++)
        if (strcmp(wanted[i - 1].path, wanted[i].path) == 0 ||
            is_below(wanted[i].path, wanted[i - 1].path))
            return refuse_pair(&wanted[i - 1], &wanted[i], err);
    return 0;
}

/* Room for the paths of all files, each with its NUL. */
static size_t paths_size(const struct sb_job *job)
{
    size_t size = 0;
    for (size_t i = 0; i < job->files_count; i++)
        size += strlen(job->files[i].path) + 1;
    return size;
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

static int check_files(const struct sb_job *job, struct sb_error *err)
{
    if (job->files_count == 0)
        return 0;
    if (job->files_count > FILES_MAX)
        return sb_fail_field(err, "job", "files", "%zu files; at most %d are allowed",
                             job->files_count, FILES_MAX);
    _cleanup_free_ char *paths = malloc(paths_size(job));
    _cleanup_free_ struct wanted *wanted = calloc(job->files_count + 1, sizeof(*wanted));
    if (paths == NULL || wanted == NULL)
        return sb_fail(err, "job", ENOMEM, "no memory for the job's files");
    if (read_paths(wanted, paths, job, err) < 0)
        return -1;
    size_t count = job->files_count;
    const char *script = file_name(job);
    if (script != NULL)
        wanted[count++] = (struct wanted){script, script, true};
    qsort(wanted, count, sizeof(*wanted), by_path);
    return check_names(wanted, count, err);
}

/* A file name that is no path. */
static bool is_file_name(const char *name)
{
    char normal[PATH_PART_BYTES_MAX + 1];
    return strlen(name) <= PATH_PART_BYTES_MAX && path_normalise(normal, name) == PATH_FINE;
}

int job_check(const struct sb_job *job, const struct sb_limits *limits, struct sb_error *err)
{
    const char *file = file_name(job);
    if (name_of(job)[0] == '\0' || (file != NULL && !is_file_name(file)))
        return sb_fail_field(err, "job", "name", "'%.100s' is not the name of a file",
                             name_of(job));
    if (job_check_call(job, err) < 0)
        return -1;
    for (size_t i = 0; job->env != NULL && job->env[i] != NULL; i++)
        if (job->env[i][0] == '=' || strchr(job->env[i], '=') == NULL)
            return sb_fail_field(err, "job", "env", "'%.100s' is not of the form NAME=value",
                                 job->env[i]);
    if (check_strings(job->args, "args", err) < 0 || check_strings(job->env, "env", err) < 0)
        return -1;
    return check_code(job, limits, err) < 0 ? -1 : check_files(job, err);
}

static bool same_name(const char *a, const char *b)
{
    size_t length = strcspn(a, "=");
    return strncmp(a, b, length) == 0 && b[length] == '=';
}

/* The policy's environment, and the job's on top of it. */
static char **environment(const struct sb_job *job)
{
    const char *const *base = (const char *const *)job->policy->environment;
    size_t base_count = strings_count(base), own_count = strings_count(job->env);
    char **envp = calloc(base_count + own_count + 1, sizeof(*envp));
    if (envp == NULL)
        return NULL;
    size_t n = 0;
    for (size_t i = 0; i < base_count + own_count; i++) {
        char *entry = (char *)(i < base_count ? base[i] : job->env[i - base_count]);
        size_t at = 0;
        while (at < n && !same_name(entry, envp[at]))
            at++;
        envp[at] = entry;
        n = at == n ? n + 1 : n;
    }
    return envp;
}

/* Text is Unicode, whatever it declares: the source file that is made of it is in UTF-8, and says
 * so. `file` is changed where need be. */
static int declare_utf8(struct prepared *prepared, struct sb_file *file, struct sb_error *err)
{
    static const char utf8[] = "utf-8";
    const size_t length = sizeof(utf8) - 1;
    const char *source = file->data;
    struct source_coding coding = source_coding_find(source, file->size);
    if (source_coding_is_utf8(source, coding))
        return 0;
    size_t after = coding.offset + coding.size;
    char *copy = malloc(file->size - coding.size + length);
    if (copy == NULL)
        return sb_fail(err, "job", ENOMEM, "no memory for the job's code");
    prepared->copies[prepared->copies_count++] = copy;
    memcpy(copy, source, coding.offset);
    memcpy(copy + coding.offset, utf8, length);
    memcpy(copy + coding.offset + length, source + after, file->size - after);
    file->data = copy;
    file->size += length - coding.size;
    return 0;
}

static bool is_source(const char *path)
{
    static const char suffix[] = ".py";
    size_t length = strlen(path), tail = sizeof(suffix) - 1;
    return length >= tail && strcmp(path + length - tail, suffix) == 0;
}

/* The script, where it has a file or a descriptor of its own, and the files that come with it. */
static int prepare_files(struct inside *in, struct prepared *prepared, const struct sb_job *job,
                         struct sb_error *err)
{
    struct sb_file script = {file_name(job), job->code, job->code_size, !job->code_encoded};
    if (script.text && declare_utf8(prepared, &script, err) < 0)
        return -1;
    if (script.path != NULL) {
        snprintf(prepared->source, sizeof(prepared->source), "/work/%s", script.path);
        prepared->files[in->files_count++] = script;
    } else {
        snprintf(prepared->source, sizeof(prepared->source), "%d", CODE_FD);
        in->code = script.size > 0 ? script.data : "";
        in->code_size = script.size;
    }
    char *path = prepared->paths;
    for (size_t i = 0; i < job->files_count; i++) {
        struct sb_file *file = &prepared->files[in->files_count++];
        *file = job->files[i];
        path_normalise(path, file->path); /* job_check took it */
        file->path = path;
        path += strlen(path) + 1;
        if (file->text && is_source(file->path) && declare_utf8(prepared, file, err) < 0)
            return -1;
    }
    return 0;
}

int job_prepare(struct inside *in, struct prepared *prepared, const struct sb_job *job,
                const struct rootfs *rootfs, struct sb_error *err)
{
    size_t args = strings_count(job->args);
    *prepared = (struct prepared){
        .argv = calloc(args + JOB_ARGV_FIXED + 1, sizeof(char *)),
        .envp = environment(job),
        .files = calloc(job->files_count + 1, sizeof(struct sb_file)),
        .copies = calloc(job->files_count + 1, sizeof(char *)),
        .paths = malloc(paths_size(job) + 1),
    };
    if (prepared->argv == NULL || prepared->envp == NULL || prepared->files == NULL ||
        prepared->copies == NULL || prepared->paths == NULL)
        return sb_fail(err, "job", ENOMEM, "no memory for the job");
    if (prepare_files(in, prepared, job, err) < 0)
        return -1;
    const char *fixed[JOB_ARGV_FIXED] = {
        rootfs->python,
        ROOTFS_RUNNER,
        output_buffering_names[job->policy->output_buffering],
        job->module ? "-m" : name_of(job),
        job->module ? job->module : prepared->source,
        job->call ? job->call : "",
    };
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
        prepared->argv[i] = (char *)fixed[i];
    for (size_t i = 0; i < args; i++)
        prepared->argv[ARRAY_LEN(fixed) + i] = (char *)job->args[i];
    in->argv = prepared->argv;
    in->envp = prepared->envp;
    in->library = embedded_steps_so;
    in->library_size = embedded_steps_so_size;
    in->files = prepared->files;
    return 0;
}

void job_release(struct prepared *prepared)
{
    free(prepared->argv);
    free(prepared->envp);
    free(prepared->files);
    for (size_t i = 0; i < prepared->copies_count; i++)
        free(prepared->copies[i]);
    free(prepared->copies);
    free(prepared->paths);
}
