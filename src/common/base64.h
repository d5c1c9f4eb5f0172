/* Bytes in text (RFC 4648, section 4). Encoding is json_writer's. */
#ifndef SB_BASE64_H
#define SB_BASE64_H

#include <stddef.h>
#include <sys/types.h>

/* Decodes in place: `data` holds `size` characters, then the bytes. Returns how many these are; −1:
 * it is not base64, with all its padding and nothing else. */
ssize_t base64_decode(char *data, size_t size);

#endif
