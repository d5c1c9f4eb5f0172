/* Checks a job, and prepares what the child needs of it. Does not know how the job is run. See
 * job.h. */
#include "core/job.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "common/error.h"
#include "common/path.h"
#include "common/source_coding.h"
#include "common/utf8.h"
#include "common/util.h"
#include "core/collect.h"
#include "policy/limit.h"
#include "zygote/embedded.h"

/* Our own part of what execve(2) takes in all: the path of python, twice, the runner's and the
 * script's. */
#define OWN_STRINGS 2048

static const char *name_of(const struct sb_job *job)
{
    return job->name != NULL ? job->name : "main.py";
}

/* The name of the script's file; NULL: it has none. "-c", "-" and "<string>" are not files, as with
 * python3 itself, and a module's code is not in this file. */
static const char *file_name(const struct sb_job *job)
{
    const char *name = name_of(job);
    if (job->module != NULL || strcmp(name, "-") == 0 || strcmp(name, "-c") == 0 || name[0] == '<')
        return NULL;
    const char *slash = strrchr(name, '/');
    return slash != NULL ? slash + 1 : name;
}

static struct sb_file script_of(const struct sb_job *job)
{
    return (struct sb_file){file_name(job), job->code, job->code_size, !job->code_encoded};
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

/* ── The environment ───────────────────────────────────────────────────────────────────────── */

struct variable {
    char *entry;  /* NULL: replaced by one of the same name */
    size_t index; /* its place in the order in which they were given */
};

static int compare_names(const char *a, const char *b)
{
    size_t length = strcspn(a, "="), other = strcspn(b, "=");
    int order = strncmp(a, b, length < other ? length : other);
    return order != 0 ? order : (length > other) - (length < other);
}

static int by_name(const void *left, const void *right)
{
    const struct variable *a = left, *b = right;
    int order = compare_names(a->entry, b->entry);
    return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

static int by_index(const void *left, const void *right)
{
    const struct variable *a = left, *b = right;
    return (a->index > b->index) - (a->index < b->index);
}

/* Where a name is given several times, its last entry goes to the place of its first. */
static void replace(struct variable *variables, size_t count)
{
    qsort(variables, count, sizeof(*variables), by_name);
    for (size_t i = 1; i < count; i++) {
        if (compare_names(variables[i - 1].entry, variables[i].entry) != 0)
            continue;
        variables[i].index = variables[i - 1].index;
        variables[i - 1].index = SIZE_MAX;
    }
    qsort(variables, count, sizeof(*variables), by_index);
}

/* The policy's environment, with the job's variables added or replaced. The caller frees it. */
static char **environment(const struct sb_job *job)
{
    const char *const *base = (const char *const *)job->policy->environment;
    size_t base_count = strings_count(base), count = base_count + strings_count(job->env);
    _cleanup_free_ struct variable *variables = calloc(count + 1, sizeof(*variables));
    char **envp = calloc(count + 1, sizeof(*envp));
    if (variables == NULL || envp == NULL) {
        free(envp);
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        variables[i] =
            (struct variable){(char *)(i < base_count ? base[i] : job->env[i - base_count]), i};
    if (count > base_count)
        replace(variables, count);
    for (size_t i = 0; i < count && variables[i].index != SIZE_MAX; i++)
        envp[i] = variables[i].entry;
    return envp;
}

/* ── Checks ────────────────────────────────────────────────────────────────────────────────── */

static int check_length(const char *text, const char *field, const char *what, struct sb_error *err)
{
    if (strlen(text) <= JOB_STRING_MAX)
        return 0;
    return sb_fail_field(err, "job", field,
                         "%s is too long: at most %d bytes are allowed; pass more on stdin or in a "
                         "file",
                         what, JOB_STRING_MAX);
}

static int check_lengths(const char *const *strings, const char *field, const char *what,
                         struct sb_error *err)
{
    for (size_t i = 0; strings != NULL && strings[i] != NULL; i++)
        if (check_length(strings[i], field, what, err) < 0)
            return -1;
    return 0;
}

/* The bytes that execve(2) counts: each string with its NUL, and the pointer to it. */
static size_t weight(const char *const *strings)
{
    size_t bytes = 0;
    for (size_t i = 0; strings != NULL && strings[i] != NULL; i++)
        bytes += strlen(strings[i]) + 1 + sizeof(char *);
    return bytes;
}

/* execve(2) takes a quarter of the stack's limit, but never less than 128 KiB. Root raises our
 * limit if it is lower (rlimits.h). */
static size_t weight_max(void)
{
    struct rlimit stack;
    rlim_t limit = STACK_BYTES;
    if (geteuid() != 0 && getrlimit(RLIMIT_STACK, &stack) == 0 && stack.rlim_max < limit)
        limit = stack.rlim_max;
    return (limit / 4 > 128 * 1024 ? limit / 4 : 128 * 1024) - OWN_STRINGS;
}

static int check_strings(const struct sb_job *job, struct sb_error *err)
{
    const char *call = job->call != NULL ? job->call : "";
    const char *module = job->module != NULL ? job->module : "";
    if (check_length(name_of(job), "name", "name", err) < 0 ||
        check_length(call, "call", "call", err) < 0 ||
        check_length(module, "module", "module", err) < 0 ||
        check_lengths(job->args, "args", "one of args", err) < 0 ||
        check_lengths(job->env, "env", "one of env with its name", err) < 0)
        return -1;
    _cleanup_free_ char **envp = environment(job);
    if (envp == NULL)
        return sb_fail(err, "job", ENOMEM, "out of memory (the job)");
    size_t args = weight(job->args) + strlen(name_of(job)) + strlen(call) + strlen(module);
    size_t env = weight((const char *const *)envp), most = weight_max();
    if (args + env <= most)
        return 0;
    return sb_fail_field(err, "job", job->env != NULL && env > args ? "env" : "args",
                         "args and env are too long: with the policy's environment, and 9 bytes "
                         "for each beside its own, they take %zu bytes; at most %zu are allowed; "
                         "pass more on stdin or in a file",
                         args + env, most);
}

static int check_env(const struct sb_job *job, struct sb_error *err)
{
    for (size_t i = 0; job->env != NULL && job->env[i] != NULL; i++)
        if (job->env[i][0] == '=' || strchr(job->env[i], '=') == NULL)
            return sb_fail_field(
                err, "job", "env",
                "'%.100s' in env is not of the form NAME=value: give it a name and '='",
                job->env[i]);
    return 0;
}

/* Whether this is a file's name, not a path. */
static bool is_file_name(const char *name)
{
    char normal[PATH_PART_BYTES_MAX + 1];
    return strlen(name) <= PATH_PART_BYTES_MAX && path_normalise(normal, name) == PATH_FINE;
}

/* A NULL pointer with a size. */
static bool has_nothing(const void *data, size_t size)
{
    return data == NULL && size > 0;
}

static int check_pointers(const struct sb_job *job, struct sb_error *err)
{
    if (has_nothing(job->code, job->code_size))
        return sb_fail_field(err, "job", "code",
                             "code is NULL, and code_size is not 0: give both, or neither");
    if (has_nothing(job->stdin_data, job->stdin_size))
        return sb_fail_field(err, "job", "stdin",
                             "stdin_data is NULL, and stdin_size is not 0: give both, or neither");
    if (job->stdin_from_fd && job->stdin_fd < 0)
        return sb_fail_field(
            err, "job", "stdin",
            "stdin_fd is %d: give an open descriptor, or leave stdin_from_fd false", job->stdin_fd);
    if (has_nothing(job->files, job->files_count))
        return sb_fail_field(err, "job", "files",
                             "files is NULL, and files_count is not 0: give both, or neither");
    for (size_t i = 0; i < job->files_count; i++)
        if (job->files[i].path == NULL || has_nothing(job->files[i].data, job->files[i].size))
            return sb_fail_field(err, "job", "files",
                                 "file %zu has no path, or a size without data: give both", i);
    return 0;
}

int job_check(const struct sb_job *job, const struct sb_limits *limits, struct sb_error *err)
{
    if (check_pointers(job, err) < 0)
        return -1;
    const char *file = file_name(job);
    if (name_of(job)[0] == '\0' || (file != NULL && !is_file_name(file)))
        return sb_fail_field(err, "job", "name",
                             "'%.100s' is not the name of a file: give a path whose last part has "
                             "1 to %d bytes",
                             name_of(job), PATH_PART_BYTES_MAX);
    if (job_check_call(job, err) < 0 || check_env(job, err) < 0 || check_strings(job, err) < 0 ||
        check_code(job, limits, err) < 0 || collect_check(job, err) < 0)
        return -1;
    const struct sb_file script = script_of(job);
    return job_check_files(job, script.path != NULL ? &script : NULL, limits, err);
}

/* ── Made ready ────────────────────────────────────────────────────────────────────────────── */

static const char utf8_name[] = "utf-8";

/* Where a source declares an encoding other than UTF-8; size 0: it does not. */
static struct source_coding other_coding(const struct sb_file *file)
{
    struct source_coding coding = source_coding_find(file->data, file->size);
    if (source_coding_is_utf8(file->data, coding))
        coding.size = 0;
    return coding;
}

/* A job's text is Unicode, whatever encoding it declares. The source file made from it is in UTF-8,
 * and is made to declare UTF-8. `file` is changed if need be. */
static int declare_utf8(struct prepared *prepared, struct sb_file *file, struct sb_error *err)
{
    const size_t length = sizeof(utf8_name) - 1;
    const char *source = file->data;
    struct source_coding coding = other_coding(file);
    if (coding.size == 0)
        return 0;
    size_t after = coding.offset + coding.size;
    char *copy = malloc(file->size - coding.size + length);
    if (copy == NULL)
        return sb_fail(err, "job", ENOMEM, "out of memory (the job's code)");
    prepared->copies[prepared->copies_count++] = copy;
    memcpy(copy, source, coding.offset);
    memcpy(copy + coding.offset, utf8_name, length);
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

size_t job_file_size(const struct sb_file *file, bool source)
{
    if (!file->text || (!source && !is_source(file->path)))
        return file->size;
    struct source_coding coding = other_coding(file);
    return coding.size == 0 ? file->size : file->size + sizeof(utf8_name) - 1 - coding.size;
}

size_t job_paths_size(const struct sb_job *job)
{
    size_t size = 0;
    for (size_t i = 0; i < job->files_count; i++)
        size += strlen(job->files[i].path) + 1;
    return size;
}

/* Prepares the script, in a file or on a descriptor of its own, and the files that come with it. */
static int prepare_files(struct inside *in, struct prepared *prepared, const struct sb_job *job,
                         struct sb_error *err)
{
    struct sb_file script = script_of(job);
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
        path_normalise(path, file->path); /* job_check has accepted it */
        file->path = path;
        path += strlen(path) + 1;
        if (file->text && is_source(file->path) && declare_utf8(prepared, file, err) < 0)
            return -1;
    }
    return 0;
}

/* What runner.py is told of a notebook cell, and of the function to call. A cell whose displays are
 * handed over as they come waits at each until we have read it and the output before it: so they
 * come in the order that the cell made them in. NULL: out of memory. */
static char *cell_of(const struct sb_job *job)
{
    char *cell;
    int size = asprintf(&cell, "%%%s%s\n%s", figures_names[job->policy->figures],
                        job->on_display != NULL ? " live" : "", job->call != NULL ? job->call : "");
    return size < 0 ? NULL : cell;
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
        .paths = malloc(job_paths_size(job) + 1),
        .cell = job->notebook ? cell_of(job) : NULL,
    };
    if (prepared->argv == NULL || prepared->envp == NULL || prepared->files == NULL ||
        prepared->copies == NULL || prepared->paths == NULL ||
        (job->notebook && prepared->cell == NULL))
        return sb_fail(err, "job", ENOMEM, "out of memory (the job)");
    if (prepare_files(in, prepared, job, err) < 0)
        return -1;
    const char *fixed[JOB_ARGV_FIXED] = {
        rootfs->python,
        ROOTFS_RUNNER,
        output_buffering_names[job->policy->output_buffering],
        job->module ? "-m" : name_of(job),
        job->module ? job->module : prepared->source,
        job->notebook ? prepared->cell
        : job->call   ? job->call
                      : "",
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
    free(prepared->cell);
}
