/* See warm_job.h. The message is described in protocol.h. */
#include "warm/warm_job.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "common/util.h"
#include "core/job.h"
#include "core/sources.h"
#include "core/start.h"
#include "zygote/protocol.h"

/* Variables that python or the C library read when they start: too late in a zygote's child.
 * zygote.py handles PYTHONUNBUFFERED itself. */
static bool read_at_start(const char *entry)
{
    static const char done_later[] = "PYTHONUNBUFFERED=";
    static const char *const prefixes[] = {"PYTHON", "LD_", "LC_",  "LANG",     "MALLOC_",
                                           "GLIBC_", "TZ=", "OMP_", "OPENBLAS_"};
    if (strncmp(entry, done_later, sizeof(done_later) - 1) == 0)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
        if (strncmp(entry, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

struct buffer {
    char *data; /* NULL: only the size is counted */
    size_t size;
};

static char *put(struct buffer *buffer, const void *data, size_t size)
{
    char *at = buffer->data != NULL ? buffer->data + buffer->size : NULL;
    if (at != NULL && size > 0)
        memcpy(at, data, size);
    buffer->size += size;
    return at;
}

static char *put_string(struct buffer *buffer, const char *text)
{
    return put(buffer, text, strlen(text) + 1);
}

/* The job's function to call, from the argument that names it (job_prepare). */
static const char *call_of(const char *argument, bool notebook)
{
    const char *call = notebook ? strchr(argument, '\n') + 1 : argument;
    return call[0] != '\0' ? call : NULL;
}

/* Puts the strings: python's arguments after the runner, then the environment. Returns the number
 * of arguments. */
static size_t put_strings(struct buffer *buffer, struct warm_job *copy, const struct sb_run *run,
                          const struct inside *in)
{
    size_t arguments = strings_count((const char *const *)in->argv) - 2,
           entries = strings_count((const char *const *)in->envp);
    for (size_t i = 0; i < arguments; i++) {
        char *at = put_string(buffer, in->argv[i + 2]);
        if (copy->args == NULL)
            continue;
        if (i == 1)
            copy->name = at;
        else if (i == 2)
            copy->module = strcmp(copy->name, "-m") == 0 ? at : NULL;
        else if (i == 3)
            copy->call = call_of(at, run->asked.notebook);
        else if (i > 3)
            copy->args[i - 4] = at;
    }
    for (size_t i = 0; i < entries; i++) {
        char *at = put_string(buffer, in->envp[i]);
        if (copy->env != NULL)
            copy->env[i] = at;
    }
    return arguments;
}

/* If the script has a file of its own, it is the first. */
static void put_files(struct buffer *buffer, struct warm_job *copy, const struct inside *in)
{
    bool script = in->code == NULL;
    for (size_t i = 0; i < in->files_count; i++) {
        const struct sb_file *file = &in->files[i];
        struct file_head head = {strlen(file->path) + 1, file->size};
        put(buffer, &head, sizeof(head));
        char *path = put_string(buffer, file->path);
        char *data = put(buffer, file->data, file->size);
        if (buffer->data == NULL)
            continue;
        if (script && i == 0) {
            copy->code = data;
            copy->code_size = file->size;
        } else {
            copy->files[copy->files_count++] =
                (struct sb_file){.path = path, .data = data, .size = file->size};
        }
    }
}

static void put_job(struct buffer *buffer, struct warm_job *copy, const struct sb_run *run,
                    const struct inside *in)
{
    struct job_head head = {
        .code_size = in->code != NULL ? (int64_t)in->code_size : -1,
        .open_files = run->asked.limits.value[SB_OPEN_FILES],
        .merge_stderr = run->asked.merge_stderr,
        .files = (uint32_t)in->files_count,
    };
    put(buffer, &head, sizeof(head));
    head.arguments = (uint32_t)put_strings(buffer, copy, run, in);
    head.strings_size = buffer->size - sizeof(head);
    if (in->code != NULL) {
        char *at = put(buffer, in->code, in->code_size);
        if (at != NULL) {
            copy->code = at;
            copy->code_size = in->code_size;
        }
    }
    put_files(buffer, copy, in);
    head.size = buffer->size;
    if (buffer->data != NULL)
        memcpy(buffer->data, &head, sizeof(head));
}

/* The pages of a memfd are allocated here: a write to a mapping of it could only die. */
static int make_room(struct warm_job *copy, size_t size)
{
    copy->size = size;
    if (size <= JOB_MESSAGE_MAX) {
        copy->message = malloc(size);
        return copy->message == NULL ? -1 : 0;
    }
    copy->file = memfd_create("job", MFD_CLOEXEC);
    if (copy->file < 0 || fallocate(copy->file, 0, 0, (off_t)size) < 0)
        return -1;
    void *mapping = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, copy->file, 0);
    if (mapping == MAP_FAILED)
        return -1;
    copy->message = mapping;
    return 0;
}

static struct warm_job *copy_prepared(const struct sb_run *run, const struct inside *in)
{
    struct warm_job *copy = calloc(1, sizeof(*copy));
    struct buffer buffer = {0};
    if (copy == NULL)
        return NULL;
    copy->file = -1;
    put_job(&buffer, copy, run, in);
    copy->args = calloc(strings_count((const char *const *)in->argv) + 1, sizeof(char *));
    copy->env = calloc(strings_count((const char *const *)in->envp) + 1, sizeof(char *));
    copy->files = calloc(in->files_count + 1, sizeof(struct sb_file));
    if (make_room(copy, buffer.size) < 0 || copy->args == NULL || copy->env == NULL ||
        copy->files == NULL) {
        warm_job_free(copy);
        return NULL;
    }
    buffer = (struct buffer){.data = copy->message};
    put_job(&buffer, copy, run, in);
    return copy;
}

struct warm_job *warm_job_copy(struct sb_run *run, const struct sb_job *job, unsigned may_lack)
{
    for (size_t i = 0; job->env != NULL && job->env[i] != NULL; i++)
        if (read_at_start(job->env[i]))
            return NULL;
    struct inside in = {0};
    struct prepared prepared = {0};
    struct sb_error ignored;
    struct warm_job *copy = NULL;
    if (job_prepare(&in, &prepared, job, &run->sandbox->rootfs, &ignored) == 0 &&
        collect_note(run->collect, in.files, in.files_count, &ignored) == 0)
        copy = copy_prepared(run, &in);
    job_release(&prepared);
    if (copy == NULL)
        return NULL;
    copy->run = run;
    copy->may_lack = may_lack;
    return copy;
}

void warm_job_free(struct warm_job *job)
{
    if (job == NULL)
        return;
    if (job->file < 0)
        free(job->message);
    else if (job->message != NULL)
        munmap(job->message, job->size);
    close_fd(&job->file);
    free(job->args);
    free(job->env);
    free(job->files);
    free(job);
}

bool warm_job_send(const struct warm_job *job, int channel)
{
    if (job->file < 0)
        return send(channel, job->message, job->size, MSG_NOSIGNAL | MSG_DONTWAIT) ==
               (ssize_t)job->size;
    struct iovec head = {job->message, sizeof(struct job_head)};
    return message_send(channel, &head, 1, &job->file, 1, MSG_DONTWAIT) == (ssize_t)head.iov_len;
}

static struct sb_job restore(const struct warm_job *copy, const struct sb_run *run)
{
    return (struct sb_job){
        .policy = run->asked.policy,
        .id = run->asked.id,
        .name = copy->name,
        .code = copy->code,
        .code_size = copy->code_size,
        .code_encoded = true, /* job_prepare has settled the encoding */
        .module = copy->module,
        .files = copy->files,
        .files_count = copy->files_count,
        .args = (const char *const *)copy->args,
        .env = (const char *const *)copy->env,
        .call = copy->call,
        .merge_stderr = run->asked.merge_stderr,
        .notebook = run->asked.notebook,
        .on_display = run->asked.on_display,
        .limits = run->asked.limits,
        .allow_missing = copy->may_lack,
    };
}

void warm_job_start_cold(struct sb_run *run)
{
    struct warm_job *copy = steal_ptr(run->warm_job);
    struct sb_job job = restore(copy, run);
    struct sb_error err;
    if (run_start_cold(run, &job, copy->may_lack, &err) < 0) {
        run_fail(run, err.message);
        run_finish_unstarted(run);
    }
    warm_job_free(copy);
}
