/* Loads the seccomp program of a profile. Compiling takes a millisecond, so it is done when the
 * project is built: beside NAME.json lies NAME.bpf, which is used when its header says that it was
 * made from these very bytes. Anything else about it that is not as expected means compiling anew,
 * never an error and never another program. */
#include "seccomp.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "error.h"
#include "json_file.h"
#include "seccomp_profile.h"
#include "util.h"

/* To be raised with each change to what seccomp_profile.c and seccomp_program.c make of a profile. */
enum { CACHE_VERSION = 1 };

static const char cache_magic[8] = {'s', 'b', '-', 's', 'e', 'c', 'c', 'p'};

/* The file's first bytes; the instructions follow. */
struct cache_header {
    char magic[8];
    uint32_t version;
    uint32_t arch; /* AUDIT_ARCH_… */
    uint64_t profile_hash;
    uint64_t program_hash; /* a file that was cut or damaged is not loaded */
};

/* Tells different bytes apart; whoever may write the cache may write the profile, so nobody needs to be
 * kept from making two that collide. Eight bytes a step, for this is on the way of every cold start;
 * each step can be undone, so that no single change is lost. */
static uint64_t hash(const void *data, size_t size)
{
    const unsigned char *bytes = data;
    uint64_t h = UINT64_C(0xcbf29ce484222325) ^ size;
    while (size > 0) {
        uint64_t word = 0;
        size_t part = size < sizeof(word) ? size : sizeof(word);
        memcpy(&word, bytes, part);
        h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 32;
        bytes += part;
        size -= part;
    }
    return h;
}

/* The whole of a regular file of up to `most` bytes; NULL with errno, EFBIG or EINVAL when it is none. */
static void *read_file(const char *path, size_t most, size_t *size)
{
    /* O_NONBLOCK: opening a FIFO must not wait for a writer. */
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return NULL;
    if (!S_ISREG(st.st_mode) || st.st_size < 0 || (uintmax_t)st.st_size > most) {
        errno = S_ISREG(st.st_mode) ? EFBIG : EINVAL;
        return NULL;
    }
    /* One byte more than it has: reading stops at the size, and malloc(0) may be NULL. */
    _cleanup_free_ char *data = malloc((size_t)st.st_size + 1);
    if (data == NULL)
        return NULL;
    *size = 0;
    while (*size < (size_t)st.st_size) {
        ssize_t got = read(fd, data + *size, (size_t)st.st_size - *size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return NULL;
        if (got == 0)
            break; /* it has become shorter: what was read is judged like any other text */
        *size += (size_t)got;
    }
    return steal_ptr(data);
}

static char *read_profile(const char *profile, size_t *size, struct sb_error *err)
{
    char *text = read_file(profile, JSON_FILE_MAX, size);
    if (text == NULL)
        sb_fail(err, "seccomp", errno,
                "the seccomp profile %s can't be read: it must be a readable JSON file of up to %d "
                "KiB", json_file_shown(profile), JSON_FILE_MAX / 1024);
    return text;
}

static int compile(struct sock_fprog *program, const char *text, size_t size, const char *profile,
                   uint32_t arch, struct sb_error *err)
{
    struct seccomp_profile parsed;
    *program = (struct sock_fprog){0};
    if (seccomp_profile_read(&parsed, text, size, profile, arch, err) < 0)
        return -1;
    int result = seccomp_program_build(program, &parsed, profile, err);
    seccomp_profile_free(&parsed);
    return result;
}

/* True when PROFILE.bpf holds the program that PROFILE's text compiles to. */
static bool load_cached(struct sock_fprog *program, const char *profile, const void *text,
                        size_t size)
{
    size_t stem = strlen(profile);
    if (stem <= strlen(".json") || strcmp(profile + stem - strlen(".json"), ".json") != 0)
        return false;
    stem -= strlen(".json");
    char path[4096];
    if ((size_t)snprintf(path, sizeof(path), "%.*s.bpf", (int)stem, profile) >= sizeof(path))
        return false;

    size_t cached_size;
    _cleanup_free_ char *cached = read_file(
        path, sizeof(struct cache_header) + BPF_MAXINSNS * sizeof(*program->filter), &cached_size);
    struct cache_header header;
    if (cached == NULL || cached_size <= sizeof(header))
        return false;
    memcpy(&header, cached, sizeof(header));
    size_t code_size = cached_size - sizeof(header);
    if (memcmp(header.magic, cache_magic, sizeof(cache_magic)) != 0 ||
        header.version != CACHE_VERSION || header.arch != seccomp_arch(NULL) ||
        code_size % sizeof(*program->filter) != 0 || header.profile_hash != hash(text, size) ||
        header.program_hash != hash(cached + sizeof(header), code_size))
        return false;
    memmove(cached, cached + sizeof(header), code_size);
    program->len = (unsigned short)(code_size / sizeof(*program->filter));
    program->filter = (struct sock_filter *)(void *)steal_ptr(cached);
    return true;
}

int filter_load(struct sock_fprog *program, const char *profile, struct sb_error *err)
{
    size_t size;
    _cleanup_free_ char *text = read_profile(profile, &size, err);
    if (text == NULL)
        return -1;
    if (load_cached(program, profile, text, size))
        return 0;
    return compile(program, text, size, profile, seccomp_arch(NULL), err);
}

int filter_compile(struct sock_fprog *program, const char *profile, const char *arch,
                    struct sb_error *err)
{
    *program = (struct sock_fprog){0};
    if (seccomp_arch(arch) == 0)
        return sb_fail_field(err, "seccomp", "arch",
                             "\"%.64s\" is not an architecture that profiles are written for: name "
                             "x86_64 or aarch64", arch);
    size_t size;
    _cleanup_free_ char *text = read_profile(profile, &size, err);
    if (text == NULL)
        return -1;
    return compile(program, text, size, profile, seccomp_arch(arch), err);
}

static int write_all(int fd, const void *data, size_t size)
{
    const char *bytes = data;
    while (size > 0) {
        ssize_t written = write(fd, bytes, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -1;
        bytes += written;
        size -= (size_t)written;
    }
    return 0;
}

int filter_precompile(const char *profile, const char *output, struct sb_error *err)
{
    size_t size;
    _cleanup_free_ char *text = read_profile(profile, &size, err);
    struct sock_fprog program;
    if (text == NULL || compile(&program, text, size, profile, seccomp_arch(NULL), err) < 0)
        return -1;
    _cleanup_free_ struct sock_filter *code = program.filter;
    size_t code_size = program.len * sizeof(*code);
    struct cache_header header = {.version = CACHE_VERSION,
                                  .arch = seccomp_arch(NULL),
                                  .profile_hash = hash(text, size),
                                  .program_hash = hash(code, code_size)};
    memcpy(header.magic, cache_magic, sizeof(cache_magic));

    /* A file that is written half is no danger: its hash would not fit. */
    _cleanup_close_ int fd = open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || write_all(fd, &header, sizeof(header)) < 0 || write_all(fd, code, code_size) < 0)
        return sb_fail(err, "seccomp", errno, "%s can't be written", json_file_shown(output));
    return 0;
}
