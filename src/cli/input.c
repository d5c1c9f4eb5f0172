#include "cli/input.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/message.h"
#include "common/util.h"

static int grow(struct bytes *bytes, size_t size)
{
    char *larger = realloc(bytes->data, size);
    if (larger == NULL)
        return -1;
    bytes->data = larger;
    return 0;
}

int read_whole(int fd, size_t most, struct bytes *bytes)
{
    struct stat st;
    *bytes = (struct bytes){0};
    if (fstat(fd, &st) < 0)
        return -1;
    /* One byte more than is there shows the end of a regular file without growing. */
    size_t room = S_ISREG(st.st_mode) && (size_t)st.st_size < most ? (size_t)st.st_size + 1 : 0;
    if (room < 4096)
        room = 4096;
    for (;;) {
        if ((bytes->data == NULL || bytes->size == room) &&
            grow(bytes, bytes->data == NULL ? room : (room *= 2)) < 0)
            return -1;
        /* The descriptor may be non-blocking, by ourselves or by those who share it. */
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        poll(&ready, 1, -1);
        ssize_t n = read(fd, bytes->data + bytes->size, room - bytes->size);
        if (n == 0)
            return 0;
        if (n > 0)
            bytes->size += (size_t)n;
        else if (errno != EAGAIN && errno != EINTR)
            return -1;
        if (bytes->size > most) {
            errno = EFBIG;
            return -1;
        }
    }
}

/* O_NONBLOCK: a FIFO that nobody writes to must not hold us before we know that it is one. */
static int open_script(const char *path, struct sb_error *err)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return fail(err, "script", "can't read %s: %s; name a Python script, or - for stdin", path,
                    strerror(errno));
    if (S_ISDIR(st.st_mode))
        return fail(err, "script",
                    "%s is a directory: name the script in it, and give the directory with --files",
                    path);
    if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode))
        return fail(err, "script",
                    "%s is neither a regular file nor a pipe: copy the code into a file, or give "
                    "- and the code on stdin",
                    path);
    return steal_fd(&fd);
}

int read_script(const char *path, size_t most, struct bytes *code, struct sb_error *err)
{
    bool from_stdin = strcmp(path, "-") == 0;
    _cleanup_close_ int opened = from_stdin ? -1 : open_script(path, err);
    if (!from_stdin && opened < 0)
        return -1;
    if (read_whole(from_stdin ? STDIN_FILENO : opened, most, code) == 0)
        return 0;
    const char *shown = from_stdin ? "standard input" : path;
    if (errno == EFBIG)
        return fail(err, "script",
                    "%s holds more than %zu bytes, the most code that the policy allows: make it "
                    "shorter, or raise the cap of code_chars in a policy of your own",
                    shown, most);
    return fail(err, "script", "can't read %s: %s; name a Python script, or - for stdin", shown,
                strerror(errno));
}

int read_code(const struct options *options, size_t most, struct bytes *code, struct sb_error *err)
{
    if (options->code != NULL) {
        *code = (struct bytes){strdup(options->code), strlen(options->code)};
        return code->data != NULL ? 0 : fail(err, "", "out of memory (code)");
    }
    if (options->module != NULL)
        return 0;
    if (strcmp(options->script, "-") == 0 && isatty(STDIN_FILENO) && !options->quiet)
        say("reading the code from the terminal, up to Ctrl-D");
    return read_script(options->script, most, code, err);
}
