/* What a file that comes back is. */
#ifndef SB_FILE_TYPE_H
#define SB_FILE_TYPE_H

#include <stdbool.h>
#include <stddef.h>

/* Whether these bytes are text: valid UTF-8 without NUL. */
bool file_is_text(const void *data, size_t size);

/* The MIME type, by the ending of the name; for others text/plain or application/octet-stream. */
const char *file_type(const char *path, bool text);

#endif
