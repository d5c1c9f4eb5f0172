/* See contestant.h. */
#include "contestant.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void fail(const char *what)
{
    fprintf(stderr, "contestants: %s: %s\n", what, strerror(errno));
    exit(2);
}

static char *read_all(size_t *size)
{
    char *text = NULL;
    size_t capacity = 0;
    ssize_t n;
    *size = 0;
    do {
        if (*size == capacity && (text = realloc(text, capacity += 65536)) == NULL)
            fail("memory");
        n = read(STDIN_FILENO, text + *size, capacity - *size);
        if (n < 0)
            fail("read contestants");
        *size += (size_t)n;
    } while (n > 0);
    return text;
}

static char *next_field(char **at, const char *end)
{
    char *field = *at;
    char *nul = field < end ? memchr(field, '\0', (size_t)(end - field)) : NULL;
    if (nul == NULL) {
        errno = EINVAL;
        fail("contestants end early");
    }
    *at = nul + 1;
    return field;
}

static void next_strings(char **at, const char *end, char *strings[STRINGS_MAX])
{
    int count = atoi(next_field(at, end));
    if (count < 0 || count >= STRINGS_MAX) {
        errno = E2BIG;
        fail("strings of a contestant");
    }
    for (int i = 0; i < count; i++)
        strings[i] = next_field(at, end);
    strings[count] = NULL;
}

int contestants_read(struct contestant contestants[CONTESTANTS_MAX])
{
    size_t size;
    char *text = read_all(&size);
    const char *end = text + size;
    int count = 0;
    for (char *at = text; at < end; count++) {
        if (count == CONTESTANTS_MAX) {
            errno = E2BIG;
            fail("contestants");
        }
        struct contestant *c = &contestants[count];
        next_field(&at, end); /* the name is for people */
        c->chroot = next_field(&at, end);
        c->mount_ns = next_field(&at, end);
        c->file = next_field(&at, end);
        c->port = next_field(&at, end);
        next_strings(&at, end, c->env);
        next_strings(&at, end, c->argv);
    }
    return count;
}

char **contestant_arguments(const struct contestant *contestant, unsigned long number)
{
    static char *out[STRINGS_MAX];
    static char room[8][256];
    size_t used = 0;
    for (size_t i = 0;; i++) {
        const char *given = contestant->argv[i];
        out[i] = contestant->argv[i];
        if (given == NULL)
            return out;
        const char *mark = strstr(given, "@N@");
        if (mark == NULL || used == sizeof(room) / sizeof(room[0]))
            continue;
        snprintf(room[used], sizeof(room[used]), "%.*s%lu%s", (int)(mark - given), given, number,
                 mark + 3);
        out[i] = room[used++];
    }
}

/* Closed on exec, but for its copy, unless it is at its place already. */
static int hand_over(const char *file)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    return fd == FILE_FD ? fcntl(fd, F_SETFD, 0) : dup2(fd, FILE_FD) < 0 ? -1 : 0;
}

void contestant_become(const struct contestant *c, char *const argv[], int out, int err, int null)
{
    static const char failed[] = "descriptors, setns, chroot or exec failed\n";
    bool ready = dup2(null, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
                 dup2(err, STDERR_FILENO) >= 0;
    if (ready && c->file[0] != '\0')
        ready = hand_over(c->file) == 0;
    if (ready && c->mount_ns[0] != '\0')
        ready = setns(open(c->mount_ns, O_RDONLY | O_CLOEXEC), CLONE_NEWNS) == 0;
    if (ready && c->chroot[0] != '\0')
        ready = chroot(c->chroot) == 0 && chdir("/") == 0;
    if (ready)
        execve(argv[0], argv, c->env);
    ssize_t ignored = write(err, failed, sizeof(failed) - 1);
    (void)ignored;
    _exit(126);
}
