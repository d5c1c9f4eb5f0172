/* Loads the seccomp program of a profile. Compiling takes a millisecond, so it is done when the
 * project is built: beside NAME.json lie NAME.bpf and NAME.report.bpf, which are used when their
 * headers say that they were made from these very bytes. If anything about such a file is not as
 * expected, the profile is compiled again: this is never an error, and never gives another program.
 */
#include "seccomp/seccomp.h"

#include <fcntl.h>
#include <linux/limits.h>
#include <string.h>
#include <sys/stat.h>

#include "common/error.h"
#include "common/json_file.h"
#include "common/util.h"
#include "seccomp/seccomp_profile.h"

/* To be raised with each change to what seccomp_profile.c and seccomp_program.c make of a profile.
 */
enum { CACHE_VERSION = 3 };

/* The two programs of a profile: what their files begin with, and how their names end. */
static const struct {
    char magic[8];
    const char *ending;
} caches[] = {
    {{'s', 'b', '-', 's', 'e', 'c', 'c', 'p'}, ".bpf"},
    {{'s', 'b', '-', 's', 'e', 'c', 'c', 'r'}, ".report.bpf"},
};

/* The file's first bytes; the instructions follow. */
struct cache_header {
    char magic[8];
    uint32_t version;
    uint32_t arch; /* AUDIT_ARCH_… */
    uint64_t profile_hash;
    uint64_t program_hash; /* a file that was cut or damaged is not loaded */
};

/* Tells different bytes apart. It need not resist deliberate collisions: whoever may write the
 * cache may also write the profile. Eight bytes a step, for this is on the way of every cold start;
 * each step can be undone, so that no single change is lost. */
static uint64_t hash(uint64_t h, const void *data, size_t size)
{
    const unsigned char *bytes = data;
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

/* Hashes of different sizes begin differently: the last word of a file may have been filled up. */
static uint64_t hash_begin(uint64_t size)
{
    return UINT64_C(0xcbf29ce484222325) ^ size;
}

/* Opens a regular file of up to `most` bytes; −1 with errno, EFBIG or EINVAL when it is none. */
static int open_file(const char *path, size_t most, size_t *size)
{
    /* O_NONBLOCK: opening a FIFO must not wait for a writer. */
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return -1;
    if (!S_ISREG(st.st_mode) || st.st_size < 0 || (uintmax_t)st.st_size > most) {
        errno = S_ISREG(st.st_mode) ? EFBIG : EINVAL;
        return -1;
    }
    *size = (size_t)st.st_size;
    return steal_fd(&fd);
}

/* Reads up to `size` bytes, fewer only at the end of the file. */
static ssize_t read_full(int fd, void *data, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = read(fd, (char *)data + done, size - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

/* The whole of a regular file of up to `most` bytes; NULL with errno as open_file sets it. */
static void *read_file(const char *path, size_t most, size_t *size)
{
    _cleanup_close_ int fd = open_file(path, most, size);
    if (fd < 0)
        return NULL;
    _cleanup_free_ void *data = malloc(*size + 1); /* malloc(0) may be NULL */
    ssize_t got = data != NULL ? read_full(fd, data, *size) : -1;
    if (got < 0)
        return NULL;
    *size = (size_t)got;
    return steal_ptr(data);
}

/* The hash of a file's bytes. They are not kept: touching fresh memory for them would take longer
 * than reading does. */
static bool hash_file(const char *path, uint64_t *result)
{
    size_t size;
    _cleanup_close_ int fd = open_file(path, JSON_FILE_MAX, &size);
    if (fd < 0)
        return false;
    uint64_t h = hash_begin(size);
    char buffer[4096];
    ssize_t got;
    while ((got = read_full(fd, buffer, sizeof(buffer))) > 0)
        h = hash(h, buffer, (size_t)got);
    *result = h;
    return got == 0;
}

static char *read_profile(const char *profile, size_t *size, struct sb_error *err)
{
    char *text = read_file(profile, JSON_FILE_MAX, size);
    if (text == NULL)
        sb_fail(
            err, "seccomp", errno,
            "the seccomp profile %s can't be read: %m; it must be a readable JSON file of up to %d "
            "KiB",
            json_file_shown(profile), JSON_FILE_MAX / 1024);
    return text;
}

static int compile(struct sock_fprog *program, const char *text, size_t size, const char *profile,
                   uint32_t arch, bool report, struct sb_error *err)
{
    struct seccomp_profile parsed;
    *program = (struct sock_fprog){0};
    if (seccomp_profile_read(&parsed, text, size, profile, arch, err) < 0)
        return -1;
    int result = seccomp_program_build(program, &parsed, report, profile, err);
    seccomp_profile_free(&parsed);
    return result;
}

/* The path of PROFILE.bpf; false when the profile's name does not end in .json. */
static bool cache_path(char *path, size_t size, const char *profile, bool report)
{
    static const char from[] = ".json";
    const char *to = caches[report].ending;
    size_t length = strlen(profile), ending = sizeof(from) - 1;
    if (length < ending || length - ending + strlen(to) >= size ||
        strcmp(profile + length - ending, from) != 0)
        return false;
    memcpy(path, profile, length - ending);
    memcpy(path + length - ending, to, strlen(to) + 1);
    return true;
}

/* True when PROFILE.bpf holds the program that PROFILE's text compiles to. */
static bool load_cached(struct sock_fprog *program, const char *profile, bool report)
{
    enum { LARGEST = sizeof(struct cache_header) + BPF_MAXINSNS * sizeof(struct sock_filter) };
    char path[PATH_MAX];
    uint64_t profile_hash;
    size_t size;
    if (!cache_path(path, sizeof(path), profile, report) || !hash_file(profile, &profile_hash))
        return false;
    _cleanup_free_ char *cached = read_file(path, LARGEST, &size);
    struct cache_header header;
    if (cached == NULL || size <= sizeof(header))
        return false;
    memcpy(&header, cached, sizeof(header));
    size -= sizeof(header);
    if (memcmp(header.magic, caches[report].magic, sizeof(header.magic)) != 0 ||
        header.version != CACHE_VERSION || header.arch != seccomp_arch(NULL) ||
        header.profile_hash != profile_hash || size % sizeof(*program->filter) != 0 ||
        header.program_hash != hash(hash_begin(size), cached + sizeof(header), size))
        return false;
    memmove(cached, cached + sizeof(header), size);
    program->len = (unsigned short)(size / sizeof(*program->filter));
    program->filter = (struct sock_filter *)(void *)steal_ptr(cached);
    return true;
}

int filter_load(struct sock_fprog *program, const char *profile, bool report, struct sb_error *err)
{
    if (load_cached(program, profile, report))
        return 0;
    return filter_compile(program, profile, NULL, report, err);
}

int filter_compile(struct sock_fprog *program, const char *profile, const char *arch, bool report,
                   struct sb_error *err)
{
    *program = (struct sock_fprog){0};
    if (seccomp_arch(arch) == 0)
        return sb_fail_field(
            err, "seccomp", "arch",
            "\"%.64s\" is not an architecture that profiles support: give x86_64 or aarch64", arch);
    size_t size;
    _cleanup_free_ char *text = read_profile(profile, &size, err);
    if (text == NULL)
        return -1;
    return compile(program, text, size, profile, seccomp_arch(arch), report, err);
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

int filter_profile(struct seccomp_profile *parsed, const char *profile, struct sb_error *err)
{
    size_t size;
    _cleanup_free_ char *text = read_profile(profile, &size, err);
    if (text == NULL)
        return -1;
    return seccomp_profile_read(parsed, text, size, profile, seccomp_arch(NULL), err);
}

int filter_precompile(const char *profile, const char *output, bool report, struct sb_error *err)
{
    size_t size;
    _cleanup_free_ char *text = read_profile(profile, &size, err);
    struct sock_fprog program;
    if (text == NULL || compile(&program, text, size, profile, seccomp_arch(NULL), report, err) < 0)
        return -1;
    _cleanup_free_ struct sock_filter *code = program.filter;
    size_t code_size = program.len * sizeof(*code);
    struct cache_header header = {.version = CACHE_VERSION,
                                  .arch = seccomp_arch(NULL),
                                  .profile_hash = hash(hash_begin(size), text, size),
                                  .program_hash = hash(hash_begin(code_size), code, code_size)};
    memcpy(header.magic, caches[report].magic, sizeof(header.magic));

    /* A half-written file is not a danger: its hash would not match. */
    _cleanup_close_ int fd = open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || write_all(fd, &header, sizeof(header)) < 0 || write_all(fd, code, code_size) < 0)
        return sb_fail(err, "seccomp", errno, "%s can't be written", json_file_shown(output));
    return 0;
}
