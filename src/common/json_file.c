/* JSON from files: how they are opened, and how much of them is read. json_text.c reads their text.
 */
#include "common/json_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "common/error.h"
#include "common/util.h"

struct json_object *json_file_parse(const char *text, size_t size, const char *file,
                                    const char *step, struct sb_error *err)
{
    static const struct json_bounds bounds = {
        .size = JSON_FILE_MAX,
        .depth = JSON_FILE_DEPTH,
        .values = JSON_FILE_MAX, /* as many as fit */
        .plain_keys = true,
    };
    return json_text_parse(text, size, &bounds, json_file_shown(file), step, err);
}

struct json_object *json_file_load(const char *path, const char *step, struct sb_error *err)
{
    /* O_NONBLOCK: the open of a FIFO would wait for a writer. */
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0) {
        sb_fail(err, step, errno, "%s can't be opened (check its path and permissions)",
                json_file_shown(path));
        return NULL;
    }
    if (!S_ISREG(st.st_mode)) {
        sb_fail(err, step, 0, "%s is not a regular file: name a JSON file", json_file_shown(path));
        return NULL;
    }
    /* The size is not asked beforehand: it may change. */
    _cleanup_free_ char *text = malloc(JSON_FILE_MAX + 1);
    if (text == NULL) {
        sb_fail(err, step, ENOMEM, "%s", json_file_shown(path));
        return NULL;
    }
    size_t size = 0;
    while (size < JSON_FILE_MAX + 1) {
        ssize_t got = read(fd, text + size, JSON_FILE_MAX + 1 - size);
        if (got == 0)
            break;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            sb_fail(err, step, errno, "%s can't be read", json_file_shown(path));
            return NULL;
        }
        size += (size_t)got;
    }
    return json_file_parse(text, size, path, step, err);
}

const char *json_file_shown(const char *path)
{
    enum { SHOWN = 180 };
    size_t length = strlen(path);
    if (length <= SHOWN)
        return path;
    const char *slash = strchr(path + length - SHOWN, '/');
    return slash != NULL ? slash : path + length - SHOWN;
}
