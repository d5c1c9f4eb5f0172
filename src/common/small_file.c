/* See small_file.h. */
#include "common/small_file.h"

#include <fcntl.h>
#include <string.h>

#include "common/util.h"

ssize_t small_file_read(int directory, const char *file, char *text, size_t size)
{
    _cleanup_close_ int fd = openat(directory, file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t n = read(fd, text, size - 1);
    if (n >= 0)
        text[n] = '\0';
    return n;
}

int small_file_write(int directory, const char *file, const char *text)
{
    _cleanup_close_ int fd = openat(directory, file, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    return write(fd, text, strlen(text)) < 0 ? -1 : 0;
}
